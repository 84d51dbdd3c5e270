"""What programs of others see of the caller's environment, and what of it reaches a repository."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from golden_path.rendering import surroundings
from golden_path.rendering.render import Renderer
from golden_path.untrusted import credentials
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates import fleets, foreign
from tests.updates.commands import as_process, command, environment, golden_path, runs
from tests.updates.fleets import BRANCH, Fleet
from tests.updates.foreign import NEW

SECRET = "s3cret/value+of_a=token"
SHOWN = "env; echo; ls -A ~; cat ~/.netrc; git config --global --list; true"
COMMAND = "echo VARIABLES; env | sort; ls -A ~; git config --list; true"
TASK = f"_tasks: ['({COMMAND}) > seen.txt']\n"
MIGRATION = f"_migrations: [{{version: v2.0.0, command: '{COMMAND}'}}]\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home with a key file, and variables with secrets."""
    folder = tmp_path / "home"
    foreign.write(".netrc", f"machine x password {SECRET}\n")(folder)
    foreign.write(".gitconfig", "[user]\n\tname = A person of the machine\n\temail = person@example.com\n"
                  f'[url "https://me:{SECRET}@host.invalid/"]\n\tinsteadOf = https://host.invalid/\n'
                  "[credential]\n\thelper = store --file=/elsewhere\n")(folder)  # fmt: skip
    monkeypatch.setenv("HOME", str(folder))
    for name in ("GH_TOKEN", "NPM_TOKEN", "DEPLOYMENT_URL", "MY_TOOL"):
        monkeypatch.setenv(name, SECRET if "TOKEN" in name else f"value-of-{name.lower()}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{quote(SECRET)}@proxy.invalid:3128")
    return folder


def checked(fleet: Fleet, check: str, more: str = "") -> str:
    """What the check of the first service left in its repository."""
    fleet.write()
    text = fleet.file.read_text().replace(", ring: all}", f', ring: all, check: "{check}"{more}}}', 1)
    fleet.file.write_text(text)
    commit_all(fleet.folder)
    done = fleet.run("advance")
    assert done.returncode == 0, done.stderr
    [service, *_] = fleet.services
    return git(service, "cat-file", "blob", f"refs/golden-path/checks/{git(service, 'rev-parse', BRANCH)}")


@pytest.fixture
def fleet(tmp_path: Path, renderer: Renderer) -> Fleet:
    return fleets.make(tmp_path, renderer, {"all": 1})


@pytest.mark.usefixtures("home")
def test_a_check_sees_what_it_needs_and_an_empty_home(fleet: Fleet) -> None:
    said = checked(fleet, SHOWN)
    assert "PATH=" in said
    assert "CI=" in said
    for word in (SECRET, "GH_TOKEN", "NPM_TOKEN", "DEPLOYMENT_URL", "MY_TOOL", ".netrc\n", "A person", "proxy.invalid"):
        assert word not in said, said
    assert f"HOME={Path.home()}\n" not in said


@pytest.mark.usefixtures("home")
def test_a_check_sees_what_the_fleet_file_names(fleet: Fleet) -> None:
    said = checked(fleet, "env", ", environment: [MY_TOOL, NPM_TOKEN, MISSING]")
    assert "MY_TOOL=value-of-my_tool" in said
    assert "NPM_TOKEN=***" in said
    assert SECRET not in said
    assert "GH_TOKEN" not in said


def test_what_a_check_found_elsewhere_is_not_pushed(fleet: Fleet, home: Path) -> None:
    """As it is, in base64 and percent-encoded; it is no sandbox, so the file can be read."""
    script = f"cat {home}/.netrc; base64 -w0 {home}/secret; echo; cat {home}/quoted; echo harmless"
    (home / "secret").write_text(SECRET)
    (home / "quoted").write_text(quote(SECRET, safe=""))
    said = checked(fleet, script)
    assert said.endswith("harmless")
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode(), quote(SECRET, safe="")):
        assert form not in said
    assert "password ***" in said


@pytest.mark.parametrize(("settings", "seen"), [(TASK, "VARIABLES"), (MIGRATION, "migration: VARIABLES")],
                         ids=["task", "migration"])  # fmt: skip
def test_tasks_and_migrations_see_no_secret(
    settings: str, seen: str, tmp_path: Path, home: Path, renderer: Renderer
) -> None:
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt"), foreign.write("seen.txt", "x\n")])
    service = foreign.service(renderer, source, tmp_path / "service")
    (source / "copier.yml").write_text(foreign.SETTINGS + settings + foreign.QUESTIONS)
    foreign.append("a.txt", "x\n")(source / "template")
    commit_all(source)
    git(source, "tag", NEW)
    done = as_process("apply", service, "--trust", GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))
    assert done.returncode in (0, 3), done.stderr
    said = git(service, "log", "-1", "--format=%B", "-p", f"golden-path/{NEW}")
    assert seen in said
    assert "PATH=" in said
    for word in (SECRET, "GH_TOKEN", "NPM_TOKEN", "DEPLOYMENT_URL", "MY_TOOL", ".netrc", "A person", "store --file"):
        assert word not in said, said


