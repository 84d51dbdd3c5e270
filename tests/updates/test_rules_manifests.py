"""Secrets in manifests, in whatever makes pods or holds files, each on its line; and what is none."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from golden_path.rules import book, environments, every, secrets, values  # noqa: F401 - every has all rules
from golden_path.rules.book import Finding
from golden_path.rules.objects import Object
from golden_path.rules.work_tree import WorkTree
from golden_path.untrusted import credentials
from tests.updates import foreign

SECRET = "hunter2" + "hunter3"
RANDOM = "q8Zt2LmX5vBn7RkP0c" + "Yw4HsJd1GfTe9uAoKiQz3xVbNm5"
ENV = f"""containers:
  - name: app
    image: a:1
    env:
      - name: LOG_LEVEL
        value: info
      - name: {{name}}
        value: {SECRET}
"""
# How each kind holds a pod: what stands before the pod's spec, which is indented by so much.
KINDS = {
    "Pod": ("kind: Pod\nspec:\n", 2),
    "PodTemplate": ("kind: PodTemplate\ntemplate:\n  spec:\n", 4),
    "Deployment": ("kind: Deployment\nspec:\n  template:\n    spec:\n", 6),
    "Rollout": ("kind: Rollout\nspec:\n  template:\n    spec:\n", 6),
    "Job": ("kind: Job\nspec:\n  template:\n    spec:\n", 6),
    "CronJob": ("kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n", 10),
    "Experiment": ("kind: Experiment\nspec:\n  templates:\n    - name: a\n      template:\n        spec:\n", 10),
    "AnalysisTemplate": (
        "kind: AnalysisTemplate\nspec:\n  metrics:\n    - name: a\n      provider:\n        job:\n          spec:\n"
        "            template:\n              spec:\n",
        16,
    ),
    "List": ("kind: List\nitems:\n  - kind: StatefulSet\n    spec:\n      template:\n        spec:\n", 10),
    "a service of Knative": ("kind: Service\nspec:\n  template:\n    spec:\n", 6),
}


def found(folder: Path, text: str, name: str = "deploy/a.yaml") -> list[tuple[int, str]]:
    foreign.write(name, text)(folder)
    said = [one.found for one in book.findings(WorkTree(folder), service=False) if one.rule.identifier == "GP404"]
    assert not [one for one in said if SECRET in one.message]
    return [(one.line, one.message.partition(" holds ")[2].partition(": keep it")[0]) for one in said]


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_in_whatever_makes_pods(kind: str, tmp_path: Path) -> None:
    before, by = KINDS[kind]
    for field in ("containers", "initContainers"):
        text = before + indented(ENV.replace("{name}", "DB_PASS").replace("containers", field), by)
        assert found(tmp_path, text) == [(text.count("\n"), "a value for DB_PASS")], text


CALLED = ("DB_PASSWORD", "db_pass", "PASS", "dbPass", "X_PWD", "client_secret", "API_KEY", "apikey", "TOKEN",
          "gh-token", "spring.datasource.password", "AWS_SECRET_ACCESS_KEY", "PRIVATE_KEY", "credentials")  # fmt: skip
OTHERS = ("TOKEN_FILE", "TOKEN_URL", "SECRET_NAME", "BYPASS", "COMPASS", "KEYS", "PWD_DIR", "PASSENGERS", "MONKEY")


def test_names() -> None:
    assert [name for name in CALLED if not secrets.called(name)] == []
    assert [name for name in OTHERS if secrets.called(name)] == []


ARGUMENTS = {
    f"args: [--db-password={SECRET}]": "a value for db-password in args",
    f"args: [run, --token, {SECRET}]": "a value for token in args",
    f"args: ['-password', '{SECRET}']": "a value for password in args",
    f"command: [sh, -c, 'DB_PASS={SECRET} exec app']": "a value for DB_PASS in command",
    f"command: [sh, -c, 'app --api-key=\"{SECRET}\"']": "a value for api-key in command",
    "args: [--db-password=$(DB_PASSWORD)]": "",
    "args: [--token-file=/run/token, --token, --verbose]": "",
    "args: [--show-password=true, --password]": "",
    "command: [sh, -c, 'TOKEN=$(cat /run/token) exec app --token=$TOKEN']": "",
    "command: 5": "",
}


@pytest.mark.parametrize("line", ARGUMENTS)
def test_arguments(line: str, tmp_path: Path) -> None:
    text = f"kind: Pod\nspec:\n  containers:\n    - image: a:1\n      {line}\n"
    wanted = [(5, ARGUMENTS[line])] if ARGUMENTS[line] else []
    assert found(tmp_path, text) == wanted


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CONFIGS = {
    f"data:\n  LOG_LEVEL: info\n  db.pass: {SECRET}\n": [(4, "a value for db.pass")],
    f"data:\n  app.properties: |\n    a=1\n    spring.datasource.password = {SECRET}\n": [
        (3, "a value for spring.datasource.password in app.properties")
    ],
    f"data:\n  app.yaml: |\n    db:\n      password: '{SECRET}'\n      user: x\n": [
        (3, "a value for password in app.yaml")
    ],
    f'data:\n  app.json: \'{{"x": 1,\n    "apiKey": "{SECRET}"}}\'\n': [(3, "a value for apiKey in app.json")],
    f"binaryData:\n  app.env: {encoded(f'export DB_PASS={SECRET}')}\n": [(3, "a value for DB_PASS in app.env")],
    f"binaryData:\n  token: {encoded(SECRET)}\n": [(3, "a value for token")],
    "data:\n  app.properties: |\n    password=${DB_PASSWORD}\n    token:\n    a.password =\n": [],
    "data:\n  app.yaml: |\n    password: \"{{ .Password }}\"\n    token: *anchor\n    secret: ${x:-y}\n": [],
    f"data:\n  app.py: |\n    password = '{SECRET}'\n  run.sh: |\n    TOKEN={SECRET}\n": [],  # GP304 looks at forms
    "data:\n  TOKEN_URL: https://a.example\n  API_KEY: ''\n": [],
    "data:\n  nginx.conf: |\n    proxy_set_header X-Token $token;\n": [],
    "binaryData:\n  logo.png: '%%%'\n  x: 5\n": [],
    "data: 5\n": [],
    "data: {password: null}\n": [],
}  # fmt: skip


@pytest.mark.parametrize("data", CONFIGS)
def test_files_in_a_config(data: str, tmp_path: Path) -> None:
    assert found(tmp_path, f"kind: ConfigMap\n{data}") == CONFIGS[data]


def test_tests_and_examples_may_have_some(tmp_path: Path) -> None:
    assert found(tmp_path, f"kind: Secret\nstringData: {{a: {SECRET}}}\n", "examples/a.yaml") == []


def test_a_large_config_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, "kind: ConfigMap\ndata:\n  a.txt: |\n" + "    x: y\n" * 100_000) == []


def rendered(text: str) -> list[Finding]:
    return environments.problems("production", text)


def test_what_kustomize_makes_is_asked_the_same_and_for_forms() -> None:
    token = f"ghp_{RANDOM[:36]}"
    text = (
        f"kind: ConfigMap\nmetadata: {{name: a}}\ndata: {{x: 'y {token}', DB_PASS: {SECRET}}}\n---\n"
        f"kind: List\nitems:\n  - kind: ConfigMap\n    metadata: {{name: b}}\n    binaryData: {{x: {encoded(token)}}}\n"
    )
    assert [str(one).partition(": keep")[0] for one in rendered(text)] == [
        "production: GP404 ConfigMap a holds a value for DB_PASS",
        "production: GP404 ConfigMap a holds what looks like a GitHub token",
        "production: GP404 ConfigMap b holds what looks like a GitHub token",
    ]


def test_every_form_is_found_and_masked() -> None:
    examples = {
        "a private key": "-----BEGIN EC PRIVATE " + "KEY-----",
        "an AWS access key": "AKIA" + "Z7QK2PTV9WXE4RHB",
        "an AWS secret key": f"aws_secret_access_key = {RANDOM[:40]}",
        "a GitHub token": f"ghs_{RANDOM[:36]}",
        "a GitLab token": f"glpat-{RANDOM[:20]}",
        "a Slack token": f"xoxb-2849173650-{RANDOM[:24]}",
        "a Slack address to post to": "https://hooks.slack.com/services/" + f"T0Q2/B7X4/{RANDOM[:24]}",
        "a token of npm": f"npm_{RANDOM[:36]}",
        "a token of PyPI": f"pypi-AgE{RANDOM}{RANDOM}",
        "a signed token": f"eyJ{RANDOM}.eyJ{RANDOM}.{RANDOM}",
        "a password in an address": f"postgres://app:{SECRET}@db.acme.net/x",
    }
    assert [look.what for look in secrets.LOOKS] == list(examples)
    for look in secrets.LOOKS:
        [one] = values.anywhere(Object("", "Pod", "a", {"kind": "Pod", "x": [{"y": examples[look.what]}]}))
        assert one == look.what
        if look.masked or look.what == secrets.ADDRESS:
            assert RANDOM[:16] not in credentials.masked(examples[look.what]), look.what
            assert SECRET not in credentials.masked(examples[look.what])
