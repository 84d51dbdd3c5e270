"""Check the data, train on them, and score with the model; each run tells its lineage (lineage.py).

usage: data check SERVICE REPOSITORY PACKAGE           hold the training data against the contract in contracts/data
       data train SERVICE REPOSITORY PACKAGE FOLDER    the same, then train on these very data and write the model
       data compare SERVICE REPOSITORY PACKAGE FOLDER  compare the model in the folder with the one in CHAMPION, if that
                                                       is set, and say propose=true|false for $GITHUB_OUTPUT; the table
                                                       is in build/retrain/notes.md
       data score SERVICE REPOSITORY PACKAGE FOLDER    predict for the rows of the CSV file INPUT, with the model in the
                                                       folder, into the file OUTPUT; both from the environment

Exit code 1: the data break the contract. 2: the contract, or another input, is wrong. With ON_VIOLATION=retrain, data
that break it also ask GitHub for a retraining.
"""

import datetime as dt
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from golden_path.data import described, dispatch
from golden_path.data.agreement import agreed
from golden_path.data.checks import Outcome, check, extra
from golden_path.data.compare import compare
from golden_path.data.contract import Contract
from golden_path.data.lineage import Dataset, Job
from golden_path.data.scoring import scored
from golden_path.service.automation import summarise
from golden_path.service.errors import RefusedError, WrongInputError

MOST = 20  # lines about violations
NOTES = Path("build/retrain/notes.md")


def main(verb: str, service: str, repository: str, package: str, folder: str = "") -> int:
    """Run one of them.

    Args:
        verb: check, train, compare or score.
        service: its name.
        repository: ORGANISATION/NAME.
        package: the service's Python package.
        folder: of the model; not for check.

    Returns:
        The exit code.
    """
    for place in ("src", "."):
        sys.path.insert(0, str(Path(place).resolve()))
    try:
        if verb == "compare":
            return _compare(package, Path(folder))
        path, contract = agreed(package)
        job = Job(service, repository, verb if verb != "check" else "data-check", _revision())
        if verb == "score":
            return _score(job, service, repository, package, path, contract, Path(folder))
        return _train(job, service, repository, path, contract, Path(folder) if verb == "train" else None)
    except (WrongInputError, RefusedError) as reason:
        sys.stderr.write(f"  FAIL  {'data-check' if verb == 'check' else verb}: {reason}\n")
        return 2


def _train(job: Job, service: str, repository: str, path: Path, contract: Contract, folder: Path | None) -> int:
    job.start()
    try:
        frame = importlib.import_module("training.data").raw()
        outcomes, read = _held(job, frame, contract)
        if _broken(path, contract, frame, outcomes):
            _failed(job, repository, _summary(path, outcomes), [read])
            return 1
        made: list[Dataset] = []
        if folder:
            importlib.import_module("training.__main__").train(frame, folder)
            card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            made = [described.model(job, service, card, (folder / "model.onnx").stat().st_size)]
    except Exception as error:
        job.fail(f"{type(error).__name__}: {error}")
        raise
    job.complete([read], made)
    return 0


