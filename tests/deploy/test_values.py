"""A value that somebody else chose, such as a tag's name, is a value in every recipe, never a command."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.labs import template as lab

# A name that git takes for a tag; whoever runs it makes a file.
TAG = "v1$(touch${IFS}ran)`touch${IFS}ran`;touch${IFS}ran"


@pytest.fixture(scope="module")
def service(template: Path, language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    answers = {"language": language, "service_name": "orders", "upstream": "inventory"}
    folder = lab.render(template, tmp_path_factory.mktemp(language) / "orders", answers)
    lab.commit_all(folder)
    lab.git(folder, "tag", TAG)
    return folder


def run(service: Path, *arguments: str, **env: str) -> str:
    """Run make as a workflow does; returns what it prints."""
    done = subprocess.run(
        ["make", *arguments], cwd=service, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.stdout


def verbs(service: Path) -> list[str]:
    """Every target that somebody can name."""
    files = [service / "Makefile", *sorted((service / ".golden-path").glob("*.mk"))]
    named = re.findall(r"^\.PHONY: (.+)$", "\n".join(file.read_text() for file in files), re.MULTILINE)
    return sorted({one for line in named for one in line.split() if "$" not in one})


def test_no_recipe_has_the_name_of_a_tag_in_it(service: Path) -> None:
    """As the shell gets them; what stands there it would run."""
    found = {}
    assert {"build", "image", "contract-publish", "can-i-deploy", "sbom", "sign", "promote"} <= set(verbs(service))
    for verb in verbs(service):
        printed = run(service, "--dry-run", "--always-make", verb)
        assert "No rule to make target" not in printed, printed
        if "touch${IFS}ran" in printed:
            found[verb] = [line for line in printed.splitlines() if "touch${IFS}ran" in line]
    assert found == {}
    assert not (service / "ran").exists()


@pytest.mark.parametrize("value", ["", "v2$(shell touch ran)", "v2$(touch ran)`touch ran`;touch ran"])
def test_a_recipe_reads_it_from_the_environment(service: Path, value: str) -> None:
    """As git has it, or as a workflow gives it; make does not run what is in it either."""
    given = {"VERSION": value, "REVISION": value} if value else {}
    said = run(service, "--silent", "--eval", 'said: ; @printf "%s|%s" "$$VERSION" "$$REVISION"', "said", **given)
    version, _, revision = said.partition("|")
    assert version == (value or TAG)
    assert revision == (value or lab.git(service, "rev-parse", "HEAD"))
    run(service, "--silent", "record-deployment", "--dry-run", **given)
    assert not (service / "ran").exists()


def test_what_was_given_is_known(service: Path) -> None:
    """The events of a deployment need the commit of the image, not that of the checkout."""
    recipe = run(service, "--dry-run", "deploy-event", REVISION="1" * 40)
    assert re.search(r'GIVEN="\s*REVISION\s*"', recipe), recipe
    assert re.search(r'GIVEN="\s*"', run(service, "--dry-run", "deploy-event"))
    both = run(service, "--dry-run", "deploy-event", "REVISION=x", COMMIT_TIME="1")
    assert re.search(r'GIVEN="\s*REVISION\s+COMMIT_TIME\s*"', both), both