@pytest.mark.parametrize("usual", [True, False])
def test_whom_the_settings_trust_is_trusted(
    tmp_path: Path, home: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch, *, usual: bool
) -> None:
    """Also with ``~``, which is the user's home, not the empty one of the programs; and in the usual place."""
    foreign.template(
        home / "template", [foreign.write("a.txt")], [foreign.append("a.txt", "x\n")], settings=foreign.SETTINGS + TASK
    )
    source = "~/template"
    service = foreign.service(renderer, home / "template", tmp_path / "service")
    answers = service / foreign.ANSWERS
    answers.write_text(answers.read_text().replace(str(home / "template"), source))
    commit_all(service)
    monkeypatch.delenv("COPIER_SETTINGS_PATH")
    assert as_process("apply", service).returncode == 5
    place = ".config/copier/settings.yml" if usual else "elsewhere.yml"
    foreign.write(place, "trust: ['~/']\n")(home)
    if not usual:
        monkeypatch.setenv("COPIER_SETTINGS_PATH", str(home / place))
    done = as_process("apply", service)
    assert done.returncode in (0, 3), done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pass@host/x", "https://***@host/x"),
        ("https://s3cr3t@host/x", "https://***@host/x"),
        ("a https://u:p@ss@host/x b", "a https://***@host/x b"),
        ("git+https://tok@host:8443/x", "git+https://***@host:8443/x"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:pass@host/x", "ssh://***@host/x"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("https://host/x?private_token=abc&b=1", "https://host/x?private_token=***&b=1"),
        ("it is ghp_abcdefghij0123456789", "it is ***"),
        ("https://host/a@v1", "https://host/a@v1"),
        ("HTTPS://Tok@host/x", "HTTPS://***@host/x"),
    ],
)
def test_what_is_masked(text: str, expected: str) -> None:
    assert credentials.masked(text) == expected
    assert text == expected or text.startswith("a ") or credentials.reason(text)


ADDRESSES = ("https://gh0st-t0ken@example.invalid/a/b.git", "https://me:gh0st-t0ken@example.invalid/a/b.git",
             "ssh://git:gh0st-t0ken@example.invalid/a/b.git", "git+https://gh0st-t0ken@example.invalid/a/b",
             "https://example.invalid/a/b.git?access_token=gh0st-t0ken")  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_token_in_an_address_is_refused_and_shown_nowhere(address: str, fleet: Fleet, tmp_path: Path) -> None:
    good = fleet.file.read_text()
    service = tmp_path / "first"
    for old in (str(fleet.template), str(fleet.services[0])):
        fleet.file.write_text(good.replace(f": {old}", f": '{address}'"))
        for arguments in (["plan", "--fleet"], ["status", "--fleet"], ["fleet", "advance"]):
            done = golden_path(*arguments, fleet.file)
            assert (done.returncode, len(done.stderr.splitlines())) == (10, 1)
            assert "must not have a" in done.stderr
            assert "credential helper" in done.stderr
            assert "gh0st" not in done.stdout + done.stderr
    for one in (["adopt", "--template", address, str(service)], ["simulate", address]):
        done = golden_path(*one)
        assert done.returncode in (2, 5)
        assert "must not have a" in done.stderr
        assert "gh0st" not in done.stdout + done.stderr


def test_addresses_without_a_secret_are_fine() -> None:
    for address in ("ssh://git@host/x", "git@github.com:a/b", "https://github.com/a/b.git", "gh:a/b", "/srv/x", "~/x",
                    "file:///srv/x", "https://host/a@v1/b"):  # fmt: skip
        assert credentials.reason(address) == ""


def test_the_variables_are_those_of_the_reference() -> None:
    """docs/reference/fleet-file.md lists them."""
    text = (ROOT / "docs/reference/fleet-file.md").read_text()
    assert not [name for name in surroundings.ALLOWED if f"`{name}`" not in text]


def test_no_module_of_a_service_is_run(tmp_path: Path, renderer: Renderer) -> None:
    """Also where the command is run in the service, and its modules have the names of ours and of those we import."""
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt")], [foreign.append("a.txt", "x\n")])
    service = foreign.service(renderer, source, tmp_path / "service")
    seen = tmp_path / "seen"
    for name in (
        "golden_path/__init__.py",
        "golden_path/rendering/worker.py",
        "copier.py",
        "yaml.py",
        "jinja2.py",
        "json.py",
    ):
        foreign.write(name, f"open({str(seen)!r}, 'a').write({name!r})\n")(service)
    commit_all(service)
    script = (
        "import sys; from golden_path.cli import main; sys.exit(main(sys.argv[1:]))"  # as the installed command does
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "plan", "."], cwd=service, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clean     a.txt" in done.stdout
    assert not seen.exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["a check", "one that does not want to end"])
def test_an_interrupted_check_ends_and_has_no_result(sign: int, trap: str, fleet: Fleet, tmp_path: Path) -> None:
    fleet.write()
    text = fleet.file.read_text()
    check = f"{trap}sleep 300 & echo $! >{tmp_path}/inner; wait; wait; sleep 300"
    fleet.file.write_text(text.replace(", ring: all}", f', ring: all, check: "{check}"}}', 1))
    commit_all(fleet.folder)
    inner, end = tmp_path / "inner", time.monotonic() + 60
    with subprocess.Popen(command("fleet", "advance", fleet.file), env=environment(), stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE, start_new_session=True, text=True) as process:  # fmt: skip
        while not (inner.exists() and inner.read_text().strip()) and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(process.pid, sign)
        try:
            assert process.wait(timeout=180) == (130 if sign == signal.SIGINT else 143)
        finally:
            process.kill()
    while runs(int(inner.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    assert not runs(int(inner.read_text()))
    assert git(fleet.services[0], "for-each-ref", "refs/golden-path") == ""
