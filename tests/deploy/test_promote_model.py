"""make promote moves the model as it moves the image, each by its own line, and both to production."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from golden_path.service import promotion
from golden_path.service.errors import RefusedError
from golden_path.service.promote import MODEL as MODEL_PART
from golden_path.service.promote import read
from tests.deploy.test_promote import ONE, OTHER, promote
from tests.labs import template as lab
from tests.labs.service import make

IMAGE, MODEL = "ghcr.io/acme/screening", "ghcr.io/acme/screening-model"
NOTHING = f"sha256:{'0' * 64}"


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    folder = lab.render(template, tmp_path / "screening", {"kind": "model"})
    lab.commit_all(folder)
    return folder


def line(folder: Path, environment: str) -> str:
    text = (folder / f"deploy/releases/{environment}/model/kustomization.yaml").read_text()
    [found] = [one.strip() for one in text.splitlines() if "digest:" in one]
    return found


def test_a_model_moves_beside_its_image(service: Path) -> None:
    assert promote(service, show="staging").stdout == "image=\nversion=\nmodel=\nmodel_version=\n"
    done = promote(service, to="staging", model=f"{MODEL}@{ONE}", model_version="model-v1")
    assert (done.returncode, done.stdout) == (0, f"model_digest={ONE}\nmodel_version=model-v1\nchanged=true\n"), (
        done.stderr
    )
    assert lab.git(service, "diff", "--shortstat") == "1 file changed, 1 insertion(+), 1 deletion(-)"
    shown = promote(service, show="staging").stdout
    assert shown == f"image=\nversion=\nmodel={MODEL}@{ONE}\nmodel_version=model-v1\n"
    # What served it is part of what was tried.
    done = promote(service, to="production", from_="staging")
    assert "staging runs nothing yet" in done.stderr
    done = promote(service, to="staging", image=f"{IMAGE}@{OTHER}", version="v1")
    assert done.returncode == 0, done.stderr
    done = promote(service, to="production", from_="staging")
    moved = f"digest={OTHER}\nversion=v1\nmodel_digest={ONE}\nmodel_version=model-v1\nchanged=true\n"
    assert (done.returncode, done.stdout) == (0, moved), done.stderr
    assert line(service, "production") == f"digest: {ONE} # model-v1"


def test_the_model_alone_goes_on_and_comes_back(service: Path) -> None:
    """Without a Prometheus nothing is frozen; what staging has no more, production has no more."""
    everything = {"image": f"{IMAGE}@{OTHER}", "version": "v1", "model": f"{MODEL}@{ONE}", "model_version": "model-v1"}
    assert promote(service, to="staging", **everything).returncode == 0
    assert promote(service, to="production", from_="staging").returncode == 0
    assert promote(service, to="staging", model=f"{MODEL}@{OTHER}", model_version="model-v2").returncode == 0
    done = promote(service, to="production", from_="staging")
    assert done.stdout.endswith(f"model_digest={OTHER}\nmodel_version=model-v2\nchanged=true\n")
    assert "nothing runs there yet" not in done.stderr
    lab.git(service, "checkout", "--quiet", "HEAD", "--", "deploy/releases/staging/model")
    done = promote(service, to="production", from_="staging")
    assert done.returncode == 0, done.stderr
    assert line(service, "production") == f"digest: {NOTHING} # nothing yet"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"to": "staging", "model": f"{MODEL}:v1", "model_version": "1"}, f"MODEL_REF must be {MODEL}@sha256:..., not"),
        ({"to": "staging", "model": f"{IMAGE}@{ONE}", "model_version": "1"}, f"MODEL_REF must be {MODEL}@sha256:"),
        ({"to": "staging", "model": f"ghcr.io/evil/screening-model@{ONE}", "model_version": "1"}, "MODEL_REF must be"),
        ({"to": "staging", "model": f"{MODEL}@{ONE}", "model_version": "v1\n- evil"}, "MODEL_VERSION must be one word"),
        ({"to": "staging", "model": f"{MODEL}@{ONE}"}, "MODEL_VERSION must be one word, not ''"),
        ({"to": "production", "model": f"{MODEL}@{ONE}", "model_version": "1"}, "a new model goes to staging first"),
        ({"to": "preview", "model": f"{MODEL}@{ONE}", "model_version": "1"}, "preview takes no model of its own"),
        ({"to": "staging", "from_": "staging", "model": "x"}, "say make promote FROM=staging TO=production"),
    ],
)
def test_what_may_not_be_is_refused_in_one_line(service: Path, asked: dict[str, str], reason: str) -> None:
    done = promote(service, **asked)
    assert done.returncode == 2
    [said] = done.stderr.splitlines()
    assert said.startswith(f"  FAIL  promote: {reason}")
    assert not lab.git(service, "status", "--porcelain")


def test_without_a_token_the_verb_says_what_to_commit(service: Path) -> None:
    version = "model-v1$(touch${IFS}stolen)"
    done = make(
        service, "python", "promote-pr", env={"MODEL_REF": f"{MODEL}@{ONE}", "MODEL_VERSION": version, "TO": "staging"}
    )
    assert done.returncode == 0, done.stdout
    assert not (service / "stolen").exists()
    assert f"release model {version} to staging" in done.stdout
    assert f"+    digest: {ONE} # {version}" in done.stdout


def test_the_text_of_the_pull_request_ends_with_notes(
    service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(service, to="staging", model=f"{MODEL}@{ONE}", model_version="model-v1")
    monkeypatch.chdir(service)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    notes = tmp_path / "notes.md"
    notes.write_text("| accuracy | 0.93 |\n")
    monkeypatch.setenv("PROMOTION_NOTES", str(notes))
    assert promotion.changed("staging") == [MODEL_PART]
    text = promotion.body("staging", {MODEL_PART: read("staging", MODEL_PART)[2]}, "")
    assert text.endswith("revert the merge commit.\n\n| accuracy | 0.93 |\n")
    assert f"`{ONE}` (model-v1)" in text
    notes.write_text("x" * 20_001)
    with pytest.raises(RefusedError, match="must have at most 20000 characters, not 20001"):
        promotion.notes()
    notes.unlink()
    with pytest.raises(RefusedError, match=r"notes\.md cannot be read: No such file or directory"):
        promotion.notes()


def test_tags_of_models_are_no_versions_of_the_image(service: Path) -> None:
    lab.git(service, "tag", "v1.0.0")
    lab.git(service, "tag", "model-v2.0.0")
    assert make(service, "python", "--silent", "--eval", "said: ; @echo $$VERSION", "said").stdout == "v1.0.0\n"


def test_one_digest_is_in_each_environment_that_takes_models(service: Path) -> None:
    """As Kustomize puts it into the pods: by name and digest, and in a preview the image has its own."""
    promote(service, to="staging", model=f"{MODEL}@{ONE}", model_version="model-v1")
    done = make(service, "python", "manifests")
    assert done.returncode == 0, done.stdout
    found = {one.stem: one.read_text() for one in (service / "build/manifests").glob("*.yaml")}
    assert f"value: {MODEL}@{ONE}" in found["staging"]
    assert f"value: {MODEL}@{NOTHING}" in found["production"]
    assert MODEL not in found["preview"]
    assert json.dumps(found["preview"]).count("initContainers") == 0
