"""What passes the rules of the policies and what each of them refuses, the same for every engine that judges it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"ghcr.io/acme/orders@{DIGEST}"
LABELS = {"app.kubernetes.io/name": "orders", "owner": "platform", "cost-center": "platform"}
TOKEN = "ghp_" + "a" * 36
SIZE = {"cpu": "100m", "memory": "64Mi"}
NOTHING = {"cpu": "0", "memory": "0Mi"}


@dataclass(frozen=True)
class Case:
    """One object.

    Attributes:
        name: what it is about.
        object: as it is applied.
        policy: the rule that it breaks; none where it passes all.
        said: a part of the reason.
    """

    name: str
    object: Object
    policy: str = ""
    said: str = ""


def container(name: str = "orders", **fields: Any) -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "resources": {"requests": SIZE, "limits": SIZE},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **fields,
    }


def pod(**fields: Any) -> Object:
    """Return a pod that passes; its spec's fields are the arguments."""
    spec = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container()],
        **fields,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "orders", "labels": dict(LABELS)}, "spec": spec}


def made_by(kind: str, one: Object) -> Object:
    """Return what makes pods such as this one."""
    template = {"metadata": {"labels": one["metadata"]["labels"]}, "spec": copy.deepcopy(one["spec"])}
    versions = {"Job": "batch/v1", "CronJob": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}
    spec: Object = {"template": template}
    if kind in ("Job", "CronJob"):
        template["spec"]["restartPolicy"] = "Never"
    else:
        spec["selector"] = {"matchLabels": {"app.kubernetes.io/name": "orders"}}
    if kind == "StatefulSet":
        spec["serviceName"] = "orders"
    if kind == "Rollout":
        spec["strategy"] = {"canary": {}}
    if kind == "CronJob":
        spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": spec}}
    return {
        "apiVersion": versions.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "orders", "labels": dict(LABELS)},
        "spec": spec,
    }


CONTROLLERS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "Job", "CronJob", "Rollout")


def _with_image(image: str) -> Object:
    return pod(containers=[container(image=image)])


def fetching(**told: Any) -> Object:
    """Return a pod whose init container is told of a model."""
    return pod(initContainers=[container("model", env=[{"name": "MODEL_REF", **told}])])


def _with_model(reference: str) -> Object:
    return fetching(value=reference)


def _with_env(name: str, value: str) -> Object:
    return pod(containers=[container(env=[{"name": name, "value": value}])])


def _with_arguments(*arguments: str) -> Object:
    return pod(containers=[container(command=["app"], args=list(arguments))])


def _changed(before: Mapping[str, Any], fields: Mapping[str, Any]) -> Object:
    """Return fields with others set, or taken out where they are nothing."""
    return {key: value for key, value in {**before, **fields}.items() if value is not None}


def _secured(**fields: Any) -> Object:
    secure = container()
    secure["securityContext"] = _changed(secure["securityContext"], fields)
    return pod(containers=[secure])


def _pod_secured(**fields: Any) -> Object:
    one = pod()
    one["spec"]["securityContext"] = _changed(one["spec"]["securityContext"], fields)
    return one


def _sized(**resources: Any) -> Object:
    return pod(containers=[container(resources=resources)])


def _labelled(**labels: str | None) -> Object:
    one = pod()
    one["metadata"]["labels"] = _changed(LABELS, labels)
    return one


def _annotated(**annotations: str) -> Object:
    one = pod()
    one["metadata"]["annotations"] = annotations
    return one


def _config(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orders"}, "data": data}


def network(
    *egress: Object, kinds: tuple[str, ...] = ("Ingress", "Egress"), selector: Mapping[str, str] | None = None
) -> Object:
    """Return a NetworkPolicy.

    Args:
        egress: its rules.
        kinds: its types.
        selector: labels of the pods; all pods by default.
    """
    spec: Object = {"podSelector": {"matchLabels": dict(selector)} if selector else {}, "policyTypes": list(kinds)}
    if egress:
        spec["egress"] = list(egress)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "orders"}, "spec": spec}


