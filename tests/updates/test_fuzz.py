"""Random input, some 20 seconds of it, the same each time: no traceback, no write outside, no hang."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from golden_path.errors import FleetError
from golden_path.rollout import fleet_file, judge, ledger, page
from golden_path.rollout.overview import Row
from golden_path.rollout.steps import Seen
from golden_path.source import adoption_rules, changelog, config, pins
from golden_path.source.ownership import Ownership
from golden_path.store import answers
from golden_path.untrusted import credentials, foreign, inside
from tests.labs.template import commit_all, git
from tests.updates import foreign as templates
from tests.updates.commands import golden_path
from tests.updates.test_foreign_text import ACTS, NASTY

SLOWEST = 5  # seconds of one input; what hangs takes for ever, and the machine may be busy
LONGEST = 120  # seconds of one test
WORDS = (
    "a", "b", "name", "_src_path", "_commit", "v1.0.0", "1.0", "~", "null", "yes", ".nan", "-.inf", "0x1F", "1_000",
    "12:30:45", "2026-13-45", "2026-01-01", "9" * 5000, "!!binary aGk=", "!!set {a}", "!!python/name:os.system",
    "!!int 'x'", "!x y", "&a", "*a", "&b [*b]", "{<<: *a}", "[[[[", "? [a]", "%YAML 9.9", "---", "...", "\t",
    "\u2028", "\x00", "\ud800", "\\ud800", '"\\xff"', "'", '"', "|", ">-", "#", "@x", "`", "https://t0ken@h/x",
    "/srv/x", "../x", "\x1b[2J", "é", "\ufeff", "rings", "template", "services", "defaults", "require", "50%",
    "1e999", "ring", "git", "soak", "2h", "99999999d", "data", "environment", "[HOME]",
)  # fmt: skip
NAMES = (
    "a", "b.txt", "Makefile", ".gitattributes", ".gitignore", ".copier-answers.yml", ".copier-answers.x.yml",
    "go.mod", "Dockerfile", "package.json", "pom.xml", "compose.yaml", ".github/workflows/ci.yml", "deploy/x.yaml",
    "-rf", "--help", "a\nb", "a\tb", "é", "x" * 200, "::error::x", "$(touch x)", "a`b", "CHANGELOG.md", "adopt.yml",
    ".env", "dir/a", "dir/../x", "b.rej", "requirements.txt", "*", "[x]", ":(glob)x",
)  # fmt: skip
BLOBS = (
    "", "a: 1\n", "{", "[" * 300, "\x00\x01", "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n", "FROM x\nUSER root\n",
    "on: [push]\njobs: 3\n", "jobs: {a: {steps: [1, {uses: 3}, {uses: a@b, with: []}, null]}}\n",
    "on: {push: null}\njobs: {a: null, 3: []}\n", "* text=auto eol=crlf\n", "* merge=x -diff filter=y\n",
    "module x\n", '{"name": 3, "scripts": []}', "<project><artifactId/></project>", "<!DOCTYPE x>", "services: [1]\n",
    "x: &x [*x]\n", "FROM\nFROM --platform\nCOPY\nENTRYPOINT [\n", "kind: Deployment\nspec: 3\n",
    '{"dependencies": null}', "a==1 --hash\n",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """What hangs fails, and does not hang the tests."""

    def late(*_: object) -> None:
        raise TimeoutError(f"no end after {LONGEST} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def text(rng: random.Random, most: int = 12) -> str:
    """Words, with what stands between them in YAML and in Markdown."""
    between = (" ", "\n", ": ", "\n- ", "\n  ", ", ", "", "{", "}", "[", "]", "\r\n", ":")
    return "".join(rng.choice(WORDS) + rng.choice(between) for _ in range(rng.randrange(most)))


def value(rng: random.Random, depth: int = 3) -> Any:
    """Whatever JSON can say, with words of a ledger."""
    plain = (None, True, 0, -1, 10**30, 0.5, float("nan"), "", "v1", "first", "start", "2026-01-01T00:00:00+00:00",
             "9999-12-31T23:59:59+00:00", "2026-01-01", "x\ny", "\x1b", "\ud800", "é" * 3000)  # fmt: skip
    if depth and rng.random() < 0.3:
        kind = rng.choice((list, dict))
        inner = [value(rng, depth - 1) for _ in range(rng.randrange(4))]
        return inner if kind is list else {str(rng.choice(WORDS)): one for one in inner}
    return rng.choice(plain)


def event(rng: random.Random) -> Any:
    """What could stand on a line of a ledger."""
    if rng.random() < 0.1:
        return value(rng)
    keys = ("at", "event", "version", "ring", "reason", "x")
    kinds = ("start", "ring", "enough", "lack", "stop", "back", "done")
    at = rng.choice(("2026-01-01T00:00:00+00:00",) * 8 + ("2026-01-01", "9999-12-31T23:59:59+00:00"))
    usual = {"at": at, "event": rng.choice(kinds), "version": "v1", "ring": "first"}
    return {key: usual.get(key, "x") if rng.random() < 0.9 else value(rng) for key in keys if rng.random() < 0.9}


def tried(number: int, do: Callable[[random.Random], Any]) -> Iterator[Any]:
    """Yield what a function makes of random input; a FleetError is an answer, anything else a mistake."""
    said: list[str] = []
    for seed in range(number):
        began = time.process_time()
        try:
            yield do(random.Random(seed))
        except FleetError as refused:
            said.append(str(refused))
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        assert time.process_time() - began < SLOWEST, f"seed {seed}"
    assert not [line for line in said if "\n" in line or "t0ken" in line]


def test_answers() -> None:
    def read(rng: random.Random) -> answers.Answers:
        head = "_src_path: /srv/x\n_commit: v1.0.0\n" if rng.random() < 0.8 else ""
        content = (head + text(rng)).encode(errors="surrogatepass")
        broken = bytearray(content)
        if broken and rng.random() < 0.2:
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        return answers.parse("x.yml", bytes(broken))

    good = list(tried(20000, read))
    assert len(good) > 1000
    for one in good:
        json.dumps(one.values, default=str)
        f"{one.values}".encode()


READERS: dict[str, Callable[[str, Path], Any]] = {
    "changelog": lambda said, _: changelog.between("## 1.0.0\n" + said, "0.1", "2.0", {"a": 1}),
    "pins": lambda said, _: pins._load(said),
    "rules": lambda said, _: adoption_rules.load(said),
    "config": lambda said, folder: Ownership(_config(said, folder), {"a": 1}),
}
KEYS = {
    "changelog": ("## 2.0.0", "- [a] x", "## v1"), "pins": ("tools", "go", "1.2"),
    "rules": ("answers", "leave_out", "instead", "next", "file", "match", "get", "value", "!", "(", "**/a",
              "a{99999999999}"),
    "config": ("_skip_if_exists", "_exclude", "_envops", "_migrations", "choices", "type", "when", "default",
               "!include", "{{ 1/0 }}", "{{ a.b.c }}", "/etc/*", "../*", "copier.yml", "!", "block_start_string", "1"),
}  # fmt: skip


def _config(said: str, folder: Path) -> config.Config:
    (folder / "copier.yml").write_bytes(said.encode(errors="surrogatepass"))
    return config.load(folder)


@pytest.mark.parametrize("name", READERS)
def test_what_a_template_says(name: str, tmp_path: Path) -> None:
    """Its changelog, pins.yaml, adopt.yml and copier.yml."""

    def read(rng: random.Random) -> None:
        words = (*KEYS[name] * 5, *WORDS)
        between = (": ", "\n", "\n- ", ", ", ": [", "]", ": {", "}", "\n  ")
        READERS[name]("".join(rng.choice(words) + rng.choice(between) for _ in range(rng.randrange(9))), tmp_path)

    assert len(list(tried(4000, read))) > 400


def test_a_template_that_includes_without_end(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.yml").write_text(f"!include {number + 1}.yml\n---\n!include {number + 1}.yml\n")
    for said in ("!include copier.yml\n", "!include 0.yml\n", "!include /etc/*\n", "1: {a: 2}\n_envops: [1]\n"):
        with pytest.raises(FleetError, match="cannot be read"):
            _config(said, tmp_path)


def test_fleet_files(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    good = "template: /srv/x\nrings: [{name: a}]\nservices: [{name: b, git: /srv/b, ring: a}]\n"

    def read(rng: random.Random) -> fleet_file.Fleet:
        lines = good.splitlines(keepends=True)
        for _ in range(rng.randrange(3)):
            place = rng.randrange(len(lines))
            lines[place] = lines[place].replace(rng.choice(("/srv", "a", "name", "[", "}", ": ")), rng.choice(WORDS), 1)
        if rng.random() < 0.2:
            lines.insert(0, f"defaults: {{{text(rng, 4)}}}\n")
        file.write_bytes("".join(lines).encode(errors="surrogatepass"))
        return fleet_file.load(file)

    loaded = list(tried(5000, read))
    assert len(loaded) > 100
    for one in loaded[:200]:
        page.html(one, [Row(name, "a", name, version=name, problem=name) for name in WORDS], "x")


def test_ledgers(tmp_path: Path) -> None:
    ring = fleet_file.Ring("first", (fleet_file.Member("x", "/srv/x", "first"),), soak=99)
    fleet = fleet_file.Fleet(tmp_path / "fleet.yaml", "/srv/t", (ring,))
    states = ("green", "red", "todo", "back", "declined")

    def read(rng: random.Random) -> Any:
        lines = [json.dumps(event(rng)) if rng.random() < 0.95 else text(rng) for _ in range(rng.randrange(5))]
        rollout = ledger.last(ledger.events("\n".join(lines)))
        return rollout and judge.decide(fleet, rollout, [Seen("x", "first", rng.choice(states))])

    assert len(list(tried(20000, read))) > 2000


def test_texts() -> None:
    def made(rng: random.Random) -> list[str]:
        parts = [rng.choice((*WORDS, *NASTY, "```", "~~~~", "\n", " ", "> ", "- ", "    ", "&#35;", "\\"))
                 for _ in range(rng.randrange(12))]  # fmt: skip
        given = "".join(parts)
        assert "\n" not in foreign.line(given)
        foreign.line(given).encode()
        assert "<" not in foreign.html(given)
        return [foreign.words(given), foreign.prose(given), foreign.code(given), foreign.block(given)]

    for all_of in tried(16000, made):
        for one in all_of:
            one.encode()
            assert not ACTS.search(one), repr(one)
            assert "\x1b" not in one


@pytest.mark.parametrize(
    "unit",
    ["a", "-", "_", "[", "[skip", "fix ", "fix-", "a://b:", "://", "?token", "@", "#", "`", "~", " ", "> ", "BEGIN_a_",
     "1.", "&", "a-b", "\x1b", "\udc80", "<!--", "## 1", "\t- [", "x@", "https://a"],
)  # fmt: skip
def test_long_texts(unit: str) -> None:
    """Nothing takes longer than the text is long."""
    given = unit * (200_000 // len(unit))
    for do in (foreign.line, foreign.words, foreign.prose, foreign.code, foreign.block, foreign.html,
               credentials.masked, credentials.redacted, credentials.reason, FleetError,
               lambda text: changelog.between(f"## {text}\n- {text}", "1", "9", {}),
               lambda text: adoption_rules.load(f"next: |\n  {text}\n")):  # fmt: skip
        began = time.process_time()
        with contextlib.suppress(FleetError):
            do(given)
        assert time.process_time() - began < SLOWEST


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the machine with a file, beside everything else."""
    folder = tmp_path / "machine"
    folder.mkdir()
    (folder / "file").write_text("kept\n")
    return folder


