"""The cluster lab itself, with manifests that are none of a service's."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.labs.cluster import KubectlError, Lab, LabError, access, api, places
from tests.labs.cluster.cluster import NEVER_READY, NODES
from tests.labs.cluster.parts import PARTS
from tests.labs.toolchains import ROOT
from tests.labs.waiting import until

pytestmark = pytest.mark.cluster

NAMES = [part.name for part in PARTS]
Manifest = dict[str, Any]


def workload(kind: str, name: str = "orders", replicas: int = 3) -> Manifest:
    """Return a Deployment, or a Rollout with one step."""
    pod = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": f"ghcr.io/acme/orders@sha256:{'1' * 64}"}]},
    }
    spec: Manifest = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod}
    version = "apps/v1"
    if kind == "Rollout":
        version = "argoproj.io/v1alpha1"
        spec["strategy"] = {"canary": {"steps": [{"setWeight": 20}]}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pods(lab: Lab, namespace: str) -> list[Manifest]:
    """Return the pods of a namespace."""
    items: list[Manifest] = json.loads(lab.kubectl("get", "pods", "--namespace", namespace, "--output", "json"))[
        "items"
    ]
    return items


def test_up_again_starts_nothing(cluster_lab: Lab) -> None:
    before = cluster_lab.status()
    assert cluster_lab.up() == []
    assert cluster_lab.status() == before


def test_a_lab_that_found_everything_up_takes_nothing_down(cluster_lab: Lab) -> None:
    before = cluster_lab.status()
    with Lab() as second:
        assert second.kubeconfig == cluster_lab.kubeconfig
    assert cluster_lab.status() == before


def test_the_programs_say_the_versions_that_they_are_built_from(cluster_lab: Lab) -> None:
    printed = json.loads(cluster_lab.kubectl("version", "--output", "json"))
    assert printed["serverVersion"]["gitVersion"] == printed["clientVersion"]["gitVersion"]
    assert printed["serverVersion"]["gitVersion"].startswith("v1.")
    assert "v0.0.0" not in cluster_lab.kubectl("argo", "rollouts", "version")
    assert "99.99.99" not in cluster_lab.kubectl("argo", "rollouts", "version")


def test_a_deployment_and_a_rollout_get_ready_pods_in_every_zone(cluster_lab: Lab, namespace: str) -> None:
    cluster_lab.apply([workload("Deployment", "deployed"), workload("Rollout", "rolled")], namespace)
    cluster_lab.kubectl("rollout", "status", "deployment/deployed", "--namespace", namespace, "--timeout=120s")
    cluster_lab.kubectl("argo", "rollouts", "status", "rolled", "--namespace", namespace, "--timeout=120s")
    running = pods(cluster_lab, namespace)
    assert len(running) == 6
    for pod in running:
        assert pod["status"]["phase"] == "Running"
        assert "True" in [item["status"] for item in pod["status"]["conditions"] if item["type"] == "Ready"]
    assert {pod["spec"]["nodeName"] for pod in running} == {f"node-{zone}" for zone in NODES}
    assert "Healthy" in cluster_lab.kubectl("argo", "rollouts", "get", "rollout", "rolled", "--namespace", namespace)


def test_a_pod_that_is_never_to_be_ready_is_scheduled_and_is_not(cluster_lab: Lab, namespace: str) -> None:
    deployment = workload("Deployment", replicas=1)
    deployment["spec"]["template"]["metadata"]["annotations"] = {NEVER_READY: "true"}
    cluster_lab.apply([deployment], namespace)
    with pytest.raises(KubectlError, match="timed out"):
        cluster_lab.kubectl("rollout", "status", "deployment/orders", "--namespace", namespace, "--timeout=5s")
    assert [bool(pod["spec"].get("nodeName")) for pod in pods(cluster_lab, namespace)] == [True]


@pytest.mark.parametrize(
    ("kind", "path", "typo"),
    [("Deployment", "spec", "replicass"), ("Rollout", "spec.strategy.canary.steps[0]", "setWeigth")],
)
def test_a_strict_apply_refuses_a_typo_and_names_its_path(
    cluster_lab: Lab, namespace: str, kind: str, path: str, typo: str
) -> None:
    manifest = workload(kind)
    cluster_lab.apply([manifest], namespace, dry_run=True)
    spec = manifest["spec"]
    (spec if path == "spec" else spec["strategy"]["canary"]["steps"][0])[typo] = 3
    with pytest.raises(KubectlError, match="field not declared in schema") as refused:
        cluster_lab.apply([manifest], namespace, dry_run=True)
    assert f"{path}.{typo}" in str(refused.value)
    assert cluster_lab.kubectl("get", "deployments,rollouts", "--namespace", namespace, "--output", "name") == ""


def test_the_crd_of_a_rollout_refuses_nonsense(cluster_lab: Lab, namespace: str) -> None:
    manifest = workload("Rollout")
    manifest["spec"]["strategy"]["canary"]["steps"][0]["setWeight"] = "twenty"
    with pytest.raises(KubectlError, match=r"steps\[0\].setWeight: expected numeric"):
        cluster_lab.apply([manifest], namespace)


def test_lint_refuses_a_weight_that_the_crd_lets_pass(cluster_lab: Lab, namespace: str, tmp_path: Path) -> None:
    manifest, file = workload("Rollout"), tmp_path / "rollout.yaml"
    file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    cluster_lab.kubectl("argo", "rollouts", "lint", "--filename", file)
    manifest["spec"]["strategy"]["canary"]["steps"][0]["setWeight"] = 120
    cluster_lab.apply([manifest], namespace, dry_run=True)
    file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    with pytest.raises(KubectlError, match=r"setWeight.*120"):
        cluster_lab.kubectl("argo", "rollouts", "lint", "--filename", file)


CUSTOM = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: x}
spec:
  secretStoreRef: {name: vault, kind: ClusterSecretStore}
  data: [{secretKey: a, remoteRef: {key: b}}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: x}
spec:
  project: orders
  source: {repoURL: https://example.com/x.git, path: deploy}
  destination: {server: https://kubernetes.default.svc, namespace: orders}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: x}
spec:
  generators: [{list: {elements: []}}]
  template:
    metadata: {name: x}
    spec:
      project: orders
      source: {repoURL: https://example.com/x.git, path: deploy}
      destination: {server: https://kubernetes.default.svc, namespace: orders}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: x}
spec: {selector: {}, endpoints: [{port: http}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec: {groups: [{name: a, rules: [{record: a, expr: b}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec: {rules: [{backendRefs: [{name: orders, port: 80}]}]}
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: x}
spec: {validations: [{expression: "true"}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: x}
spec: {metrics: [{name: a, provider: {prometheus: {address: "http://prometheus", query: b}}}]}
"""


