"""What a build is called arrives in it as it is, whatever else a tag's name may have."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import written
from tests.labs.container import Container
from tests.labs.images import Lab
from tests.labs.service import Service, make

# Git takes it for a tag; none of it is refused.
NAMES = {"VERSION": "-release/1+5#!=%{}(x);<y>|&,2=3%2F", "REVISION": "-r#1=2"}


def called(service: Service) -> dict[str, str]:
    """Return what a service says that it is."""
    metrics = text_string_to_metric_families(service.http.get("/metrics").text)
    [sample] = [one for family in metrics for one in family.samples if one.name == "build_info"]
    return {"VERSION": sample.labels["version"], "REVISION": sample.labels["revision"]}


@pytest.fixture
def folder(language: str, template: Path, tmp_path: Path) -> Path:
    return written(language, template, tmp_path / f"{language}-orders")


def test_it_arrives(folder: Path, language: str) -> None:
    done = make(folder, language, "build", env={**NAMES, "CI": "true"})
    assert done.returncode == 0, done.stdout
    with Service(folder, language) as service:
        assert called(service) == NAMES


@pytest.mark.images
def test_it_arrives_in_the_image(folder: Path, language: str, image_lab: Lab, own: str) -> None:
    env = image_lab.environment(folder, language)
    done = make(folder, language, "image", f"IMAGE={own}/{language}-called", env={**env, **NAMES})
    assert done.returncode == 0, done.stdout[-3000:]
    name = done.stdout.rpartition("ok    image ")[2].split()[0]
    with Container(folder, language, image=name, docker_env=env) as service:
        assert called(service) == NAMES
