"""A service that is broken, or made to hurt, is a row with a reason; the others of the fleet go on."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from golden_path import unexpected
from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.rollout import overview
from golden_path.rules import bounded
from tests.labs.template import commit_all, git
from tests.updates import fleets, foreign
from tests.updates.commands import golden_path
from tests.updates.fleets import BRANCH, LEDGER, Fleet

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
DEEP = "".join(f"k{number}: &k{number} [{f'*k{number - 1}' if number else 1}]\n" for number in range(300))


def answers(extra: str) -> Callable[[Path], None]:
    """Add to the answers file."""
    return foreign.append(foreign.ANSWERS, extra)


def folder(name: str) -> Callable[[Path], None]:
    """Make a folder of a file."""

    def step(service: Path) -> None:
        (service / name).unlink(missing_ok=True)
        foreign.write(f"{name}/x", "x\n")(service)

    return step


def submodule(name: str) -> Callable[[Path], None]:
    """Make a submodule of a file."""

    def step(service: Path) -> None:
        (service / name).unlink(missing_ok=True)
        commit_all(service)
        head = git(service, "rev-parse", "HEAD")
        git(service, "update-index", "--add", "--cacheinfo", f"160000,{head},{name}")
        (service / name).mkdir()

    return step


def undecodable(service: Path) -> None:
    """A file whose name is no UTF-8."""
    (service / b"caf\xe9".decode(errors="surrogateescape")).write_text("x\n")


# What is wrong with a service, and the reason in its row; nothing where it can be planned.
HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "cyclic": (answers("x: &x [*x]\n"), "the anchor 'x' stands for itself"),
    "doubling": (answers(BOMB), "has more than 100000 values"),
    "deep": (answers("x: " + "[" * 500 + "]" * 500 + "\n"), "values within each other"),
    "deep-by-aliases": (answers(DEEP), "values within each other"),
    "digits": (answers(f"x: {'9' * 6000}\n"), "has a number of 6000 digits"),
    "hex": (answers(f"x: 0x{'f' * 6000}\n"), "has a number of 6002 digits"),
    "said": (answers(f'x: !!int "{"9" * 6000}"\n'), "has a number of 6000 digits"),
    "keyed": (answers("? [a, b]\n: c\n"), "is not valid YAML"),
    "keyed-by-a-date": (answers("x: {2026-01-01: 1}\n"), "a key that is no text in x"),
    "binary": (answers("x: !!binary aGVsbG8=\n"), "a value of a kind that no answer has in x"),
    "nul": (answers('x: "a\\0b"\n'), "a text that is no text in x"),
    "month-13": (answers("x: 2026-13-01\n"), "has a value that cannot be read"),
    "large": (answers("x: " + "y" * (2 << 20) + "\n"), "bytes, and may have 1048576"),
    "no-mapping": (foreign.write(foreign.ANSWERS, "- a\n"), "has no _src_path and _commit"),
    "no-text": (foreign.write(foreign.ANSWERS, b"\xff\xfe\x00"), "is not valid YAML"),
    "token": (
        foreign.write(foreign.ANSWERS, "_commit: v1.0.0\n_src_path: https://gh0st-t0ken@example.invalid/x.git\n"),
        "_src_path in .copier-answers.yml must not have a password, a token or a user",
    ),
    "folder": (folder(foreign.ANSWERS), ".copier-answers.yml is a folder"),
    "link": (foreign.link(foreign.ANSWERS, "a.txt"), ".copier-answers.yml is a link"),
    "submodule": (submodule(foreign.ANSWERS), ".copier-answers.yml is a submodule"),
    "attributes-folder": (folder(".gitattributes"), ".gitattributes is a folder"),
    "attributes-link": (foreign.link(".gitattributes", "/dev/zero"), ".gitattributes is a link"),
    "undecodable": (undecodable, ""),
}  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path, renderer: Renderer) -> Fleet:
    """A fleet with a service of each kind, after a plain one and before another."""
    made = fleets.make(tmp_path, renderer, {"all": len(HOSTILE) + 2})
    names = ["first", *HOSTILE, "last"]
    moved = [path.rename(path.with_name(f"{name}.git")) for path, name in zip(made.rings["all"], names, strict=True)]
    for name, path in zip(names, moved, strict=True):
        if name in HOSTILE:
            git(tmp_path, "clone", "--quiet", str(path), f"work-{name}")
            HOSTILE[name][0](tmp_path / f"work-{name}")
            commit_all(tmp_path / f"work-{name}", "Hostile")
            git(tmp_path / f"work-{name}", "push", "--quiet", "origin", "HEAD:main")
    made = Fleet(made.folder, made.template, {"all": moved})
    made.write()
    return made


def check(rows: list[dict[str, str]], stderr: str) -> None:
    """Each has its reason, and only those that must have one."""
    assert [one["name"] for one in rows] == ["first", *HOSTILE, "last"]
    for one in rows:
        reason = HOSTILE.get(one["name"], (None, ""))[1]
        assert (reason in one["problem"]) if reason else one["problem"] == "", one
        assert len(one["problem"]) < 2100
        assert one["problem"].isprintable()
    assert len(stderr.splitlines()) == sum(bool(reason) for _, reason in HOSTILE.values())
    assert "Traceback" not in stderr
    assert "unexpected" not in stderr
    assert "gh0st-t0ken" not in stderr + json.dumps(rows)


def test_each_service_ends_in_a_row(fleet: Fleet) -> None:
    """In plan, status, advance and fleet status; in bounded time and memory."""
    began, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for command in (("plan", "--fleet"), ("status", "--fleet")):
        done = golden_path(*command, fleet.file, "--json")
        check(json.loads(done.stdout), done.stderr)
    for verb in ("advance", "status"):
        done = fleet.run(verb, "--json")
        check(json.loads(done.stdout)["services"], done.stderr)
    for name in ("first", "undecodable", "last"):
        assert BRANCH in fleets.branches(fleet.file.parent.parent / "services" / f"{name}.git")
    assert time.monotonic() - began < 240
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 300 << 10


def test_one_repository_at_a_time(fleet: Fleet, tmp_path: Path) -> None:
    """The commands on one: a line, a code, no traceback."""
    for name, (_, reason) in HOSTILE.items():
        service = tmp_path / f"work-{name}"
        for command in (["plan"], ["status"], ["apply"], ["rollback"], ["doctor", "--only", "GP002"],
                        ["adopt", "--template", str(fleet.template)]):  # fmt: skip
            done = golden_path(command[0], service, *command[1:])
            assert done.returncode in (range(8) if reason else (0, 3, 4, 6)), (name, command, done.stderr)
            assert len(done.stderr.splitlines()) <= 1, (name, command, done.stderr)
            assert "unexpected" not in done.stderr, (name, command, done.stderr)
            assert "gh0st-t0ken" not in done.stdout + done.stderr


def test_what_nobody_expected_is_a_row_too(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in one service; the details are in one file that nobody else can read."""
    original = overview._planned.__globals__["plan"].target

    def target(template: object, current: str, wanted: str) -> str:
        if not wanted:
            raise ZeroDivisionError("https://me:s3cret-pass@example.com/")
        return str(original(template, current, wanted))

    monkeypatch.setattr("golden_path.upgrade.plan.target", target)
    monkeypatch.setattr(unexpected, "_file", [])
    done = golden_path("plan", "--fleet", fleet.file, "--json")
    row = json.loads(done.stdout)[0]
    found = row["problem"]
    assert found.startswith("unexpected ZeroDivisionError in test_hostile_services.py:")
    file = Path(found.rsplit(" ", 1)[1])
    try:
        assert file.stat().st_mode & 0o077 == 0
        assert "Traceback" in file.read_text()
        assert "s3cret-pass" not in file.read_text()
        assert row["code"] == 1
        assert {one["problem"].rsplit(" ", 1)[1] for one in json.loads(done.stdout)
                if one["problem"].startswith("unexpected")} == {str(file)}  # fmt: skip
        service = fleet.file.parent.parent / "work-undecodable"
        done = golden_path("plan", service)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert str(file) in done.stderr
        done = golden_path("status", service, fleet.file.parent.parent / "work-folder")
        assert len(done.stderr.splitlines()) == 2
    finally:
        file.unlink()


