"""No link of a service or a template leads a write or a read out of the folder that was opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from golden_path.errors import FleetError
from golden_path.rehearsal import scenarios
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.untrusted import inside
from golden_path.upgrade import after_copier, before_copier
from hooks.migrations import overlay_resources, preview_at_once, python_build_script
from tests.labs.template import commit_all, git, with_engine
from tests.updates import foreign, hooked
from tests.updates.commands import golden_path

CALL = "x:\n\tmake/build.sh python src/orders 1.0 abc\n"
KEPT = "kept\n"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the machine, beside the service."""
    file = tmp_path / "machine" / "file"
    file.parent.mkdir()
    file.write_text(KEPT)
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file."""
    folder = tmp_path / "root"
    foreign.write("inner/a.txt", "a\n")(folder)
    return folder


def link(place: Path, target: Path) -> None:
    """Put a link there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def test_what_is_written_takes_its_place_at_once(root: Path) -> None:
    (root / "inner/a.txt").chmod(0o750)
    inside.write(root, "inner/a.txt", b"b\n")
    inside.write(root, "new.txt", b"c\n", mode=0o600)
    assert (root / "inner/a.txt").read_text() == "b\n"
    assert (root / "inner/a.txt").stat().st_mode & 0o777 == 0o750
    assert (root / "new.txt").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in root.rglob("*")) == ["a.txt", "inner", "new.txt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("link.txt", "is a link"),
        ("linked/file", "has a link, or a file, in its path"),
        ("inner/a.txt/b", "has a link, or a file, in its path"),
        ("../machine/file", "is no path in the folder"),
        ("/etc/x", "is no path in the folder"),
        ("inner/../../machine/file", "is no path in the folder"),
        (".git/config", "is in a git folder"),
        ("inner/.GIT/config", "is in a git folder"),
        ("inner", "is a folder"),
        ("pipe", "is no regular file"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(root: Path, outside: Path, name: str, reason: str) -> None:
    link(root / "link.txt", outside)
    link(root / "linked", outside.parent)
    os.mkfifo(root / "pipe")
    for do in (lambda: inside.write(root, name, b"x"), lambda: inside.read(root, name)):
        with pytest.raises(inside.OutsideError) as refused:
            do()
        assert refused.value.strerror == reason
    assert not inside.is_file(root, name)
    assert outside.read_text() == KEPT
    assert list(outside.parent.iterdir()) == [outside]


def test_links_within_the_folder_are_read(root: Path, outside: Path) -> None:
    link(root / "near", Path("inner/a.txt"))
    link(root / "far", outside)
    link(root / "circle", root / "circle")
    foreign.write(".git/config", "secret")(root)
    link(root / "config", Path(".git/config"))
    assert inside.linked(root, "near") == b"a\n"
    for name, reason in (
        ("far", "out of the folder"),
        ("circle", "leads nowhere|Too many levels"),
        ("config", "git folder"),
    ):
        with pytest.raises(OSError, match=reason):
            inside.linked(root, name)
    with pytest.raises(inside.OutsideError, match="larger"):
        inside.read(root, "inner/a.txt", largest=1)


def test_migrations_write_beside_nothing_and_through_no_link(tmp_path: Path, outside: Path) -> None:
    """The name beside the file, the file itself, its folder, and a link where something must be there."""
    service = tmp_path / "service"
    foreign.write(".golden-path/build.py", "")(service)
    foreign.write("local.mk", CALL)(service)
    link(service / "local.mk.golden-path", outside)
    link(service / "scripts", outside.parent)
    foreign.write("mk/own.sh", CALL)(service)
    link(service / "own.sh", Path("mk/own.sh"))
    (outside.parent / "x.sh").write_text(CALL)
    lines = python_build_script.run(service, {"language": "python"})
    assert [line.split(":")[0] for line in lines] == ["done      local.mk", "skip      own.sh"]
    assert "is a link" in lines[1]
    assert ".golden-path/build.py" in (service / "local.mk").read_text()
    assert (service / "mk/own.sh").read_text() == CALL

    staging = service / "deploy/overlays/staging"
    foreign.write("httproute.yaml", "")(staging)
    link(staging / "kustomization.yaml", outside.parent / "kustomization.yaml")
    (outside.parent / "kustomization.yaml").write_text("resources:\n  - a.yaml\n")
    [line] = overlay_resources.run(service, {})
    assert line.startswith("skip      deploy/overlays/staging/kustomization.yaml: is a link")

    preview = outside.parent / "preview"
    preview.mkdir()
    (preview / "kustomization.yaml").write_text(f"patches:\n  - target: {{kind: Rollout}}\n{preview_at_once._OLD}")
    (preview / "at-once.yaml").write_text("")
    link(service / "deploy/overlays/preview", preview)
    assert preview_at_once.run(service, {}) == []

    assert outside.read_text() == KEPT
    assert (outside.parent / "x.sh").read_text() == CALL
    assert (outside.parent / "kustomization.yaml").read_text() == "resources:\n  - a.yaml\n"
    assert preview_at_once._OLD in (preview / "kustomization.yaml").read_text()


def test_the_hooks_as_a_service_runs_them(tmp_path: Path, outside: Path) -> None:
    """As a process in the service's folder, with nothing of the engine but what they take from it."""
    with_engine(tmp_path / "template")
    service = tmp_path / "service"
    foreign.write(".copier-answers.yml", "a: &a [*a]\n")(service)
    foreign.write(".golden-path/build.py", "")(service)
    foreign.write("local.mk", CALL)(service)
    link(service / "local.mk.golden-path", outside)
    command = [sys.executable, str(tmp_path / "template/hooks"), "migrate", "0.1.0"]
    done = subprocess.run(
        command, cwd=service, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    (service / ".copier-answers.yml").write_text("language: python\n")
    done = subprocess.run(
        command, cwd=service, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert (done.returncode, "done      local.mk" in done.stderr) == (0, True), done.stderr
    assert outside.read_text() == KEPT


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("place", ["dir", "dir/c.txt"])
def test_the_guard_stops_where_copier_would_write_through_a_link(
    tmp_path: Path, renderer: Renderer, outside: Path, place: str, *, ignored: bool
) -> None:
    """Committed or ignored; Copier follows both."""
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt")], [foreign.write("dir/c.txt", "new\n")])
    hooked.with_hooks(source)
    service = foreign.service(renderer, source, tmp_path / "service")
    target = outside.parent if place == "dir" else outside
    link(service / place, target)
    if ignored:
        (service / ".git/info/exclude").write_text(f"{place}\n")
    else:
        commit_all(service)
    said = hooked.stops(source, service)
    assert f"{place} (" in said
    assert "link" in said or "a file of yours" in said or "no commit has it" in said
    ended, _ = hooked.update(service)
    assert ended.code == 1
    assert outside.read_text() == KEPT
    assert list(outside.parent.iterdir()) == [outside]


def test_the_summary_removes_nothing_through_a_link(tmp_path: Path, outside: Path) -> None:
    service = tmp_path / "service"
    foreign.write("a.txt")(service)
    link(service / "dir", outside.parent)
    commit_all(service)
    entry = ["100644", "0" * 40]
    before_copier.notes(service).write_text(
        f'{{"base": {{"dir/file": {entry}}}, "theirs": {{"dir/file": {entry}}}, "moved": {{}}}}'.replace("'", '"')
    )
    after_copier.summary(service)
    assert outside.read_text() == KEPT


@pytest.mark.parametrize("name", ["CHANGELOG.md", "adopt.yml", "pins.yaml", "copier.yml", "more.yml"])
def test_a_template_reads_no_file_of_the_machine(name: str, tmp_path: Path, renderer: Renderer, outside: Path) -> None:
    outside.write_text("## 2.0.0\n\n- SECRET: x\n")
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt")])
    service = foreign.service(renderer, source, tmp_path / "service")
    foreign.append("a.txt", "x\n")(source / "template")
    if name == "more.yml":
        (source / "copier.yml").write_text((source / "copier.yml").read_text() + "---\n!include more.yml\n")
    (source / name).unlink(missing_ok=True)
    (source / name).symlink_to(outside)
    commit_all(source)
    git(source, "tag", foreign.NEW)
    for arguments in (["plan", "--json"], ["apply"], ["status"]):
        done = golden_path(arguments[0], service, *arguments[1:])
        assert "SECRET" not in done.stdout + done.stderr
        assert len(done.stderr.splitlines()) <= 1
    assert "SECRET" not in git(service, "log", "--all", "--format=%B")
    known = Template(str(source))
    known.refresh()
    if name == "copier.yml":
        with pytest.raises(FleetError, match="is a link that leads out of the folder"):
            _ = known.at(foreign.NEW).config
    if name in ("CHANGELOG.md", "adopt.yml", "pins.yaml"):
        with pytest.raises(FleetError, match="is a link that leads out of the folder"):
            known.at(foreign.NEW).file(name)


@pytest.mark.parametrize("preserved", ["true", "false"])
def test_a_template_renders_no_file_of_the_machine(
    preserved: str, tmp_path: Path, renderer: Renderer, outside: Path
) -> None:
    outside.write_text("SECRET\n")
    settings = f"_subdirectory: template\n_preserve_symlinks: {preserved}\n"
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt")], settings=settings)
    service = foreign.service(renderer, source, tmp_path / "service")
    foreign.link("b.txt", str(outside))(source / "template")
    commit_all(source)
    git(source, "tag", foreign.NEW)
    done = golden_path("apply", service)
    assert "SECRET" not in done.stdout + done.stderr
    shown = subprocess.run(["git", "-C", service, "grep", "-h", "SECRET", f"golden-path/{foreign.NEW}"],
                           capture_output=True, text=True, check=False).stdout  # fmt: skip
    assert shown == ""


def test_edits_of_a_rehearsal_follow_no_link(tmp_path: Path, outside: Path) -> None:
    service = tmp_path / "service"
    service.mkdir()
    link(service / "linked", outside.parent)
    link(service / "link.txt", outside)
    edits = [{"path": "linked/file", "append": "x"}, {"path": "link.txt", "write": "x"},
             {"path": "linked/new", "write": "x"}]  # fmt: skip
    scenarios.given(service, edits)
    for number in range(20):
        scenarios.at_random(service, ["linked/file", "link.txt"], 3, str(number))
    assert outside.read_text() == KEPT
    assert list(outside.parent.iterdir()) == [outside]


def test_a_report_is_not_written_through_a_link_of_the_service(tmp_path: Path, outside: Path) -> None:
    service = tmp_path / "service"
    foreign.write("a.txt")(service)
    link(service / "doctor.sarif", outside)
    commit_all(service)
    done = golden_path("doctor", service, "--fail-on", "none", "--sarif", service / "doctor.sarif")
    assert (done.returncode, "is a link" in done.stderr) == (1, True)
    assert outside.read_text() == KEPT
    done = golden_path("doctor", service, "--fail-on", "none", "--sarif", service / "new.sarif")
    assert (done.returncode, (service / "new.sarif").is_file()) == (0, True)
