"""Contracts and data: good, bad in one way each, and contracts that are refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NOW = "2026-06-02T12:00:00+00:00"
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "orders",
    "version": "1.0.0",
    "status": "active",
    "slaProperties": [
        {"property": "freshness", "value": 2, "unit": "d", "element": "orders.at"},
        {"property": "retention", "value": 7, "unit": "y"},
    ],
    "schema": [
        {
            "name": "orders",
            "logicalType": "object",
            "quality": [
                {"metric": "rowCount", "mustBeGreaterOrEqualTo": 2},
                {"metric": "duplicateValues", "arguments": {"properties": ["code", "amount"]}, "mustBe": 0},
            ],
            "properties": [
                {"name": "id", "logicalType": "integer", "primaryKey": True, "logicalTypeOptions": {"minimum": 1}},
                {
                    "name": "amount",
                    "physicalName": "the amount",
                    "logicalType": "number",
                    "required": True,
                    "logicalTypeOptions": {"minimum": 1, "exclusiveMaximum": 100},
                },
                {
                    "name": "code",
                    "logicalType": "string",
                    "logicalTypeOptions": {"pattern": "^[A-Z]", "maxLength": 3},
                    "quality": [
                        {"type": "text", "description": "The shorter the better"},
                        {"metric": "missingValues", "arguments": {"missingValues": ["NA"]}, "unit": "percent",
                         "mustBeLessThan": 50},
                    ],
                },
                {"name": "state", "logicalType": "string", "enum": [{"value": "open"}, {"value": "done"}]},
                {"name": "paid", "logicalType": "boolean"},
                {"name": "day", "logicalType": "date", "logicalTypeOptions": {"minimum": "2026-01-01"}},
                {"name": "at", "logicalType": "timestamp", "required": True},
            ],
        }
    ],
}  # fmt: skip
HEAD = "id,the amount,code,state,paid,day,at"
ROWS = (
    "1,1,A,open,true,2026-01-01,2026-06-01T10:00:00Z",
    "2,99.9,BCD,done,false,2026-05-30,2026-06-01 12:00:00",
    "3,1e1,C,,,,2026-05-01T00:00:00+02:00",
)
TYPED: dict[str, list[Any]] = {
    "id": [1, 2, 3],
    "the amount": [1.0, 99.9, 10],
    "code": ["A", "BCD", "C"],
    "state": ["open", "done", None],
    "paid": [True, False, None],
    "day": ["2026-01-01", "2026-05-30", None],
    "at": ["2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z", "2026-05-01T00:00:00Z"],
}
AGAIN = "the same as an earlier one"


@dataclass
class Case:
    """A contract, data, and what becomes of them."""

    data: dict[str, Any]
    broken: tuple[tuple[str, str, str, int], ...] = ()
    refused: str = ""
    contract: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(CONTRACT))


def csv(*rows: str, head: str = HEAD) -> dict[str, Any]:
    return {"csv": "\n".join([head, *rows]) + "\n"}


def cell(column: str, value: str, row: int = 1) -> dict[str, Any]:
    """The good rows with one other value, in CSV."""
    parts = ROWS[row].split(",")
    parts[HEAD.split(",").index(column)] = value
    return csv(*ROWS[:row], ",".join(parts), *ROWS[row + 1 :])


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The contract with a change."""
    made = copy.deepcopy(CONTRACT)
    change(made)
    return made


