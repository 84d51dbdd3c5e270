"""Secrets are read from each environment's own store; none stands in a manifest, and a missing store is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster.services import ENVIRONMENTS, Object, apart, objects, only, rendered, script
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab, offline

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("cluster_lab")]

STORES = ("vault", "aws", "gcp")
OVERLAY = "deploy/overlays/production"


def write(template: Path, folder: Path, secrets: str, name: str = "orders") -> Path:
    return lab.render(template, folder, {"language": "go", "service_name": name, "secrets": secrets})


@pytest.fixture(scope="module")
def services(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A service of each store, as it is written; a test that changes one takes ``service``."""
    folder = tmp_path_factory.mktemp("stores")
    return {name: write(template, folder / name, name) for name in STORES}


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    return write(template, tmp_path / "orders", "vault")


def add(service: Path, manifest: Object) -> None:
    """Give production one more manifest."""
    (service / OVERLAY / "more.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    kustomization = service / OVERLAY / "kustomization.yaml"
    text = kustomization.read_text(encoding="utf-8")
    kustomization.write_text(text.replace("  - namespace.yaml\n", "  - namespace.yaml\n  - more.yaml\n"))


def set_variable(service: Path, name: str, value: str) -> None:
    """Give the container in production one more variable."""
    with (service / OVERLAY / "kustomization.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "  - target:\n      kind: Rollout\n    patch: |\n"
            "      - op: add\n        path: /spec/template/spec/containers/0/env\n"
            f"        value: [{{name: {name}, value: {value!r}}}]\n"
        )


def failure(service: Path) -> str:
    """Return the one line with which ``make manifests`` fails; nothing is written then."""
    done = script(service, "manifests", "render")
    assert done.returncode == 1, done.stderr
    assert not (service / "build/manifests").exists()
    [line] = done.stderr.splitlines()
    return line


def test_each_environment_reads_its_own_entry_as_its_own_role(services: dict[str, Path]) -> None:
    for name, folder in services.items():
        entries, accounts = set(), set()
        for text in rendered(folder).values():
            found = objects(text)
            secret, store = only(found, "ExternalSecret"), only(found, "SecretStore")
            assert secret["spec"]["secretStoreRef"] == {"kind": "SecretStore", "name": store["metadata"]["name"]}
            entries.add(secret["spec"]["dataFrom"][0]["extract"]["key"])
            [account] = [item for item in found if item["metadata"]["name"] == "orders-secrets"]
            assert account["kind"] == "ServiceAccount"
            assert account["metadata"]["namespace"] == store["metadata"]["namespace"]
            accounts.add(yaml.safe_dump([account["metadata"].get("annotations"), store["spec"]["provider"]]))
            pod = only(found, "Rollout")["spec"]["template"]["spec"]
            assert pod["serviceAccountName"] != account["metadata"]["name"]
            assert {"secretRef": {"name": secret["spec"]["target"]["name"]}} in pod["containers"][0]["envFrom"]
        assert len(entries) == len(accounts) == len(ENVIRONMENTS), name


@pytest.mark.parametrize("store", STORES)
def test_the_server_knows_every_field_of_the_stores_and_no_other(
    cluster_lab: Lab, namespace: str, services: dict[str, Path], store: str
) -> None:
    found = objects(rendered(services[store])["staging"])
    asked = [only(found, kind) for kind in ("SecretStore", "ExternalSecret")]
    for one in asked:
        one["metadata"]["namespace"] = namespace
    assert offline.problems(yaml.safe_dump_all(asked)) == []
    assert len(cluster_lab.apply(asked, namespace, dry_run=True).splitlines()) == 2
    [(provider, fields)] = asked[0]["spec"]["provider"].items()
    fields["regoin"] = "x"
    assert offline.problems(yaml.safe_dump_all(asked)) == [
        f'SecretStore orders: unknown field "spec.provider.{provider}.regoin"'
    ]
    with pytest.raises(KubectlError, match=rf"\.spec\.provider\.{provider}\.regoin: field not declared in schema"):
        cluster_lab.apply(asked[:1], namespace, dry_run=True)


def test_a_pod_asks_for_the_secret(cluster_lab: Lab, template: Path, tmp_path: Path) -> None:
    """What Argo Rollouts makes of it; pods are simulated, so none waits for the Secret."""
    name = "orders"
    found = objects(apart(rendered(write(template, tmp_path / name, "vault", name))["staging"]))
    with cluster_lab.owned(only(found, "Namespace")) as namespace:
        cluster_lab.apply(found, namespace)
        where = ("--namespace", namespace)
        selector = f"app.kubernetes.io/name={name}"
        cluster_lab.kubectl("wait", "--for=create", "pods", "-l", selector, "--timeout=120s", *where)
        path = "jsonpath={.items[0].spec.containers[0].envFrom[*].secretRef.name}"
        assert cluster_lab.kubectl("get", "pods", "--output", path, *where) == f"{name}-secrets"


def test_a_store_that_is_not_there_is_one_line(service: Path) -> None:
    file = service / OVERLAY / "secretstore.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("kind: SecretStore\nmetadata:\n  name: orders\n", "kind: SecretStore\nmetadata:\n  name: order\n")
    )
    assert failure(service) == (
        "  FAIL  render: production: "
        "GP403 ExternalSecret orders names the SecretStore orders, which the overlay lacks; it has order"
    )
    kustomization = service / OVERLAY / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text(encoding="utf-8").replace("  - secretstore.yaml\n", ""))
    assert failure(service).endswith("names the SecretStore orders, which the overlay lacks; it has none")


