"""Holds data against contracts, with the Python of a service for a model: ``holding.py SERVICE <cases.json``.

A case has a contract, as YAML, and the data: ``csv`` as text, or ``columns`` as values. Prints what becomes of each.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, f"{sys.argv[1]}/.golden-path")

from golden_path.data.checks import check, extra
from golden_path.data.contract import read
from golden_path.service.errors import WrongInputError


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """What becomes of one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.odcs.yaml")
        path.write_text(case["contract"], encoding="utf-8")
        try:
            contract = read(path)
        except WrongInputError as error:
            return {"refused": str(error).removeprefix(f"{path}: ")}
    if "columns" in case:
        frame = pd.DataFrame(case["columns"])
    else:
        frame = pd.read_csv(io.StringIO(case["csv"]), dtype=str, keep_default_na=False)
    outcomes = check(frame, contract, dt.datetime.fromisoformat(case["now"]))
    broken = [[one.assertion, one.column, one.said, one.rows] for one in outcomes if not one.success]
    return {"broken": broken, "rules": len(outcomes), "extra": extra(frame, contract)}


print(json.dumps([outcome(case) for case in json.load(sys.stdin)]))  # noqa: T201 - the test reads it
