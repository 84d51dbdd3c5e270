"""Contracts on their way between the Pact broker and the job that runs the service, which has no token of the broker.

usage: contracts fetch SERVICE     what consumers expect, from the broker into build/broker; prints sha256= for
                                   $GITHUB_OUTPUT
       contracts pack              what `make contract` found into build/contracts; prints sha256=
       contracts check FOLDER SUM  fail if the folder has another sum; an empty one stands for none

In build/broker each contract is a file; one that the service has never kept yet is called *.pending.json. Results, in
build/contracts/results, name these files; where each is sent, only build/broker/index.json says.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from golden_path.service.errors import NoAnswerError, RefusedError, WrongInputError
from golden_path.service.handover import check, checksum
from golden_path.service.web import receiver, send

FETCHED = Path("build/broker")
INDEX = FETCHED / "index.json"
PACKED = Path("build/contracts")
RESULTS = PACKED / "results"
CONSUMED = Path("contracts/consumed")
SELECTORS = [{"deployedOrReleased": True}, {"mainBranch": True}]
LARGEST = 16 * 2**20
HAL = {"Accept": "application/hal+json, application/json", "Content-Type": "application/json"}


def branch() -> str:
    """The branch of this version: that of the workflow's event in BRANCH, or the one that is checked out.

    Raises:
        RefusedError: there is neither.
    """
    asked = subprocess.run(["git", "branch", "--show-current"], stdout=subprocess.PIPE, text=True, check=False)
    if name := os.environ.get("BRANCH") or asked.stdout.strip():
        return name
    raise RefusedError("no branch is checked out: set BRANCH to the one that this version is of")


def ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET a document of the broker's, or POST one; returns the answer.

    Raises:
        RefusedError: there is none, or the address is not one of the broker's.
    """
    try:
        base, headers, seconds = receiver("PACT_BROKER_BASE", "PACT_BROKER_TOKEN")
        if urlsplit(url)[:2] != urlsplit(base)[:2]:
            raise RefusedError(f"the broker names another address: is PACT_BROKER_BASE_URL what it calls itself? {url}")
        sent = None if body is None else json.dumps(body).encode()
        answer = json.loads(send(url, {**HAL, **headers}, sent, seconds, limit=LARGEST) or b"{}")
    except (NoAnswerError, WrongInputError, ValueError) as reason:
        raise RefusedError(f"the broker did not do it: {reason}") from None
    if not isinstance(answer, dict):
        raise RefusedError(f"{url} is no resource of a Pact broker")
    return answer


def fetch(service: str) -> str:
    """Write what consumers in the environments, and on their main branches, expect; returns the sum."""
    shutil.rmtree(FETCHED, ignore_errors=True)
    base = os.environ["PACT_BROKER_BASE_URL"].rstrip("/") + "/"
    asked = {"consumerVersionSelectors": SELECTORS, "includePendingStatus": True, "providerVersionBranch": branch()}
    found = ask(urljoin(base, f"pacts/provider/{quote(service, safe='')}/for-verification"), asked)
    index = {}
    FETCHED.mkdir(parents=True)
    for number, one in enumerate(found.get("_embedded", {}).get("pacts", [])):
        pact = ask(one["_links"]["self"]["href"])
        consumer = re.sub(r"[^A-Za-z0-9_-]+", "-", pact["consumer"]["name"])
        pending = ".pending" if one.get("verificationProperties", {}).get("pending") else ""
        name = f"{number}-{consumer}{pending}.json"
        index[name] = pact["_links"]["pb:publish-verification-results"]["href"]
        (FETCHED / name).write_text(json.dumps(pact), encoding="utf-8")
    INDEX.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    note(f"ok    contracts of the broker: {len(index)}")
    return checksum(FETCHED)


def pack() -> str:
    """Put the contracts that were written beside the results; returns the sum."""
    shutil.rmtree(PACKED / "consumed", ignore_errors=True)
    if CONSUMED.is_dir():
        shutil.copytree(CONSUMED, PACKED / "consumed", ignore=shutil.ignore_patterns(".*"))
    PACKED.mkdir(parents=True, exist_ok=True)
    RESULTS.touch()
    return checksum(PACKED)


def results() -> Iterator[tuple[str, bool]]:
    """Where the result of each contract goes, and what it is.

    Raises:
        RefusedError: there is one of a contract that was not fetched.
    """
    if not RESULTS.exists():
        return
    index = json.loads(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        name, _, said = line.partition(" ")
        if name not in index or said not in ("true", "false"):
            raise RefusedError(f"{RESULTS} has a result of no contract that was fetched: {line[:100]!r}")
        yield index[name], said == "true"


def note(text: str) -> None:
    """On standard error, since what is printed goes to $GITHUB_OUTPUT."""
    sys.stderr.write(f"  {text}\n")


def main(verb: str, *arguments: str) -> int:
    try:
        if verb == "check":
            check(Path(arguments[0]), *arguments[1:])
        elif verb == "fetch" and not os.environ.get("PACT_BROKER_BASE_URL"):
            note("skip  contracts of a broker: none is configured; set PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN")
        else:
            total = fetch(*arguments) if verb == "fetch" else pack()
            sys.stdout.write(f"sha256={total}\n")
    except RefusedError as reason:
        sys.stderr.write(f"contracts: {reason}\n")
        return 1
    return 0