@pytest.mark.parametrize("manifest", list(yaml.safe_load_all(CUSTOM)), ids=lambda manifest: manifest["kind"])
def test_a_custom_resource_is_accepted_and_one_with_an_unknown_field_is_not(
    cluster_lab: Lab, namespace: str, manifest: Manifest
) -> None:
    assert "serverside-applied" in cluster_lab.apply([manifest], namespace, dry_run=True)
    broken = {**manifest, "spec": {**manifest["spec"], "surprise": 1}}
    with pytest.raises(KubectlError, match="surprise"):
        cluster_lab.apply([broken], namespace, dry_run=True)


def test_a_folder_with_a_kustomization_is_built_and_applied(cluster_lab: Lab, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(workload("Deployment")), encoding="utf-8")
    kustomization = {"resources": ["deployment.yaml"], "namePrefix": "staging-", "namespace": namespace}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    assert "deployment.apps/staging-orders" in cluster_lab.apply(tmp_path, namespace, dry_run=True)
    env = cluster_lab.environment()
    done = subprocess.run(["kustomize", "build", tmp_path], env=env, capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "staging-orders"


POD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "x"},
    "spec": {"containers": [{"name": "app", "image": "ghcr.io/acme/orders:1"}]},
}


def test_pod_security_refuses_a_pod_that_is_not_restricted(cluster_lab: Lab) -> None:
    with (
        cluster_lab.namespace({"pod-security.kubernetes.io/enforce": "restricted"}) as restricted,
        pytest.raises(KubectlError, match='violates PodSecurity "restricted'),
    ):
        cluster_lab.apply([POD], restricted)


