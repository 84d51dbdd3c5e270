"""The SBOM names what the lock names."""

from __future__ import annotations

import json
import subprocess

import pytest
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.labs import sbom
from tests.labs.built import Image
from tests.labs.service import make

pytestmark = [pytest.mark.images, pytest.mark.models]


@pytest.fixture(scope="module")
def locked(image: Image) -> sbom.Packages:
    return sbom.locked(image.folder, image.language)


def test_make_sbom_names_every_dependency(image: Image, locked: sbom.Packages) -> None:
    done = make(
        image.folder, image.language, "sbom", f"IMAGE={image.repository}", "IMAGE_REF=", env=dict(image.env)
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    document = sbom.read(image.folder / "build/sbom.spdx.json")
    assert len(locked) > 20
    assert locked - sbom.listed(document) == set()
    parsed = JsonLikeDictParser().parse(document)  # type: ignore[no-untyped-call]
    problems = {message.validation_message.partition(", but is")[0] for message in validate_full_spdx_document(parsed)}
    # syft copies npm's short form of a repository (owner/name) as it is.
    short_form = {"package download_location must be a valid URL or download location according to the specification"}
    assert problems <= (short_form if image.language == "node" else set())


def test_attested_sbom_names_every_dependency(image: Image, released: str, locked: sbom.Packages) -> None:
    show = ["docker", "buildx", "imagetools", "inspect", released, "--format", "{{json .SBOM}}"]
    shown = subprocess.run(show, env=dict(image.env), capture_output=True, text=True, check=True).stdout
    document = json.loads(shown)["SPDX"]
    assert locked - sbom.listed(document) == set()


def test_an_incomplete_sbom_is_noticed(image: Image, locked: sbom.Packages) -> None:
    """The comparison sees one package that is missing."""
    document = sbom.read(image.folder / "build/sbom.spdx.json")
    name, version = sorted(locked)[0]
    document["packages"] = [
        package for package in document["packages"] if (name, version) not in sbom.listed({"packages": [package]})
    ]
    assert locked - sbom.listed(document) == {(name, version)}