def untouched(outside: Path) -> bool:
    """Whether the folder of the machine is as it was."""
    return [one.name for one in outside.iterdir()] == ["file"] and (outside / "file").read_text() == "kept\n"


def test_folders_with_links(tmp_path: Path, outside: Path) -> None:
    def tree(rng: random.Random) -> None:
        root = tmp_path / "deep/deep/deep" / f"tree-{rng.random()}"  # so that nothing but the test's own is in reach
        root.mkdir(parents=True)
        names = ["a", "b", "c/d", "c/e", "c/f/g", ".git", "link"]
        for name in names:
            place = root / name
            if inside.by_link(root, place.relative_to(root).as_posix()) or place.parent.is_file():
                continue  # the tree itself must not write elsewhere
            place.parent.mkdir(parents=True, exist_ok=True)
            way = rng.randrange(4)
            if way == 0:
                place.symlink_to(
                    rng.choice(
                        (str(outside), str(outside / "file"), "../../../../machine", "a", "c", ".", str(tmp_path), name)
                    )
                )
            elif way == 1:
                place.mkdir()
            elif way == 2:
                place.write_text("x\n")
        for _ in range(12):
            parts = (*"abcdefg", "link", "..", ".", "file", ".git", "machine")
            path = rng.choice(("/", "//", "/./")).join(rng.choice(parts) for _ in range(rng.randrange(1, 4)))
            with contextlib.suppress(OSError):
                rng.choice((
                    lambda path=path: inside.write(root, path, b"written\n"),
                    lambda path=path: inside.remove(root, path),
                    lambda path=path: inside.read(root, path),
                    lambda path=path: inside.linked(root, path),
                ))()  # fmt: skip
            assert untouched(outside)

    assert len(list(tried(1500, tree))) == 1500
    place = tmp_path / "deep"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["deep", "machine", "settings.yml"]
    assert [one.name for one in (*place.iterdir(), *(place / "deep").iterdir())] == ["deep", "deep"]
    assert all(one.name.startswith("tree-") for one in (place / "deep/deep").iterdir())