def _score(job: Job, service: str, repository: str, package: str, path: Path, contract: Contract, folder: Path) -> int:
    source, target = (os.environ.get(name, "") for name in ("INPUT", "OUTPUT"))
    if not source or not target:
        raise WrongInputError("say make score INPUT=rows.csv OUTPUT=predictions.csv")
    try:
        # As text, so that nothing is guessed: 3.7 in a column of integers stays 3.7.
        frame = pd.read_csv(source, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise WrongInputError(f"INPUT={source} cannot be read as CSV: {error}") from None
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    wanted = {one["feature"]["name"] for one in card["columns"]}
    # What was known when it was trained, the label above all, is not known of what is predicted.
    asked = contract._replace(
        fields=tuple(one for one in contract.fields if one.name in wanted or one.column in frame.columns),
        quality=(), freshness=(),
    )  # fmt: skip
    used = described.model(job, service, card, 0)
    job.start([used])
    try:
        outcomes, read = _held(job, frame, asked, name=Path(source).name)
        if _broken(path, asked, frame, outcomes):
            _failed(job, repository, _summary(path, outcomes), [read, used])
            return 1
        result = scored(package, folder, frame, asked)
        partial = Path(f"{target}.part")
        result.to_csv(partial, index=False, lineterminator="\n")
        partial.rename(target)
    except Exception as error:
        job.fail(f"{type(error).__name__}: {error}", [used])
        raise
    facet = job.facet("OutputStatisticsOutputDatasetFacet", {"rowCount": len(result), "fileCount": 1})
    version = job.facet("DatasetVersionDatasetFacet", {"datasetVersion": f"sha256:{described.digest(result)}"})
    job.complete([read, used], [Dataset(Path(target).name, {"version": version}, {"outputStatistics": facet})])
    sys.stdout.write(f"  ok    score: {len(result)} rows, in {target}\n")
    return 0


def _compare(package: str, folder: Path) -> int:
    champion = os.environ.get("CHAMPION", "")
    frame = importlib.import_module("training.data").raw()
    found = compare(package, frame, folder, Path(champion) if champion else None, os.environ.get("CHAMPION_REF", ""))
    NOTES.parent.mkdir(parents=True, exist_ok=True)
    NOTES.write_text(found.notes, encoding="utf-8")
    summarise(found.notes)
    sys.stderr.write(f"  {'ok  ' if found.propose else 'skip'}  compare: {found.reason}\n")
    sys.stdout.write(f"propose={str(found.propose).lower()}\n")
    return 0


def _failed(job: Job, repository: str, said: str, inputs: list[Dataset]) -> None:
    """The data break the contract: tell the catalogue, and ask for a retraining where that is wanted."""
    job.fail(said, inputs)
    if os.environ.get("ON_VIOLATION") == "retrain":
        dispatch.ask(repository, said)
        sys.stderr.write("        a retraining is asked for\n")


def _held(job: Job, frame: object, contract: Contract, name: str = "") -> tuple[list[Outcome], Dataset]:
    """Hold data against the contract; returns the outcomes, and the data as a dataset."""
    if not isinstance(frame, pd.DataFrame):
        raise WrongInputError(f"training/data.py: raw() must return a pandas.DataFrame, not {type(frame).__name__}")
    outcomes = check(frame, contract, dt.datetime.now(dt.UTC))
    return outcomes, described.data(job, frame, contract, outcomes, name)


def _broken(path: Path, contract: Contract, frame: pd.DataFrame, outcomes: list[Outcome]) -> bool:
    """Say what is broken; returns whether anything is."""
    broken = [one for one in outcomes if not one.success]
    for one in broken[:MOST]:
        sys.stderr.write(f"        {_said(one)}\n")
    if len(broken) > MOST:
        sys.stderr.write(f"        and {len(broken) - MOST} more\n")
    if broken:
        sys.stderr.write(f"  FAIL  {path}: {len(broken)} of {len(outcomes)} rules are broken in {len(frame)} rows\n")
        return True
    sys.stdout.write(f"  ok    {path}: {len(outcomes)} rules hold in {len(frame)} rows\n")
    if found := extra(frame, contract):
        sys.stdout.write(
            f"        not in the contract, and not checked: {', '.join(found[:5])}{' ...' if found[5:] else ''}\n"
        )
    if contract.unchecked:
        sys.stdout.write(f"        promised, and not to be seen in the data: {', '.join(contract.unchecked)}\n")
    return False


def _said(one: Outcome) -> str:
    return f"{one.column}: {one.said}" if one.column else one.said


def _summary(path: Path, outcomes: list[Outcome]) -> str:
    return f"{path}: " + "; ".join(_said(one) for one in outcomes if not one.success)[:2000]


def _revision() -> str:
    if given := os.environ.get("REVISION"):
        return given
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