# In a pod that runs only; nothing can be created with one.
DEBUGGED = [
    Case("ephemeral, fine", pod(ephemeralContainers=[{**container("debug"), "resources": {}}])),
    Case(
        "ephemeral by tag",
        pod(ephemeralContainers=[{**container("debug", image="ghcr.io/acme/debug:1"), "resources": {}}]),
        "image-digest",
        "not ghcr.io/acme/debug:1",
    ),
    Case(
        "ephemeral of elsewhere",
        pod(ephemeralContainers=[{**container("debug", image=f"busybox@{DIGEST}"), "resources": {}}]),
        "image-registry",
        f"not busybox@{DIGEST}",
    ),
    Case(
        "ephemeral and unrestricted",
        pod(ephemeralContainers=[{"name": "debug", "image": IMAGE}]),
        "pod-security",
        "debug (allowPrivilegeEscalation, capabilities.drop)",
    ),
]
for _case in DEBUGGED:
    for _one in _case.object["spec"]["ephemeralContainers"]:
        _one.pop("resources", None)

GOOD = [
    Case("plain", pod()),
    Case("tag and digest", _with_image(f"ghcr.io/acme/orders:1.2.3@{DIGEST}")),
    Case("init", pod(initContainers=[container("first")])),
    Case("another's beside it", pod(initContainers=[container("first", image=f"ghcr.io/acme/order@{DIGEST}")])),
    Case("another's that ends like it", _with_image(f"ghcr.io/acme/my-orders@{DIGEST}")),
    Case("of no service", _labelled(**{"app.kubernetes.io/name": None})),
    Case("sidecar", pod(initContainers=[container("first", restartPolicy="Always")])),
    Case("other numbers", pod(containers=[container(resources={"requests": SIZE, "limits": {**SIZE, "cpu": "2"}})])),
    Case("where a secret is", _with_env("TOKEN_URL", "https://id.example.com/token")),
    Case("an empty secret", _with_env("API_KEY", "")),
    Case(
        "a secret's name",
        pod(containers=[container(env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}])]),
    ),
    Case("net bind", _secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})),
    Case("port", pod(containers=[container(ports=[{"containerPort": 8080}])])),
    Case("volumes", pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "x"}}])),
    Case("image volume", pod(volumes=[{"name": "a", "image": {"reference": f"ghcr.io/acme/model@{DIGEST}"}}])),
    Case("its model", _with_model(f"ghcr.io/acme/orders-model@{DIGEST}")),
    Case(
        "its model in a volume",
        pod(volumes=[{"name": "a", "image": {"reference": f"ghcr.io/acme/orders-model@{DIGEST}"}}]),
    ),
    Case("sysctl", _pod_secured(sysctls=[{"name": "net.ipv4.tcp_syncookies", "value": "1"}])),
    Case("probe", pod(containers=[container(readinessProbe={"httpGet": {"path": "/readyz", "port": 8080}})])),
    Case("config", _config(TOKEN_URL="https://id.example.com", LOG_LEVEL="info", API_KEY="")),
    Case("egress to pods", network({"to": [{"podSelector": {}}]})),
    Case("egress to a block", network({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})),
    Case("egress to private blocks, v6", network({"to": [{"ipBlock": {"cidr": "fc00::/7"}}]})),
    Case("a reference", _with_env("DB_PASSWORD", "$(FROM_THE_STORE)")),
    Case("arguments", _with_arguments("--token-file=/run/token", "--password=$(PASSWORD)", "--token", "--verbose")),
    Case(
        "lines without a value",
        _config(**{"a.properties": "password=${DB_PASSWORD}\ntoken=\n", "b.yaml": "secret: *x\n"}),
    ),
    Case("a program", _config(**{"a.py": "password = 'x'\n", "b.conf": "password = os.getenv('X')\n"})),
    Case("a large config", _config(**{"a.txt": "x: y\n" * 45_000})),
    Case("no egress", network()),
    *(Case(kind, made_by(kind, pod())) for kind in CONTROLLERS),
    Case(
        "refers to a Deployment",
        {
            **made_by("Rollout", pod()),
            "spec": {
                "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders"},
                "strategy": {"canary": {}},
            },
        },
    ),
]

