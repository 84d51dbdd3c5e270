"""make promote moves one digest, and refuses what would let an image skip an environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.service import make

IMAGE = "ghcr.io/acme/orders"
ONE, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
RELEASES = Path("deploy/releases")


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    folder = lab.render(template, tmp_path / "orders", {"language": "go"})
    lab.commit_all(folder)
    return folder


def promote(folder: Path, **asked: str) -> subprocess.CompletedProcess[str]:
    arguments = [part for name, value in asked.items() for part in (f"--{name.strip('_').replace('_', '-')}", value)]
    command = [sys.executable, ".golden-path", "promote", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=180)


def released(folder: Path, environment: str) -> str:
    return (folder / RELEASES / environment / "kustomization.yaml").read_text()


def test_a_release_moves_on_by_one_line(service: Path) -> None:
    assert promote(service, show="production").stdout == "image=\nversion=\n"
    done = promote(service, to="staging", image=f"{IMAGE}@{ONE}", version="v1.0.0")
    assert (done.returncode, done.stdout) == (0, f"digest={ONE}\nversion=v1.0.0\nchanged=true\n"), done.stderr
    done = promote(service, to="production", from_="staging")
    assert (done.returncode, done.stdout) == (0, f"digest={ONE}\nversion=v1.0.0\nchanged=true\n"), done.stderr
    assert lab.git(service, "diff", "--shortstat") == "2 files changed, 2 insertions(+), 2 deletions(-)"
    again = promote(service, to="production", from_="staging")
    assert again.stdout.endswith("changed=false\n")
    assert promote(service, show="production").stdout == f"image={IMAGE}@{ONE}\nversion=v1.0.0\n"


def test_by_hand_it_says_that_nothing_was_verified(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflows verify before they run it, so there it says nothing."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    new = {"to": "staging", "image": f"{IMAGE}@{ONE}", "version": "v1"}
    assert promote(service, **new).stderr == f"Not verified by this: make verify IMAGE_REF={IMAGE}@{ONE}\n"
    assert promote(service, **new).stderr == "", "nothing changed"
    moved = promote(service, to="production", from_="staging")
    assert moved.stderr.endswith(f"\nNot verified by this: make verify IMAGE_REF={IMAGE}@{ONE}\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert promote(service, **new | {"image": f"{IMAGE}@{OTHER}"}).stderr == ""


def test_a_preview_has_an_image_of_its_own_name(service: Path) -> None:
    assert promote(service, to="preview", image=f"{IMAGE}@{ONE}", version="pr-1").returncode == 2
    done = promote(service, to="preview", image=f"{IMAGE}-preview@{ONE}", version="pr-1")
    assert done.returncode == 0, done.stderr
    done = promote(service, to="staging", image=f"{IMAGE}-preview@{ONE}", version="v1")
    assert "IMAGE_REF must be ghcr.io/acme/orders@sha256:..." in done.stderr
    done = promote(service, to="staging", from_="preview")
    assert "staging does not come after preview: the order is staging -> production" in done.stderr


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "say make promote FROM=staging TO=production, or IMAGE_REF=name@sha256:... TO=staging"),
        ({"to": "staging", "from_": "staging", "image": "x"}, "say make promote FROM=staging TO=production"),
        ({"to": "stagign", "image": "x"}, "there is no environment 'stagign': choose one of preview, production, sta"),
        ({"to": "../staging", "image": "x"}, "there is no environment '../staging'"),
        ({"to": "staging", "image": f"{IMAGE}:v1", "version": "v1"}, "a tag can be moved"),
        ({"to": "staging", "image": f"{IMAGE}@sha256:12", "version": "v1"}, "IMAGE_REF must be ghcr.io/acme/orders@"),
        ({"to": "staging", "image": f"ghcr.io/evil/orders@{ONE}", "version": "v1"}, "IMAGE_REF must be ghcr.io/acme"),
        ({"to": "staging", "image": f"{IMAGE}@{ONE}", "version": "v1\n- evil"}, "VERSION must be one word"),
        ({"to": "production", "image": f"{IMAGE}@{ONE}", "version": "v1"}, "a new image goes to staging first"),
        ({"to": "production", "from_": "staging"}, "staging runs nothing yet: release something to it first"),
        ({"to": "staging", "from_": "production"}, "staging does not come after production"),
        ({"show": "produktion"}, "there is no environment 'produktion'"),
    ],
)
def test_what_may_not_be_is_refused_in_one_line(service: Path, asked: dict[str, str], reason: str) -> None:
    done = promote(service, **asked)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"  FAIL  promote: {reason}") or reason in line
    assert not lab.git(service, "status", "--porcelain")


def test_a_release_file_with_two_digests_is_refused(service: Path) -> None:
    file = service / RELEASES / "staging" / "kustomization.yaml"
    text = file.read_text() + f"  - name: other\n    digest: {OTHER}\n"
    file.write_text(text)
    done = promote(service, to="staging", image=f"{IMAGE}@{ONE}", version="v1")
    assert "must have exactly one line 'digest: sha256:...'" in done.stderr
    assert file.read_text() == text


def test_what_is_given_is_not_run(service: Path) -> None:
    """The verb itself: what make would expand stays text, and what the last build left is no image to promote."""
    (service / "build").mkdir()
    (service / "build/image-ref").write_text(f"{IMAGE}@{OTHER}\n")
    done = make(service, "go", "promote", "FROM=staging", "TO=production")
    assert "staging runs nothing yet" in done.stdout
    env = {"TO": "staging", "IMAGE_REF": f"{IMAGE}@{ONE}", "VERSION": "v1$(touch stolen)"}
    done = make(service, "go", "promote", env=env)
    assert done.returncode != 0
    assert not (service / "stolen").exists()
    done = make(service, "go", "promote", env=env | {"VERSION": "v1"})
    assert done.returncode == 0, done.stdout
    assert f"digest: {ONE} # v1" in released(service, "staging")