def test_a_pod_of_a_service_account_that_is_not_there_is_refused(cluster_lab: Lab, namespace: str) -> None:
    pod = {**POD, "spec": {**POD["spec"], "serviceAccountName": "nobody"}}
    with pytest.raises(KubectlError, match='serviceaccount "nobody" not found'):
        cluster_lab.apply([pod], namespace)


def test_a_pod_over_quota_is_refused(cluster_lab: Lab, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}, "spec": {"hard": {"pods": "1"}}}
    cluster_lab.apply([quota], namespace)
    done = "--for=jsonpath={.status.hard.pods}=1"
    cluster_lab.kubectl("wait", done, "resourcequota/one", "--namespace", namespace, "--timeout=120s")
    cluster_lab.apply([POD], namespace)
    with pytest.raises(KubectlError, match="exceeded quota: one"):
        cluster_lab.apply([{**POD, "metadata": {"name": "second"}}], namespace)


def test_a_namespace_goes_with_all_that_is_in_it(cluster_lab: Lab) -> None:
    with cluster_lab.namespace() as name:
        cluster_lab.apply([workload("Rollout", replicas=1)], name)
        cluster_lab.kubectl("argo", "rollouts", "status", "orders", "--namespace", name, "--timeout=120s")
    cluster_lab.kubectl("wait", "--for=delete", f"namespace/{name}", "--timeout=120s")


def test_two_tests_do_not_share_a_namespace(cluster_lab: Lab, namespace: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    with pytest.raises(KubectlError, match=f'"{namespace}" already exists'), cluster_lab.owned(manifest):
        pass
    assert cluster_lab.kubectl("get", "namespace", namespace, "--output", "jsonpath={.status.phase}") == "Active"


def test_runs_that_share_the_lab_have_a_namespace_one_after_the_other(cluster_lab: Lab) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"shared-{os.getpid()}"}}
    phases = []

    def second() -> None:
        # What the first has left is gone, also where it did not wait for that.
        with cluster_lab.owned(manifest) as name:
            phases.append(cluster_lab.kubectl("get", "namespace", name, "--output", "jsonpath={.status.phase}"))

    waiting = threading.Thread(target=second)
    with cluster_lab.owned(manifest, wait=False) as name:
        cluster_lab.apply([workload("Deployment")], name)
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
        assert phases == []
    waiting.join(300)
    assert phases == ["Active"]


