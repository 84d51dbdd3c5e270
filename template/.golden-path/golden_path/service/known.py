"""What breaks the rules in a repository that was there before them, and is known: it is listed, and does not fail.

usage: known check ZIZMOR...   prints what is found; fails at what policy-known.txt does not list. Without that file
                               nothing fails yet.
       known write ZIZMOR...   writes policy-known.txt, with all that is found now

A line of policy-known.txt is a rule and a file, "GP201 Dockerfile". It is the owner's: remove what is mended.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KNOWN = Path("policy-known.txt")
HEADER = "# What broke the rules when this repository came under them. `make policy` fails at what is not listed here."
_FINDING = re.compile(r"(?P<place>.+?): (?P<rule>[A-Z]{1,2}\d{3}) (?P<message>.*)")
Found = tuple[str, str, str]  # what a line of KNOWN says, the place, the message


def main(what: str, *zizmor: str) -> int:
    """Print what is found, or write it down.

    Args:
        what: ``check`` or ``write``.
        zizmor: the command that checks workflows.

    Returns:
        The exit code: 1 if something new was found, or a check failed.
    """
    found = [*_of_rules(), *_of_workflows(zizmor)]
    listed = sorted({entry for entry, _, _ in found})
    if what == "write":
        KNOWN.write_text("".join(f"{line}\n" for line in (HEADER, *listed)), encoding="utf-8")
        sys.stdout.write(f"  ok    policy: {KNOWN} lists {len(listed)}; commit it\n")
        return 0
    known = set(KNOWN.read_text(encoding="utf-8").splitlines()) if KNOWN.exists() else set(listed)
    for entry, place, message in found:
        sys.stdout.write(f"  {'known' if entry in known else 'FAIL '} {place}: {entry.split(' ')[0]} {message}\n")
    new = [entry for entry in listed if entry not in known]
    return _say(new, listed)


def _say(new: Sequence[str], listed: Sequence[str]) -> int:
    if new:
        sys.stderr.write(f"  FAIL  policy: {len(new)} that {KNOWN} does not list\n")
    elif listed and not KNOWN.exists():
        sys.stdout.write(
            f"  skip  policy: {len(listed)} to mend; `make policy-known` lists them, then only new ones fail\n"
        )
    else:
        sys.stdout.write(f"  ok    policy ({len(listed)} known)\n")
    return 1 if new else 0


def _of_rules() -> list[Found]:
    done = subprocess.run(
        [sys.executable, ".golden-path", "policy", "."], capture_output=True, text=True, check=False
    )  # fmt: skip
    matched = [_FINDING.fullmatch(line) for line in done.stdout.splitlines()]
    if done.returncode not in (0, 1) or (done.returncode == 1 and not any(matched)):
        raise SystemExit(f"policy ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return [
        (f"{one['rule']} {re.sub(r':[0-9]+$', '', one['place'])}", one["place"], one["message"])
        for one in matched if one
    ]  # fmt: skip


def _of_workflows(zizmor: Sequence[str]) -> list[Found]:
    if not any(Path(".github", folder).is_dir() for folder in ("workflows", "actions")):
        sys.stdout.write("  skip  workflows: there are none\n")
        return []
    done = subprocess.run([*zizmor, "--format", "json-v1", ".github"], capture_output=True, text=True, check=False)
    try:
        data = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"zizmor ended with exit code {done.returncode}\n{done.stdout}{done.stderr}") from None
    return [_finding(one) for one in data if not one.get("ignored")]


def _finding(data: dict[str, Any]) -> Found:
    location = next((one for one in data["locations"] if one["symbolic"]["kind"] == "Primary"), data["locations"][0])
    path = str(next(iter(location["symbolic"]["key"].values()))["verbatim_path"]).removeprefix("./")
    row = location["concrete"]["location"]["start_point"]["row"] + 1
    return f"{data['ident']} {path}", f"{path}:{row}", data["desc"]
