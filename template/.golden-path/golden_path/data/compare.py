"""The model that was trained, and the one that runs, on the same data that neither has seen."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from golden_path.service.errors import RefusedError


class Comparison(NamedTuple):
    """How two models compare.

    Attributes:
        propose: whether the challenger is better.
        reason: why it is, or is not.
        notes: both in Markdown, for whoever reviews it.
    """

    propose: bool
    reason: str
    notes: str


def compare(package: str, frame: pd.DataFrame, challenger: Path, champion: Path | None, reference: str) -> Comparison:
    """Compare a model with the one that runs.

    Args:
        package: of the service.
        frame: the data that the challenger was trained on.
        challenger: folder of the model that was trained.
        champion: folder of the one that runs; None if the environment runs none of its own.
        reference: what the champion is called.

    Raises:
        RefusedError: the data are not those of the challenger, or one of the models is none for this service.
    """
    data = importlib.import_module("training.data").load(frame)
    _, held_out = data.split()
    card = _card(challenger)
    if card["inputs"]["data_sha256"] != data.sha256:
        raise RefusedError("the data have changed since the model was trained: train again")
    other = _card(champion) if champion else {}
    if other.get("sha256") == card["sha256"]:
        reason = "the same data and code gave the model that runs already"
        return Comparison(False, reason, f"Not proposed: {reason}.\n")
    measured = {"challenger": _measured(package, challenger, held_out)}
    if champion:
        if other["target"]["bins"]["names"] != list(data.classes):
            raise RefusedError("the champion predicts other classes: release the model together with the service")
        measured["champion"] = _measured(package, champion, held_out)
        against = importlib.import_module("training.choose").reason_against(*measured.values())
        reason = against or "better than the champion on the same held-out data"
    else:
        against, reason = "", "there is no champion: the environment serves the model of its image"
    text = f"{'Not proposed' if against else 'Proposed'}: {reason}.\n\n"
    return Comparison(not against, reason, text + _table(measured, card, other, reference, len(held_out.rows)))


def _card(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RefusedError(f"{folder} has no model.json that can be read: {error}") from None
    return found


def _measured(package: str, folder: Path, held_out: Any) -> dict[str, float]:
    """The metrics of a model, asked as the service asks it."""
    parts: Any = {
        name: importlib.import_module(f"{package}.model.{name}") for name in ("contract", "features", "runtime")
    }
    told = parts["contract"].features_of(parts["features"].Features)
    try:
        model = parts["runtime"].load(folder, told, 1)
    except parts["runtime"].ModelError as error:
        raise RefusedError(f"{folder} {error}") from None
    probabilities = np.array([one.probabilities for one in model.predict(held_out.rows.tolist())])
    # What is left of rounding: the metrics want rows that add up to 1.
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found: dict[str, float] = importlib.import_module("training.describe").metrics(probabilities, held_out)
    return found


def _table(
    measured: Mapping[str, Mapping[str, float]],
    card: Mapping[str, Any],
    other: Mapping[str, Any],
    reference: str,
    rows: int,
) -> str:
    champion = measured.get("champion", {})
    before = other["inputs"]["data_sha256"] if other else None
    lines = [
        f"| on {rows} held-out rows | champion | challenger | |",
        "|---|---|---|---|",
        *(
            f"| {name} | {_number(champion.get(name))} | {_number(value)} | {_moved(champion.get(name), value)} |"
            for name, value in measured["challenger"].items()
        ),
        f"| rows trained on | {other['inputs']['rows'] if other else '-'} | {card['inputs']['rows']} | |",
        f"| model | {_short(other.get('sha256'))} | {_short(card['sha256'])} | |",
        f"| data | {_short(before)} | {_short(card['inputs']['data_sha256'])} | |",
    ]
    return "\n".join(lines) + "\n" + (f"\nThe champion is `{reference}`.\n" if reference else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _moved(before: float | None, after: float) -> str:
    return "" if before is None else f"{after - before:+g}"


def _short(digest: str | None) -> str:
    return f"`{digest[:12]}`" if digest else "-"