def test_a_secret_that_nothing_writes_is_one_line(service: Path) -> None:
    kustomization = service / "deploy/base/kustomization.yaml"
    kustomization.write_text(kustomization.read_text(encoding="utf-8").replace("  - externalsecret.yaml\n", ""))
    for name in ENVIRONMENTS:
        overlay = service / f"deploy/overlays/{name}/kustomization.yaml"
        text = overlay.read_text(encoding="utf-8")
        overlay.write_text(text.replace("  - target:\n      kind: ExternalSecret\n", "  - target:\n      kind: None\n"))
    assert failure(service).endswith(
        "GP402 Rollout orders reads the Secret orders-secrets, which no ExternalSecret of the overlay writes"
    )


def plain(kind: str, **fields: object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "planted"}, **fields}


def pod(kind: str, spec: Object) -> Object:
    """Return what runs a pod that is given a token by an argument; its template stands where the spec has dots."""
    runs = {"spec": {"containers": [{"name": "a", "image": "a", "args": ["--token=hunter2"]}]}}

    def filled(value: object) -> object:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return [filled(one) for one in value] if isinstance(value, list) else runs if value is ... else value

    return plain(kind, **{"spec": filled(spec)} if spec else runs)


KEY = "-----BEGIN " + "PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        (plain("Secret", data={"A": "eA=="}), "data"),
        (plain("Secret", stringData={"A": "x"}), "stringData"),
        (plain("ConfigMap", data={"DATABASE_PASSWORD": "hunter2"}), "a value for DATABASE_PASSWORD"),
        (plain("ConfigMap", data={"apiKey": "1234"}), "a value for apiKey"),
        (plain("ConfigMap", data={"DB_PASS": "hunter2"}), "a value for DB_PASS"),
        (
            plain("ConfigMap", data={"a.properties": "b=1\nc.password=hunter2\n"}),
            "a value for c.password in a.properties",
        ),
        (plain("ConfigMap", binaryData={"a.env": "REJfUEFTUz1odW50ZXIyCg=="}), "a value for DB_PASS in a.env"),
        (pod("Pod", {}), "a value for token in args"),
        (pod("Experiment", {"templates": [{"name": "a", "template": ...}]}), "a value for token in args"),
        (
            pod("AnalysisTemplate", {"metrics": [{"name": "a", "provider": {"job": {"spec": {"template": ...}}}}]}),
            "a value for token in args",
        ),
        (plain("ConfigMap", data={"a": KEY}), "what looks like a private key"),
        (plain("ConfigMap", data={"a": "AKIA" + "ABCDEFGHIJKLMNOP"}), "what looks like an AWS access key"),
        (plain("ConfigMap", data={"a": "ghp_" + "a" * 36}), "what looks like a GitHub token"),
        (plain("ConfigMap", data={"A": "postgres://me:hunter2@db/x"}), "what looks like a password in an address"),
        (plain("ConfigMap", data={"A": f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 20}"}), "what looks like a signed token"),
    ],
)
def test_a_planted_secret_is_one_line_without_it(service: Path, manifest: Object, what: str) -> None:
    add(service, manifest)
    assert failure(service) == (
        f"  FAIL  render: production: GP404 {manifest['kind']} planted holds {what}: "
        "keep it in the environment's store, for an ExternalSecret to read"
    )


@pytest.mark.parametrize("name", ["API_TOKEN", "DB_PASSWORD", "client_secret"])
def test_a_variable_that_is_called_like_a_secret_is_one_line(service: Path, name: str) -> None:
    set_variable(service, name, "s3cr3t")
    line = failure(service)
    assert f"Rollout orders holds a value for {name}: keep it" in line
    assert "s3cr3t" not in line


@pytest.mark.parametrize(
    "manifest",
    [
        plain("ConfigMap", data={"TOKEN_URL": "https://id.example.com/token", "TOKEN_FILE": "/run/token"}),
        plain("ConfigMap", data={"API_KEY": "", "A": "https://db.example.com:5432/x@y"}),
    ],
)
def test_what_only_says_where_a_secret_is_passes(service: Path, manifest: Object) -> None:
    add(service, manifest)
    set_variable(service, "SECRET_NAME", "orders")
    assert "planted" in rendered(service)["production"]


def test_a_store_of_the_whole_cluster_is_the_platforms_to_know(service: Path) -> None:
    file = service / "deploy/base/externalsecret.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("kind: SecretStore", "kind: ClusterSecretStore"))
    assert "kind: ClusterSecretStore" in rendered(service)["staging"]