def test_known_errors_keep_their_words_and_codes(tmp_path: Path) -> None:
    assert unexpected.told(FleetError("a\nb", Exit.BUSY)) == ("a b", Exit.BUSY)
    with pytest.raises(OSError, match="No such") as missing:
        (tmp_path / "x").read_text()
    assert unexpected.told(missing.value) == (f"No such file or directory: {tmp_path / 'x'}", Exit.FAILED)


@pytest.mark.parametrize(
    "good",
    ["a: 1\n", "x: &x [1, 2]\ny: *x\nz: *x\n", f"x: {'a1' * 500}\n", f'x: "{"9" * 200}"\n', "x: 3.5\ny: 1_000\n"],
)
def test_what_people_write_is_read(good: str) -> None:
    assert bounded.load(good) == yaml.safe_load(good)


EVENT = '{"at": "2026-01-01T00:00:00+00:00", "event": "start", "version": "v2.0.0"}'
MENDED = {
    "[]": "line 1 is no event",
    "7": "line 1 is no event",
    '{"event": "start", "version": "v2.0.0"}': "at must be a time with its zone",
    EVENT.replace("+00:00", ""): "at must be a time with its zone",
    EVENT.replace('"2026-01-01T00:00:00+00:00"', "12"): "at must be a text on one line",
    EVENT.replace('"v2.0.0"', "[1]"): "version must be a text on one line",
    EVENT.replace('"v2.0.0"', '"a\\nRollout: b"'): "version must be a text on one line",
    EVENT.replace('"start"', "{}"): "event must be a text on one line",
    EVENT.replace(', "version": "v2.0.0"', ""): "start needs version",
    EVENT.replace("2026-01-01", "9999-12-31"): "at must be a time with its zone",
    EVENT + '\n{"at": "2026-01-01T00:00:00+00:00", "event": "ring", "ring": null}': "ring must be a text on one line",
    EVENT + '\n{"at": "2026-01-01T00:00:00+00:00", "event": "stop", "reason": 5}': "reason must be a text on one line",
    "[" * 100000: "the ledger is damaged",
    EVENT + "\n\n" + EVENT: "the ledger is damaged",
    f'{{"at": {"9" * 6000}}}': "the ledger is damaged",
}


def test_a_ledger_that_was_mended_by_hand(fleet: Fleet) -> None:
    """Each mistake is one line, whoever reads the ledger."""
    for text, reason in MENDED.items():
        (fleet.folder / ".ledger").write_text(text)
        blob = git(fleet.folder, "hash-object", "-w", ".ledger")
        tree = _mktree(fleet.folder, f"100644 blob {blob}\tledger.jsonl\n")
        git(fleet.folder, "update-ref", f"refs/heads/{LEDGER}", git(fleet.folder, "commit-tree", tree, "-m", "x"))
        for verb in ("status", "judge", "advance"):
            done = fleet.run(verb)
            assert (done.returncode, len(done.stderr.splitlines())) == (10, 1), (text[:80], done.stderr)
            assert reason in done.stderr, (text[:80], done.stderr)


def _mktree(repository: Path, listed: str) -> str:
    done = subprocess.run(["git", "mktree"], cwd=repository, input=listed, text=True, capture_output=True, check=True)
    return done.stdout.strip()
