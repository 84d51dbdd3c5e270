"""The External Secrets Operator reads the store as the template's account, and Argo CD says what it could not read."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.services import Object
from tests.cluster.stores import Aws, Store, Vault
from tests.cluster.synced import Synced, by_hand
from tests.labs import template as template_lab
from tests.labs.cluster import Lab, api
from tests.labs.cluster.argocd_running import ArgoCD
from tests.labs.cluster.external_secrets import ExternalSecrets
from tests.labs.waiting import until

pytestmark = pytest.mark.cluster

OPERATOR = "/apis/external-secrets.io/v1"
KEYS = {"DATABASE_PASSWORD": "first", "PARTNER_TOKEN": "a=b\nc"}


STORES: dict[str, type[Store]] = {"vault": Vault, "aws": Aws}


@pytest.fixture(params=["vault"])
def kind(request: pytest.FixtureRequest) -> str:
    """The answer ``secrets``; what differs by store is tried with each."""
    return str(request.param)


each_store = pytest.mark.parametrize("kind", STORES, indirect=True)


@pytest.fixture
def store(cluster_lab: Lab, kind: str) -> Iterator[Store]:
    with STORES[kind](cluster_lab) as running:
        yield running


@pytest.fixture
def service(template: Path, tmp_path: Path, kind: str, store: Store) -> Path:
    """A service that reads this store, and is let in as docs/reference/gitops.md says."""
    name = f"orders-{uuid.uuid4().hex[:6]}"
    folder = template_lab.render(template, tmp_path / name, {"language": "go", "service_name": name, "secrets": kind})
    file = folder / "deploy/overlays/staging/secretstore.yaml"
    file.write_text(store.reached(file.read_text(encoding="utf-8")), encoding="utf-8")
    store.grant(name, "staging", f"{name}-staging")
    by_hand(folder, "canary")
    return folder


@pytest.fixture
def staging(cluster_lab: Lab, argo: ArgoCD, service: Path, store: Store) -> Iterator[Synced]:
    operator = ExternalSecrets(cluster_lab, f"{service.name}-staging", store.env)
    with operator, Synced(cluster_lab, argo, service) as running:
        yield running


def secret(staging: Synced) -> dict[str, str]:
    """Return what is in the Secret that pods of the service read; nothing before it is there."""
    found = api.get(f"/api/v1/namespaces/{staging.namespace}/secrets")["items"]
    data = [one.get("data", {}) for one in found if one["metadata"]["name"] == f"{staging.folder.name}-secrets"]
    return {name: base64.b64decode(value).decode() for some in data for name, value in some.items()}


def condition(staging: Synced, kind: str) -> Object:
    """Return what the operator says of the service's store or ExternalSecret."""
    found = api.get(f"{OPERATOR}/namespaces/{staging.namespace}/{kind}/{staging.folder.name}")
    return next(iter(found.get("status", {}).get("conditions", ())), {})


def read_again(lab: Lab, staging: Synced) -> None:
    """Ask for it now instead of in an hour, as docs/reference/gitops.md says."""
    lab.kubectl(
        "annotate", "externalsecret", staging.folder.name, "--namespace", staging.namespace, "--overwrite",
        f"force-sync={uuid.uuid4().hex}",
    )  # fmt: skip


@each_store
def test_every_key_of_the_entry_reaches_the_pods_and_a_rotation_the_secret(
    cluster_lab: Lab, staging: Synced, store: Store
) -> None:
    store.entries[f"{staging.folder.name}/staging"] = dict(KEYS)
    # Neither store nor Secret are in git, so that an operator wrote them makes no difference to Argo CD.
    staging.synced()
    assert secret(staging) == KEYS
    assert condition(staging, "secretstores")["reason"] == "Valid"
    assert staging.missing() == set(), "what the pods name is there"
    [pod, *_] = api.get(f"/api/v1/namespaces/{staging.namespace}/pods")["items"]
    sources = [one["secretRef"] for one in pod["spec"]["containers"][0]["envFrom"] if "secretRef" in one]
    assert sources == [{"name": f"{staging.folder.name}-secrets"}]
    rotated = {"DATABASE_PASSWORD": "second"}
    store.entries[f"{staging.folder.name}/staging"] = rotated
    before = staging.rollout()["status"]["currentPodHash"]
    read_again(cluster_lab, staging)
    # A key that is gone from the entry goes from the Secret too.
    until(lambda: secret(staging), lambda found: found == rotated)
    assert staging.rollout()["status"]["currentPodHash"] == before, "pods read it when they start"
    pods = set(staging.pods())
    staging.decide("restart")
    until(lambda: set(staging.pods()), lambda now: len(now) == len(pods) and not now & pods)
    staging.synced()


@each_store
def test_an_entry_that_is_missing_is_said_by_argo_cd_and_by_the_operator_why(
    cluster_lab: Lab, staging: Synced, store: Store
) -> None:
    degraded(staging, "externalsecrets", "SecretSyncedError")
    events = f"/api/v1/namespaces/{staging.namespace}/events?fieldSelector=reason%3DUpdateFailed"
    until(lambda: str(api.get(events)["items"]), lambda said: "Secret does not exist" in said)
    assert secret(staging) == {}
    assert staging.missing() == {f"secrets/{staging.folder.name}-secrets"}, "so no pod starts"
    store.entries[f"{staging.folder.name}/staging"] = dict(KEYS)
    read_again(cluster_lab, staging)
    staging.synced()
    assert secret(staging) == KEYS


def degraded(staging: Synced, kind: str, reason: str) -> None:
    """Wait until Argo CD says that the environment is degraded, for this reason."""
    staging.wait(lambda said: said.get("health", {}).get("status") == "Degraded")
    until(lambda: condition(staging, kind), lambda said: said.get("reason") == reason)


@each_store
def test_another_account_is_let_in_nowhere(staging: Synced, store: Store, kind: str) -> None:
    """The role is another environment's, as if somebody had copied the store."""
    name = staging.folder.name
    store.entries[f"{name}/staging"] = dict(KEYS)
    store.grant(name, "staging", f"{name}-production")
    degraded(staging, "secretstores", {"vault": "InvalidProviderConfig", "aws": "ValidationFailed"}[kind])
    assert secret(staging) == {}


def test_a_store_that_is_gone_takes_nothing_from_the_pods(cluster_lab: Lab, staging: Synced, store: Store) -> None:
    store.entries[f"{staging.folder.name}/staging"] = dict(KEYS)
    staging.synced()
    store.entries.clear()
    read_again(cluster_lab, staging)
    until(lambda: condition(staging, "externalsecrets"), lambda said: said.get("status") == "False")
    assert secret(staging) == KEYS
    assert staging.missing() == set()
