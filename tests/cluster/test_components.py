"""What only some clusters need, as a line of an overlay: a Secret to pull with, and DNS that the nodes answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import policies
from tests.cluster.services import (
    COMPONENTS,
    DNS,
    DNS_FILE,
    ENVIRONMENTS,
    Object,
    apart,
    objects,
    only,
    rendered,
    script,
    with_components,
)
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab, offline
from tests.labs.toolchains import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.one_language]

PAGE = ROOT / "docs/how-to/prepare-a-cluster.md"
ANSWERS: dict[str, dict[str, Any]] = {
    "default": {}, "vault": {"secrets": "vault", "upstream": "inventory"}, "blue-green": {"delivery": "blue-green"},
    "gateway": {"traffic": "gateway"},
}  # fmt: skip


@pytest.fixture(params=ANSWERS)
def service(template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    answers = {"language": "go", "service_name": "orders", **ANSWERS[request.param]}
    return lab.render(template, tmp_path / "orders", answers)


def permitted(manifests: str, address: str) -> set[tuple[object, object]]:
    """Return the ports and protocols on which the service's NetworkPolicy lets it ask an address that is no pod's."""
    [policy] = [
        one for one in objects(manifests) if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "orders"
    ]
    return {
        (port.get("port"), port.get("protocol", "TCP"))
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer and ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        for port in rule["ports"]
    }


def secrets(manifests: str) -> object:
    """Return with which Secrets the service's pods pull."""
    return only(objects(manifests), "Rollout")["spec"]["template"]["spec"].get("imagePullSecrets")


def test_a_line_adds_each(cluster_lab: Lab, service: Path) -> None:
    before = rendered(service)
    after = rendered(with_components(service))
    assert sorted(after) == sorted(ENVIRONMENTS)
    for name, text in after.items():
        assert (secrets(before[name]), secrets(text)) == (None, [{"name": "registry"}])
        for address in DNS.values():
            assert permitted(before[name], address) == set()
            assert permitted(text, address) == {(53, "UDP"), (53, "TCP")}
        assert permitted(text, "169.254.169.254") == set(), "a cloud's credentials are beside the cache's address"
        changed = [one["kind"] for one, old in zip(objects(text), objects(before[name]), strict=True) if one != old]
        assert sorted(changed) == ["NetworkPolicy", "Rollout"]
        found = objects(text := apart(text))
        assert offline.problems(text) == []
        with cluster_lab.owned(only(found, "Namespace"), wait=False) as namespace:
            assert len(cluster_lab.apply(text, namespace, dry_run=True).splitlines()) == len(found)


def test_the_difference_to_a_revision_that_has_them(service: Path) -> None:
    """A revision is rendered from what it reads alone."""
    lab.commit_all(with_components(service))
    done = script(service, "manifests", "diff", "HEAD")
    assert (done.returncode, done.stdout.count("no change")) == (0, len(ENVIRONMENTS)), done.stderr


def test_one_without_the_other(service: Path) -> None:
    overlay = with_components(service) / "deploy/overlays/staging/kustomization.yaml"
    text = overlay.read_text()
    for name in COMPONENTS:
        overlay.write_text(text.replace(f"  - ../../../.golden-path/components/{name}\n", ""))
        found = rendered(service)["staging"]
        assert (secrets(found) is None) == (name == "pull-secret")
        assert (permitted(found, DNS["cache"]) == set()) == (name == "node-local-dns")


def test_without_the_file_of_addresses_nothing_is_rendered(service: Path) -> None:
    overlay = with_components(service) / "deploy/overlays/staging"
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace(f"  - {DNS_FILE}\n", ""))
    done = script(service, "manifests", "render")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "ConfigMap" in line
    assert "node-local-dns" in line


def test_the_example_of_the_file_is_read(service: Path) -> None:
    with_components(service)
    [example] = examples("ConfigMap")
    for overlay in (service / "deploy/overlays").iterdir():
        (overlay / DNS_FILE).write_text(yaml.safe_dump(example))
    for text in rendered(service).values():
        for address in example["data"].values():
            assert permitted(text, address.partition("/")[0]) == {(53, "UDP"), (53, "TCP")}
        assert "node-local-dns" not in {one["metadata"]["name"] for one in objects(text)}


def examples(kind: str) -> Iterator[Object]:
    """Yield the objects of a kind on the page."""
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        yield from (one for one in yaml.safe_load_all(text) if one.get("kind") == kind)


def test_the_platforms_side_is_accepted(cluster_lab: Lab, template: Path, tmp_path: Path) -> None:
    """What writes the Secret everywhere, and Kyverno's policy with the Secret that it pulls with itself."""
    [secret] = examples("ClusterExternalSecret")
    labels = {one["metadata"]["labels"]["environment"] for one in _namespaces(template, tmp_path)}
    assert labels == set(ENVIRONMENTS)
    assert secret["spec"]["namespaceSelectors"] == [
        {"matchExpressions": [{"key": "environment", "operator": "Exists"}]}
    ]
    assert secret["spec"]["externalSecretSpec"]["target"]["name"] == "registry"
    [signature] = objects((tmp_path / "orders" / policies.SIGNATURE).read_text(encoding="utf-8"))
    text = re.search(r"^  credentials:\n    secrets: .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert text
    signature["spec"] |= yaml.safe_load(text[0])
    for one, place in ((secret, "externalSecretSpec"), (signature, "credentials")):
        assert cluster_lab.apply([one], dry_run=True)
        one["spec"][place]["misspelled"] = "x"
        with pytest.raises(KubectlError, match=rf"\.spec\.{place}\.misspelled: field not declared in schema"):
            cluster_lab.apply([one], dry_run=True)


def _namespaces(template: Path, work: Path) -> list[Object]:
    folder = lab.render(template, work / "orders", {"language": "go", "service_name": "orders"})
    return [only(objects(text), "Namespace") for text in rendered(folder).values()]
