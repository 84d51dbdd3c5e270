"""Jobs that end as a test wants, without running.

act runs a job to success or failure, or skips it; it cannot cancel one. A job that is to be cancelled is skipped, and
whatever the other jobs read of its result says ``cancelled``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tests.labs.errors import LabError
from tests.labs.workflows.references import child, compose

Ending = Literal["success", "failure", "skipped", "cancelled"]


@dataclass(frozen=True)
class Ended:
    """How a job ends.

    Attributes:
        result: its result.
        outputs: its outputs.
    """

    result: Ending
    outputs: Mapping[str, str] = field(default_factory=dict)


def apply(file: Path, ended: Mapping[str, Ended]) -> dict[str, str]:
    """Rewrite a workflow so that jobs end as wanted.

    Args:
        file: the workflow, in a copy of the repository.
        ended: how, by the job's id.

    Returns:
        Variables (``vars``) that the rewritten workflow reads.

    Raises:
        LabError: it has no such job, or there is no such result.
    """
    jobs = child(compose(file), "jobs")
    nodes = {key.value: value for key, value in jobs.value} if isinstance(jobs, yaml.MappingNode) else {}
    for name, end in ended.items():
        if name not in nodes:
            raise LabError(f"{file.name} has no job {name}: it has {', '.join(nodes)}")
        if end.result not in get_args(Ending):
            raise LabError(f"a job cannot end with {end.result!r}: only with {', '.join(get_args(Ending))}")
    text = file.read_text(encoding="utf-8")
    cancelled = {name for name, end in ended.items() if end.result == "cancelled"}
    variables = {"LAB_CANCELLED": "cancelled"}
    # From the last to the first, so that the places of the others stay right.
    for number, (name, node) in reversed(list(enumerate(nodes.items()))):
        start, end = node.start_mark.index, node.end_mark.index
        if name in ended:
            block = f"{json.dumps(_job(ended[name], _needs(node)))}\n"
            if end < len(text):
                block += " " * node.end_mark.column
            start, end = node.start_mark.index, node.end_mark.index
        else:
            block = _read(text[start:end], number, _needs(node), cancelled, variables)
        text = text[:start] + block + text[end:]
    file.write_text(text, encoding="utf-8")
    return variables


def _needs(job: yaml.Node) -> list[str]:
    needs = child(job, "needs")
    if isinstance(needs, yaml.ScalarNode):
        return [needs.value]
    return [need.value for need in needs.value] if isinstance(needs, yaml.SequenceNode) else []


def _job(end: Ended, needs: list[str]) -> dict[str, Any]:
    runs = end.result in ("success", "failure")
    return {
        **({"needs": needs} if needs else {}),
        "if": "always()" if runs else "false",
        "runs-on": "ubuntu-24.04",
        **({"outputs": dict(end.outputs)} if end.outputs else {}),
        "steps": [{"name": f"end with {end.result}", "run": "exit 1" if end.result == "failure" else "true"}],
    }


def _read(text: str, number: int, needs: list[str], cancelled: set[str], variables: dict[str, str]) -> str:
    """Let a job read ``cancelled``; no quotes are put in, they could end those around the expression."""
    if not cancelled & set(needs):
        return text
    for name in cancelled:
        text = re.sub(rf"\bneeds\.{re.escape(name)}\.result\b", "vars.LAB_CANCELLED", text)
    others = [name for name in needs if name not in cancelled]
    place = {name: f"{{{index}}}" for index, name in enumerate(others)}
    gone = json.dumps({"result": "cancelled", "outputs": {}}).replace("{", "{{").replace("}", "}}")
    results = ",".join(f'"{place.get(name, "cancelled")}"' for name in needs)
    whole = ",".join(f"{json.dumps(name)}:{place.get(name, gone)}" for name in needs)
    variables[f"LAB_RESULTS_{number}"] = f"[{results}]"
    variables[f"LAB_NEEDS_{number}"] = f"{{{{{whole}}}}}"
    arguments = "".join(f", needs.{name}.result" for name in others)
    text = re.sub(r"\bneeds\.\*\.result\b", f"fromJSON(format(vars.LAB_RESULTS_{number}{arguments}))", text)
    arguments = "".join(f", toJSON(needs.{name})" for name in others)
    return re.sub(r"\btoJSON\(\s*needs\s*\)", f"format(vars.LAB_NEEDS_{number}{arguments})", text, flags=re.IGNORECASE)