_RESTRICTED = {
    "hostNetwork": (pod(hostNetwork=True), "pod (hostNetwork)"),
    "hostPID": (pod(hostPID=True), "pod (hostPID)"),
    "hostIPC": (pod(hostIPC=True), "pod (hostIPC)"),
    "hostPath": (pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), "pod (volumes)"),
    "nfs": (pod(volumes=[{"name": "a", "nfs": {"server": "x", "path": "/"}}]), "pod (volumes)"),
    "pod as root": (_pod_secured(runAsUser=0), "pod (runAsUser)"),
    "pod unconfined": (
        _pod_secured(seccompProfile={"type": "Unconfined"}),
        "pod (seccompProfile), orders (seccompProfile)",
    ),
    "pod's AppArmor": (_pod_secured(appArmorProfile={"type": "Unconfined"}), "pod (appArmorProfile)"),
    "pod's SELinux type": (_pod_secured(seLinuxOptions={"type": "spc_t"}), "pod (seLinuxOptions)"),
    "sysctls": (_pod_secured(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), "pod (sysctls)"),
    "root may be": (_pod_secured(runAsNonRoot=None), "orders (runAsNonRoot)"),
    "root is meant": (_pod_secured(runAsNonRoot=False), "pod (runAsNonRoot), orders (runAsNonRoot)"),
    "AppArmor of old": (
        _annotated(**{"container.apparmor.security.beta.kubernetes.io/orders": "unconfined"}),
        "pod (appArmorProfile annotation)",
    ),
    "escalation": (_secured(allowPrivilegeEscalation=None), "orders (allowPrivilegeEscalation)"),
    "capabilities kept": (_secured(capabilities={"drop": ["NET_RAW"]}), "orders (capabilities.drop)"),
    "capabilities added": (_secured(capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}), "orders (capabilities.add)"),
    "container as root": (_secured(runAsUser=0), "orders (runAsUser)"),
    "container may be root": (_secured(runAsNonRoot=False), "orders (runAsNonRoot)"),
    "container unconfined": (_secured(seccompProfile={"type": "Unconfined"}), "orders (seccompProfile)"),
    "container's SELinux user": (_secured(seLinuxOptions={"user": "x"}), "orders (seLinuxOptions)"),
    "container's AppArmor": (_secured(appArmorProfile={"type": "Unconfined"}), "orders (appArmorProfile)"),
    "host port": (pod(containers=[container(ports=[{"containerPort": 80, "hostPort": 80}])]), "orders (hostPort)"),
    "host of a probe": (
        pod(containers=[container(livenessProbe={"tcpSocket": {"host": "10.0.0.1", "port": 80}})]),
        "orders (host of a probe)",
    ),
    "host of a hook": (
        pod(containers=[container(lifecycle={"preStop": {"httpGet": {"host": "10.0.0.1", "port": 80}}})]),
        "orders (host of a lifecycle handler)",
    ),
    "init": (
        pod(initContainers=[container("first", securityContext={})]),
        "first (allowPrivilegeEscalation, capabilities.drop)",
    ),
}
RESTRICTED = [Case(name, one, "pod-security", said) for name, (one, said) in _RESTRICTED.items()]