def of(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A property of a contract."""
    return lambda contract: next(one for one in contract["schema"][0]["properties"] if one["name"] == name)


def one(
    assertion: str, column: str, what: str, row: int = 2, *, rows: int = 1
) -> tuple[tuple[str, str, str, int], ...]:
    """One rule that is broken, by some rows of three."""
    said = f"{rows} of 3 rows {'are' if rows > 1 else 'is'} {what}, the first is row {row}"
    return ((assertion, column, said, rows),)


GOOD = {
    "text": Case(csv(*ROWS)),
    "values": Case({"columns": TYPED}),
    "another order of columns": Case({"columns": dict(reversed(TYPED.items()))}),
    "a column more": Case({"columns": TYPED | {"colour": ["red"] * 3}}),
    "integers that pandas made floats of": Case({"columns": TYPED | {"id": [1.0, 2.0, 3.0]}}),
    "no value that is optional": Case({"columns": TYPED | {"code": ["A", None, "C"], "paid": [None] * 3}}),
    "a third is missing, and half may be": Case(cell("code", "NA")),
}
BAD = {
    "a fraction in a column of integers": Case(cell("id", "3.7"), one("type", "id", "not an integer")),
    "a fraction, as a float": Case({"columns": TYPED | {"id": [1, 3.7, 3]}}, one("type", "id", "not an integer")),
    "1.0 as text": Case(cell("id", "1.0"), one("type", "id", "not an integer")),
    "words in a column of numbers": Case(cell("the amount", "many"), one("type", "the amount", "not a number")),
    "a decimal comma": Case(cell("the amount", '"9,5"'), one("type", "the amount", "not a number")),
    "not a number, as text": Case(cell("the amount", "nan"), one("type", "the amount", "not a number")),
    "infinity": Case({"columns": TYPED | {"the amount": [1, 1e999, 3]}}, one("type", "the amount", "not a number")),
    "truth in a column of numbers": Case(
        {"columns": TYPED | {"the amount": [5, True, 7.5]}}, one("type", "the amount", "not a number")
    ),
    "numbers in a column of text": Case(
        {"columns": TYPED | {"code": ["A", 7, "C"]}}, one("type", "code", "not a string")
    ),
    "neither true nor false": Case(cell("paid", "1"), one("type", "paid", "not a boolean")),
    "a month too many": Case(cell("day", "2026-13-01"), one("type", "day", "not a date")),
    "a date of another country": Case(cell("at", "01.06.2026 12:00"), one("type", "at", "not a timestamp")),
    "nothing where something must be": Case(cell("the amount", ""), one("not_null", "the amount", "missing")),
    "null": Case({"columns": TYPED | {"the amount": [1, None, None]}},
                 one("not_null", "the amount", "missing", rows=2)),
    "no key": Case(cell("id", ""), one("not_null", "id", "missing")),
    "just below": Case(cell("the amount", "0.6"), one("range", "the amount", "not at least 1")),
    "an end that is excluded": Case(cell("the amount", "100"), one("range", "the amount", "not below 100")),
    "a day too early": Case(cell("day", "2025-12-31"), one("range", "day", "not at least 2026-01-01")),
    "a key twice": Case(cell("id", "1"), one("unique", "id", AGAIN)),
    "rows that are alike": Case(
        csv(ROWS[0], ROWS[0].replace("1,", "2,", 1), ROWS[2]),
        (("duplicateValues", "", f"1 of 3 rows is {AGAIN} in code, amount, the first is row 2: must be 0", 1),),
    ),
    "too long": Case(cell("code", "ABCD"), one("length", "code", "longer than 3")),
    "another pattern": Case(cell("code", "bc"), one("pattern", "code", "not like ^[A-Z]")),
    "none of the values": Case(cell("state", "lost"), one("accepted_values", "state", "none of the values in enum")),
    "more than may be missing": Case(
        {"columns": TYPED | {"code": ["A", "NA", None]}},
        (
            (
                "missingValues", "code",
                "2 of 3 rows are missing, or as good as, the first is row 2: must be less than 50 %", 2,
            ),
        ),
    ),
    "none of the valid values": Case(
        csv(*ROWS),
        (("invalidValues", "code", "1 of 3 rows is none of the valid values, the first is row 2: must be 0", 1),),
        contract=changed(lambda it: of("code")(it)["quality"].append(
            {"metric": "invalidValues", "arguments": {"validValues": ["A", "C"]}, "mustBe": 0})),
    ),
    "a missing column": Case(
        {"columns": {name: values for name, values in TYPED.items() if name != "paid"}},
        (("column", "paid", "is missing", 0),),
    ),
    "a renamed column": Case(
        csv(*ROWS, head=HEAD.replace("the amount", "amount")),
        (("column", "the amount", "is missing; was it renamed to 'amount'?", 0),),
    ),
    "too few rows": Case(csv(ROWS[0]), (("rowCount", "", "there are 1 rows: must be at least 2", 0),)),
    "no rows": Case(csv(), (
        ("row_count", "", "there are no rows", 0),
        ("rowCount", "", "there are 0 rows: must be at least 2", 0),
        ("freshness", "at", "has no value that says how old the data are", 0),
    )),
    "too old": Case(
        {"columns": TYPED | {"at": ["2026-05-31T00:00:00Z", "2026-05-30T00:00:00Z", "2026-05-01T00:00:00Z"]}},
        (("freshness", "at", "is 2.5 days old in the newest row, and may be 2", 0),),
    ),
}  # fmt: skip
REFUSED = {
    "a key that is misspelt": Case(
        csv(*ROWS), refused="unexpected", contract=changed(lambda it: of("id")(it).update(requird=True))
    ),
    "no version": Case(csv(*ROWS), refused="'version' is a required", contract=changed(lambda it: it.pop("version"))),
    "an option of another type": Case(
        csv(*ROWS), refused="schema/0/properties/1/logicalTypeOptions",
        contract=changed(lambda it: of("amount")(it)["logicalTypeOptions"].update(pattern="1")),
    ),
    "an option that is not checked": Case(
        csv(*ROWS), refused="amount: multipleOf is not checked here",
        contract=changed(lambda it: of("amount")(it)["logicalTypeOptions"].update(multipleOf=2)),
    ),
    "a rule in SQL": Case(
        csv(*ROWS), refused="quality of orders: type sql is not checked here",
        contract=changed(lambda it: it["schema"][0]["quality"].append(
            {"type": "sql", "query": "SELECT 1", "mustBe": 1})),
    ),
    "a rule without its values": Case(
        csv(*ROWS), refused="quality of code: invalidValues needs arguments with validValues",
        contract=changed(lambda it: of("code")(it)["quality"].append({"metric": "invalidValues", "mustBe": 0})),
    ),
    "a rule on a column that is not there": Case(
        csv(*ROWS), refused="there is no property colour",
        contract=changed(lambda it: it["schema"][0]["quality"][1]["arguments"].update(properties=["colour"])),
    ),
    "a type that no table has": Case(
        csv(*ROWS), refused="paid needs a name and a logicalType",
        contract=changed(lambda it: of("paid")(it).update(logicalType="array")),
    ),
    "no pattern": Case(
        csv(*ROWS), refused="code: '(' is no pattern",
        contract=changed(lambda it: of("code")(it)["logicalTypeOptions"].update(pattern="(")),
    ),
    "a name twice": Case(
        csv(*ROWS), refused="id is there twice", contract=changed(lambda it: of("paid")(it).update(name="id"))
    ),
    "an age of nothing": Case(
        csv(*ROWS), refused="freshness needs an element",
        contract=changed(lambda it: it["slaProperties"][0].pop("element")),
    ),
    "an age in no unit": Case(
        csv(*ROWS), refused="freshness needs a value above 0 and a unit",
        contract=changed(lambda it: it["slaProperties"][0].update(unit="moons")),
    ),
    "two tables": Case(
        csv(*ROWS), refused="schema must have one object",
        contract=changed(lambda it: it["schema"].append({"name": "more", "logicalType": "object"})),
    ),
}  # fmt: skip
ALL = {**GOOD, **BAD, **REFUSED}
