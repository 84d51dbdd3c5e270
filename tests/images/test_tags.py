"""The tag of an image: what `version.tag` makes of a version, a real registry takes."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from golden_path.service import version
from tests.labs.images import Lab

pytestmark = [pytest.mark.images, pytest.mark.one_language]

TYPE = "application/vnd.oci.image.index.v1+json"
INDEX = {"schemaVersion": 2, "mediaType": TYPE, "manifests": []}
# Names that git takes for tags.
ALLOWED = ["v1.2.3", "1", "V_2", "latest", "v1.2.3-4-g0a1b2c3-dirty", "x" * 128]
OTHERS = [
    "v1.2.3+build.5", "release/1.2", "v1.2.3+build/7-4-g0a1b2c3", "+", "-v1", "v1$(touch${IFS}ran)", "ü1", "ö1",
    "x" * 129, "x" * 128 + "y", "v1&2=3%2F#a", "services/orders/v1", "services-orders/v1",
]  # fmt: skip


def put(lab: Lab, own: str, tag: str) -> int:
    """Ask the registry to keep an index under a tag; return its status."""
    url = f"http://{lab.registry}/v2/{own}/tags/manifests/{quote(tag, safe='')}"
    return httpx.put(url, json=INDEX, headers={"Content-Type": TYPE}, trust_env=False).status_code


def test_what_the_registry_takes_stays_as_it_is(image_lab: Lab, own: str) -> None:
    assert {name: put(image_lab, own, name) for name in ALLOWED} == dict.fromkeys(ALLOWED, 201)
    assert [version.tag(name) for name in ALLOWED] == ALLOWED


def test_what_it_refuses_is_spelled_otherwise(image_lab: Lab, own: str) -> None:
    assert [name for name in OTHERS if put(image_lab, own, name) == 201] == []
    tags = [version.tag(name) for name in OTHERS]
    assert {name: put(image_lab, own, name) for name in tags} == dict.fromkeys(tags, 201)
    assert len({*tags, *ALLOWED}) == len(OTHERS) + len(ALLOWED), "no two versions share a tag"
    assert version.tag("v1.2.3+build.5").startswith("v1.2.3-build.5-")