_BAD: dict[str, dict[str, tuple[Object, str]]] = {
    "image-digest": {
        "tag": (_with_image("ghcr.io/acme/orders:1.2.3"), "not ghcr.io/acme/orders:1.2.3"),
        "latest": (_with_image("ghcr.io/acme/orders:latest"), "not ghcr.io/acme/orders:latest"),
        "nothing": (_with_image("ghcr.io/acme/orders"), "not ghcr.io/acme/orders"),
        "short digest": (_with_image("ghcr.io/acme/orders@sha256:abc"), "not ghcr.io/acme/orders@sha256:abc"),
        "other digest": (_with_image(f"ghcr.io/acme/orders@md5:{'a' * 64}"), "@md5:"),
        "init by tag": (pod(initContainers=[container("first", image="ghcr.io/acme/x:1")]), "not ghcr.io/acme/x:1"),
        "image volume by tag": (
            pod(volumes=[{"name": "a", "image": {"reference": "ghcr.io/acme/model:1"}}]),
            "not ghcr.io/acme/model:1",
        ),
        "model by tag": (_with_model("ghcr.io/acme/orders-model:v1"), "not ghcr.io/acme/orders-model:v1"),
        "model of a name": (_with_model("ghcr.io/acme/orders-model"), "not ghcr.io/acme/orders-model"),
        "two models": (
            pod(
                initContainers=[
                    container("first", env=[{"name": "MODEL_REF", "value": f"ghcr.io/acme/x@{DIGEST}"}] * 2)
                ]
            ),
            f"not ghcr.io/acme/x@{DIGEST} ghcr.io/acme/x@",
        ),
        "model of the service's container": (_with_env("MODEL_REF", "ghcr.io/acme/orders-model:v1"), "orders-model:v1"),
    },
    "image-registry": {
        "elsewhere": (_with_image(f"docker.io/library/nginx@{DIGEST}"), f"not docker.io/library/nginx@{DIGEST}"),
        "no registry": (_with_image(f"nginx@{DIGEST}"), "not nginx@"),
        "beginning": (_with_image(f"ghcr.io/acme-evil/orders@{DIGEST}"), "not ghcr.io/acme-evil/orders@"),
        "other host": (_with_image(f"ghcr.io.evil.example/acme/orders@{DIGEST}"), "not ghcr.io.evil.example/"),
        "port": (_with_image(f"localhost:5000/orders@{DIGEST}"), "not localhost:5000/orders@"),
        "port, tag and digest": (_with_image(f"localhost:5000/orders:1@{DIGEST}"), "not localhost:5000/orders:1@"),
        "begins like the service": (_with_image(f"ghcr.io/acme/orders-evil@{DIGEST}"), "not ghcr.io/acme/orders-evil@"),
        "begins like it, with a tag": (_with_image(f"ghcr.io/acme/orders2:1@{DIGEST}"), "not ghcr.io/acme/orders2:1@"),
        "below it": (_with_image(f"ghcr.io/acme/orders/evil@{DIGEST}"), "not ghcr.io/acme/orders/evil@"),
        "its preview": (_with_image(f"ghcr.io/acme/orders-preview@{DIGEST}"), "not ghcr.io/acme/orders-preview@"),
        "its cache, beside it": (
            pod(initContainers=[container("first", image=f"ghcr.io/acme/orders-cache@{DIGEST}")]),
            "not ghcr.io/acme/orders-cache@",
        ),
        "a volume like it": (
            pod(volumes=[{"name": "a", "image": {"reference": f"ghcr.io/acme/orders-x@{DIGEST}"}}]),
            "not ghcr.io/acme/orders-x@",
        ),
        "its model, to run": (_with_image(f"ghcr.io/acme/orders-model@{DIGEST}"), "not ghcr.io/acme/orders-model@"),
        "its model, to run beside one": (
            pod(
                containers=[container(image=f"ghcr.io/acme/orders-model@{DIGEST}")],
                initContainers=[
                    container("first", env=[{"name": "MODEL_REF", "value": f"ghcr.io/acme/orders-model@{DIGEST}"}])
                ],
            ),
            "not ghcr.io/acme/orders-model@",
        ),
        "another's model": (_with_model(f"ghcr.io/acme/orders-models@{DIGEST}"), "not ghcr.io/acme/orders-models@"),
        "a model from elsewhere": (
            _with_model(f"docker.io/acme/orders-model@{DIGEST}"),
            "not docker.io/acme/orders-model@",
        ),
        "init of elsewhere": (pod(initContainers=[container("first", image=f"x@{DIGEST}")]), "not x@"),
    },
    "pod-resources": {
        "nothing": (_sized(), "orders (requests.cpu, requests.memory, limits.cpu, limits.memory)"),
        "no limits": (_sized(requests=SIZE), "orders (limits.cpu, limits.memory)"),
        "no memory limit": (_sized(requests=SIZE, limits={"cpu": "1"}), "orders (limits.memory)"),
        "no cpu": (_sized(requests={"memory": "1Mi"}, limits={"memory": "1Mi"}), "orders (requests.cpu, limits.cpu)"),
        "init": (pod(initContainers=[container("first", resources={})]), "first (requests.cpu"),
        "limits of 0": (_sized(requests=NOTHING, limits=NOTHING), "orders (requests.cpu, requests.memory, limits.cpu"),
        "a limit of 0 as a number": (
            _sized(requests={**SIZE, "cpu": 0}, limits={**SIZE, "cpu": 0}),
            "orders (requests.cpu, limits.cpu)",
        ),
    },
    "owner-labels": {
        "no owner": (_labelled(owner=None), "not owner"),
        "no cost centre": (_labelled(**{"cost-center": ""}), "not cost-center"),
        "neither": (_labelled(owner=None, **{"cost-center": None}), "not owner, cost-center"),
    },
    "no-secrets": {
        "by its name": (_with_env("DATABASE_PASSWORD", "hunter2"), "the value of DATABASE_PASSWORD in"),
        "by its name in small": (_with_env("client_secret", "hunter2"), "client_secret"),
        "by its form": (_with_env("GREETING", TOKEN), "the value of GREETING in"),
        "in an address": (_with_env("DSN", "postgres://me:hunter2@db/x"), "the value of DSN in"),
        "of init": (
            pod(initContainers=[container("first", env=[{"name": "X_TOKEN", "value": "a"}])]),
            "the value of X_TOKEN in",
        ),
        "by a short name": (_with_env("DB_PASS", "hunter2"), "the value of DB_PASS in"),
        "in a flag": (_with_arguments("--db-password=hunter2"), "the value of the arguments of orders in"),
        "in two arguments": (_with_arguments("--token", "hunter2"), "the value of the arguments of orders in"),
        "in a script": (_with_arguments("-c", "DB_PASS=hunter2 exec app"), "the value of the arguments of orders in"),
        "by its form in an argument": (_with_arguments(TOKEN), "the value of the arguments of orders in"),
        "a line of properties": (
            _config(**{"a.properties": "b=1\nc.password = hunter2\n"}),
            "the value of a.properties in",
        ),
        "a line of YAML": (_config(**{"a.yaml": "db:\n  password: 'hunter2'\n"}), "the value of a.yaml in"),
        "a line of JSON": (_config(**{"a.json": '{"x": 1, "apiKey": "hunter2"}'}), "the value of a.json in"),
        "a binary value": ({**_config(), "binaryData": {"token": "aHVudGVyMg=="}}, "the value of token in"),
        "in a large config": (_config(password="hunter2", **{"a.txt": "x: y\n" * 45_000}), "the value of password in"),
        "in a config": (_config(apiKey="1234"), "the value of apiKey in"),
        "key in a config": (_config(a="-----BEGIN " + "PRIVATE KEY-----\nMII\n"), "the value of a in"),
    },
    "network-egress": {
        "to all": (network({}), "opens the whole world"),
        "to all on a port": (network({"ports": [{"port": 443}]}), "opens the whole world"),
        "to the internet": (network({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}), "opens the whole world"),
        "to halves of the internet": (
            network({"to": [{"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}]}),
            "opens the whole world",
        ),
        "to quarters, each a rule": (
            network(*({"to": [{"ipBlock": {"cidr": f"{first}.0.0.0/2"}}]} for first in (0, 64, 128, 192))),
            "opens the whole world",
        ),
        "to all that is public, v6": (network({"to": [{"ipBlock": {"cidr": "2000::/3"}}]}), "opens the whole world"),
        "to the internet, v6": (network({"to": [{"ipBlock": {"cidr": "::/0"}}]}), "opens the whole world"),
    },
}
BAD = [
    *(
        Case(f"{policy}, {name}", one, policy, said)
        for policy, found in _BAD.items()
        for name, (one, said) in found.items()
    ),
    *RESTRICTED,
]

# The lab's API server has no privileged pods, whatever the policies say.
PRIVILEGED = Case(
    "privileged",
    _secured(privileged=True, allowPrivilegeEscalation=True),
    "pod-security",
    "orders (privileged, allowPrivilegeEscalation)",
)

# In what makes pods each rule looks at the same; one that the API server completes (requests from limits) not at all.
BY_CONTROLLERS: dict[str, Callable[[], Object]] = {
    "image-digest": lambda: _with_image("ghcr.io/acme/orders:1.2.3"),
    "image-registry": lambda: _with_image(f"localhost:5000/orders@{DIGEST}"),
    "pod-resources": lambda: _sized(requests=SIZE),
    "pod-security": lambda: pod(hostNetwork=True),
    "owner-labels": lambda: _labelled(owner=None),
    "no-secrets": lambda: _with_env("X_TOKEN", "a"),
}
CONTROLLED = [
    Case(f"{policy}, {kind}", made_by(kind, one()), policy)
    for policy, one in BY_CONTROLLERS.items()
    for kind in CONTROLLERS
]
CONTROLLED.append(
    Case(
        "pod-resources, Rollout with limits only",
        made_by("Rollout", _sized(limits=SIZE)),
        "pod-resources",
        "orders (requests.cpu, requests.memory)",
    )
)
# Where the image that a pull request of orders built may run: what follows the service's name in the namespace's.
PREVIEWS = {"-preview": True, "-pr-7": True, "-production": False, "-staging": False, "-prod": False, "x-pr-7": False}


def preview(namespace: str, service: str = "orders") -> Object:
    """Return a pod of a service in a namespace, from the image of a preview."""
    one = _with_image(f"ghcr.io/acme/{service}-preview@{DIGEST}")
    one["metadata"]["labels"]["app.kubernetes.io/name"] = service
    one["metadata"]["namespace"] = f"{service}{namespace}"
    return one


# Judged by what is beside it: the object, what else there is, whether it passes.
ISOLATION = [
    (pod(), [network()], True),
    (pod(), [network(selector={"app.kubernetes.io/name": "orders"})], True),
    (made_by("Rollout", pod()), [network(kinds=("Egress",))], True),
    (pod(), [], False),
    (pod(), [network(kinds=("Ingress",))], False),
    (pod(), [network(selector={"app.kubernetes.io/name": "other"})], False),
    (made_by("CronJob", pod()), [network(kinds=("Ingress",))], False),
]
