"""The SBOM names what the lock names."""

from __future__ import annotations

import json
import subprocess

import pytest
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.labs import sbom
from tests.labs.built import Image
from tests.labs.images import Lab
from tests.labs.service import make

pytestmark = pytest.mark.images


def test_make_sbom_names_every_dependency(image: Image) -> None:
    done = make(image.folder, image.language, "sbom", env=dict(image.env))
    assert done.returncode == 0, done.stdout
    document = sbom.read(image.folder / "build/sbom.spdx.json")
    locked = sbom.locked(image.folder, image.language)
    assert len(locked) > 20
    assert locked - sbom.listed(document) == set()
    parsed = JsonLikeDictParser().parse(document)  # type: ignore[no-untyped-call]
    problems = {message.validation_message.partition(", but is")[0] for message in validate_full_spdx_document(parsed)}
    # syft copies npm's short form of a repository (owner/name) as it is.
    short_form = {"package download_location must be a valid URL or download location according to the specification"}
    assert problems <= (short_form if image.language == "node" else set())


def test_attested_sbom_names_every_dependency(image: Image, image_lab: Lab) -> None:
    name = f"{image_lab.registry}/acme/{image.folder.name}"
    done = make(image.folder, image.language, "image", "PUSH=true", f"IMAGE={name}", env=dict(image.env))
    assert done.returncode == 0, done.stdout
    reference = (image.folder / "build/image-ref").read_text().strip()
    show = ["docker", "buildx", "imagetools", "inspect", reference, "--format", "{{json .SBOM}}"]
    shown = subprocess.run(show, env=dict(image.env), capture_output=True, text=True, check=True).stdout
    document = json.loads(shown)["SPDX"]
    assert sbom.locked(image.folder, image.language) - sbom.listed(document) == set()


def test_an_incomplete_sbom_is_noticed(image: Image) -> None:
    """The comparison sees one package that is missing."""
    document = sbom.read(image.folder / "build/sbom.spdx.json")
    locked = sbom.locked(image.folder, image.language)
    name, version = sorted(locked)[0]
    document["packages"] = [
        package for package in document["packages"] if (name, version) not in sbom.listed({"packages": [package]})
    ]
    assert locked - sbom.listed(document) == {(name, version)}