def test_repositories(tmp_path: Path, outside: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Commits of random names, modes and contents, as no person's git would make them."""
    source = templates.template(tmp_path / "template", [templates.write("a")], [templates.write("b.txt")])
    for seed in range(20):
        rng = random.Random(seed)
        service = tmp_path / f"service-{seed}"
        templates.write(".copier-answers.yml", f"_commit: v1.0.0\n_src_path: {source}\nname: orders\n")(service)
        commit_all(service)
        fresh = "".join(_file(rng, outside) for _ in range(25))
        stream = f"commit refs/heads/main\ncommitter x <x> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\n{fresh}"
        raw = stream.encode(errors="surrogateescape")
        subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=service, input=raw, check=True)
        before = git(service, "rev-parse", "main")
        assert len(git(service, "ls-tree", "-r", "main").splitlines()) > 8
        for command in (["plan", "--diff"], ["plan", "--json"], ["apply"], ["status"], ["doctor", "--fail-on", "none"],
                        ["adopt", "--template", str(source)], ["rollback"]):  # fmt: skip
            began = time.process_time()
            done = golden_path(command[0], service, *command[1:])
            assert "Traceback" not in done.stderr
            assert "unexpected" not in done.stderr, (seed, command, done.stderr)
            assert done.returncode in range(8), (seed, command, done.stderr)
            assert len(done.stderr.splitlines()) <= 2, (seed, command, done.stderr)
            assert time.process_time() - began < 2 * SLOWEST, (seed, command)
            assert git(service, "rev-parse", "main") == before
        assert untouched(outside)
    assert "Traceback" not in capfd.readouterr().err


def _file(rng: random.Random, outside: Path) -> str:
    """A command of git's fast-import that puts a file somewhere."""
    name = "".join(f"\\{byte:03o}" for byte in os.fsencode(rng.choice((*NAMES, "caf\udce9", "dir"))))
    kind = rng.random()
    if kind < 0.06:
        return f'M 160000 {"1" * 40} "{name}"\n'
    mode = "120000" if kind < 0.2 else rng.choice(("100644", "100755"))
    targets = (str(outside), "..", "a", name[:20], "/dev/zero")
    content = rng.choice(targets if mode == "120000" else (*BLOBS, text(rng)))
    raw = content.encode(errors="surrogatepass")
    return f'M {mode} inline "{name}"\ndata {len(raw)}\n{raw.decode(errors="surrogateescape")}\n'