def test_what_is_read_without_kubectl_is_what_kubectl_reads(cluster_lab: Lab, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    shown = json.loads(cluster_lab.kubectl("get", "namespace", namespace, "--output", "json"))
    assert api.get(path)["metadata"]["uid"] == shown["metadata"]["uid"]
    with pytest.raises(LabError, match=rf"GET {path}/services/none: 404 .*not found"):
        api.get(f"{path}/services/none")


@pytest.fixture
def exporter() -> Iterator[int]:
    """The port of something that Prometheus can scrape."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b"errors_total 7\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


RULES = {"groups": [{"name": "a", "interval": "1s", "rules": [{"record": "doubled", "expr": "2 * errors_total"}]}]}


def test_an_analysis_asks_a_prometheus_that_a_test_starts(
    cluster_lab: Lab, namespace: str, exporter: int, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(RULES), encoding="utf-8")
    scrape = [{"job_name": "x", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}]
    with cluster_lab.prometheus(scrape, [rules]) as prometheus:
        series = until(lambda: prometheus.query("doubled"))
        assert series[0]["value"][1] == "14"
        runs = [analysis("good", prometheus.url, "result[0] == 14"), analysis("bad", prometheus.url, "result[0] < 14")]
        cluster_lab.apply(runs, namespace)
        for name, phase in {"good": "Successful", "bad": "Failed"}.items():
            cluster_lab.kubectl(
                "wait", f"--for=jsonpath={{.status.phase}}={phase}", f"analysisrun/{name}", "--namespace", namespace,
                "--timeout=120s",
            )  # fmt: skip
        prometheus.stop()
        with pytest.raises(OSError, match="refused"):
            prometheus.query("doubled")
        prometheus.start()
        assert until(lambda: prometheus.query("doubled"))
    assert not traces(prometheus.url.removeprefix("http://"))


def analysis(name: str, address: str, condition: str) -> Manifest:
    """Return an AnalysisRun that measures once."""
    provider = {"prometheus": {"address": address, "query": "doubled"}}
    metric = {"name": "doubled", "count": 1, "successCondition": condition, "provider": provider}
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun"}
    return {**kind, "metadata": {"name": name}, "spec": {"metrics": [metric]}}


def test_broken_rules_are_an_error_that_names_them(cluster_lab: Lab, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: a, rules: [{record: a, expr: 'sum('}]}]\n", encoding="utf-8")
    with pytest.raises(LabError, match=r"prometheus-.* did not start"), cluster_lab.prometheus(rules=[rules]):
        pass
    command = ["promtool", "check", "rules", str(rules)]
    done = subprocess.run(command, env=cluster_lab.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "parse error" in done.stdout + done.stderr


@pytest.fixture
def own_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A second lab that shares what was built, so that the lab of the other tests stays up."""
    built = [path for path in places.lab_folder().iterdir() if path.is_dir()]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    places.lab_folder().mkdir(parents=True)
    for path in built:
        (places.lab_folder() / path.name).symlink_to(path)
    lab = Lab()
    with lab.holding():
        yield lab
        lab.down()


@pytest.mark.usefixtures("cluster_lab")
def test_up_starts_again_what_was_killed_and_the_cluster_is_as_it_was(own_lab: Lab) -> None:
    own_lab.up()
    own_lab.apply([workload("Rollout")])
    for part in PARTS:
        if part.name in ("etcd", "kube-scheduler", "rollouts-controller"):
            assert part.daemon.pid
            os.kill(part.daemon.pid, signal.SIGKILL)
            end = time.monotonic() + 30
            while part.daemon.pid:  # a busy machine ends a process some time after the signal
                assert time.monotonic() < end, f"{part.name} does not end"
                time.sleep(0.05)
    # The API server goes with its data.
    assert own_lab.up() == ["etcd", "kube-apiserver", "kube-scheduler", "rollouts-controller"]
    own_lab.kubectl("argo", "rollouts", "status", "orders", "--timeout=120s")


@pytest.mark.usefixtures("cluster_lab")
def test_down_leaves_no_process_no_port_no_mount_and_no_file(own_lab: Lab) -> None:
    assert own_lab.up() == NAMES
    left = own_lab.prometheus()
    left.start()
    ports = [*access.ports().values(), int(left.url.rpartition(":")[2])]
    run_folder = places.run_folder()
    assert len(traces(str(run_folder))) >= len(NAMES)
    assert any(listens(port) for port in ports)
    own_lab.down()
    assert not any(own_lab.status().values())
    assert not traces(str(run_folder))
    assert not traces(str(places.lab_folder()))
    assert not any(listens(port) for port in ports)
    assert not run_folder.exists()


def listens(port: int) -> bool:
    """Return whether something accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def traces(text: str) -> list[str]:
    """Return the processes and mounts that name something."""
    found = [line for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines() if text in line]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def command(*arguments: str, cache: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the lab's command with an empty cache."""
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "tests.labs.cluster", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip


def test_a_missing_go_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "make", "bash"):
        (programs / name).symlink_to("/bin/true")
    done = command("up", cache=tmp_path, path=str(programs))
    assert done.returncode == 1
    assert re.match(r"Go (\S+) is missing: install Go \1 and put it on PATH$", done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_missing_apt_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "make", "bash"):
        (programs / name).symlink_to("/bin/true")
    (programs / "go").write_text("#!/bin/sh\necho go version go1.26.8\n", encoding="utf-8")
    (programs / "go").chmod(0o755)
    done = command("up", cache=tmp_path, path=str(programs))
    assert done.returncode == 1
    assert "check that apt can download" in done.stderr
    assert done.stderr.count("\n") == 1


def test_env_of_a_lab_that_is_down_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    done = command("env", cache=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no etcd runs: run python -m tests.labs.cluster up\n"
