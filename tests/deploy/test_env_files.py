"""The rule on files of variables, held against Kustomize: it refuses what reaches the service otherwise than meant."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from golden_path.rules import book, every  # noqa: F401 - every has all rules
from golden_path.rules.work_tree import WorkTree
from tests.labs import kustomize

KUSTOMIZATION = """apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
configMapGenerator:
  - name: orders
    envs: [config.env]
"""
A = {"A": "b"}
QUOTES = "the quotes become part of the value of A: write A=value without them, in one line"
COMMENT = "the comment becomes part of the value of A: write it in a line of its own, above"
SPACES = "the value of A has spaces around it, which the service gets, too: remove them"
NAME = "is no NAME=value, Kustomize takes all before the = for the name: write A=value"
NONE = "is no NAME=value; Kustomize knows neither values of several lines nor other comments than those of #"
UNKNOWN = "has no name that a variable can have: write letters, digits and _ before the ="
CONTINUED = "no value goes on in the next line, and the \\ becomes part of that of A: write it in one line"
CONTROL = "the value of A has a control character: remove it"
LONG = "is longer than Kustomize reads, which leaves it and all lines after it out: shorten it"
# What a file holds, what its author means by it, and what is said: the line and why. Nothing is, if Kustomize agrees.
Case = tuple[bytes, dict[str, str], list[tuple[int, str]]]
CASES: dict[str, Case] = {
    "plain": (b"A=b\n", A, []),
    "no line feed at the end": (b"A=b", A, []),
    "CRLF": (b"# x\r\n\r\nA=b\r\nB=c\r\n", {"A": "b", "B": "c"}, []),
    "a byte order mark": (b"\xef\xbb\xbfA=b\n", A, []),
    "indented": (b"  A=b\n\t# c\n   \n", A, []),
    "nothing": (b"A=\n", {"A": ""}, []),
    "other signs in a value": (
        'A=https://x/?a=b&c="d"#e\nB={"f": [1, "g"]}\nC=#fff\nD=a, b ; c\nE=é\\n$F\n'.encode(),
        {"A": 'https://x/?a=b&c="d"#e', "B": '{"f": [1, "g"]}', "C": "#fff", "D": "a, b ; c", "E": "é\\n$F"},
        [],
    ),
    "other names": (b"a.b-c=d\n_=1\nA2=3\n", {"a.b-c": "d", "_": "1", "A2": "3"}, []),
    "as long as can be": (b"A=" + b"x" * 65_533 + b"\nB=c\n", {"A": "x" * 65_533, "B": "c"}, []),
    "double quotes": (b'B=c\nA="b"\n', {"A": "b", "B": "c"}, [(2, QUOTES)]),
    "single quotes": (b"A='b'\n", A, [(1, QUOTES)]),
    "quotes of nothing": (b'A=""\n', {"A": ""}, [(1, QUOTES)]),
    "quotes and a comment": (b'A="b" # c\n', A, [(1, QUOTES)]),
    "several lines": (b'A="b\nc"\n', {"A": "b\nc"}, [(1, QUOTES), (2, NONE)]),
    "a comment": (b"A=b # c\n", A, [(1, COMMENT)]),
    "a comment after a tab": (b"A=b\t#c\n", A, [(1, COMMENT)]),
    "a comment and nothing": (b"A= # c\n", {"A": ""}, [(1, SPACES)]),
    "spaces": (b"A = b\n", A, [(1, NAME)]),
    "a space before": (b"A =b\n", A, [(1, NAME)]),
    "a space after": (b"A= b\n", A, [(1, SPACES)]),
    "a space at the end": (b"A=b \n", A, [(1, SPACES)]),
    "a hard space at the end": ("A=b\u00a0\n".encode(), A, [(1, SPACES)]),
    "export": (b"export A=b\n", A, [(1, NAME)]),
    "set": (b"set A=b\n", A, [(1, NAME)]),
    "YAML": (b"A: b\n", A, [(1, NONE)]),
    "another comment": (b"; c\nA=b\n", A, [(1, NONE)]),
    "no =": (b"A\n", {}, [(1, "A has no =, and is set to nothing: write A= or A=value")]),
    "no name": (b"=b\nB=c\n", {"": "b", "B": "c"}, [(1, UNKNOWN)]),
    "twice": (b"A=a\n\nA=b\n", A, [(3, "A is set in line 1 already: keep one of the two")]),
    "twice the same": (b"A=b\nA=b\n", A, [(2, "A is set in line 1 already: keep one of the two")]),
    "goes on": (b"A=b\\\nc=d\n", {"A": "bc=d"}, [(1, CONTINUED)]),
    "a later byte order mark": ("A=b\n\ufeffB=c\n".encode(), {"A": "b", "B": "c"}, [(2, UNKNOWN)]),
    "Latin 1": (b"A=caf\xe9\n", {"A": "café"}, [(1, "is not UTF-8: save the file as UTF-8")]),
    "line ends of old": (b"A=b\rB=c\n", {"A": "b", "B": "c"}, [(1, CONTROL)]),
    "too long": (b"A=" + b"x" * 65_534 + b"\nB=c\n", {"A": "x" * 65_534, "B": "c"}, [(1, LONG)]),
}  # fmt: skip
# Names and values that Kustomize passes on as they are, and no pod takes.
REFUSED = {
    b"A/B=c\n": UNKNOWN,
    b"A B=c\n": UNKNOWN,
    b"1A=c\n": UNKNOWN,
    b"A=b\0c\n": CONTROL,
}


def said(folder: Path, content: bytes, name: str = "config.env") -> list[tuple[int, str]]:
    """Return what the rule says of a file, by line."""
    (folder / name).write_bytes(content)
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    found = [one.found for one in book.findings(WorkTree(folder), service=False) if one.rule.identifier == "GP407"]
    assert {one.path for one in found} <= {name}
    return [(one.line, one.message) for one in found]


def made(folder: Path) -> dict[str, str] | None:
    """Return the variables that Kustomize makes of a folder; None if it refuses the file."""
    env = {**os.environ, "PATH": kustomize.on(os.environ.get("PATH", os.defpath))}
    program = ["kustomize", "build"] if shutil.which("kustomize", path=env["PATH"]) else ["kubectl", "kustomize"]
    done = subprocess.run([*program, folder], env=env, capture_output=True, check=False, timeout=60)
    data = yaml.load(done.stdout, yaml.CSafeLoader) or {}
    return data.get("data", {}) if done.returncode == 0 else None


@pytest.mark.parametrize("name", CASES)
def test_refused_is_what_is_not_what_was_meant(name: str, tmp_path: Path) -> None:
    content, meant, wanted = CASES[name]
    assert said(tmp_path, content) == wanted
    assert (made(tmp_path) == meant) == (not wanted)


@pytest.mark.parametrize("content", REFUSED)
def test_what_no_pod_takes(content: bytes, tmp_path: Path) -> None:
    assert said(tmp_path, content) == [(1, REFUSED[content])]


def test_no_value_is_shown(tmp_path: Path) -> None:
    """It may be a secret."""
    lines = [
        b'A="hunter2"',
        b"B=hunter2 # x",
        b"C= hunter2",
        b"export D=hunter2",
        b"E F=hunter2",
        b"=hunter2",
        b"hunter2 x",
    ]
    found = said(tmp_path, b"\n".join(lines))
    assert len(found) == len(lines)
    assert "hunter2" not in str(found)


def test_which_files_are_read(tmp_path: Path) -> None:
    """Those that a generator names, from whichever folder; not each file of that name."""
    for name in ("deploy/base/a.env", "deploy/overlays/b.env", "deploy/overlays/c.env", "config.env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b'A="b"\n')
    (tmp_path / "deploy/overlays/kustomization.yaml").write_text(
        "configMapGenerator: [{envs: [../base/a.env, ../none.env]}, {env: b.env}, {envs: 5}, 5]\nsecretGenerator: 5\n"
    )
    found = [one for one in book.findings(WorkTree(tmp_path), service=False) if one.rule.identifier == "GP407"]
    assert [one.place for one in found] == ["deploy/base/a.env:1", "deploy/overlays/b.env:1"]
