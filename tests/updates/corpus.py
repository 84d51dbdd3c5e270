"""A healthy repository, what breaks each rule of every repository in it, and what only looks like a break."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.labs.template import commit_all
from tests.updates import foreign

URL = "https://templates.example.com/base.git"
SHA, DIGEST = "a" * 40, f"sha256:{'b' * 64}"
WORKFLOW = f"""name: ci
on:
  pull_request:
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@{SHA} # v7.0.0
        with: {{persist-credentials: false}}
      - uses: ./.github/actions/setup
      - run: make test
"""
DOCKERFILE = f"""# syntax=docker/dockerfile:1
ARG BASE=golang:1.26@{DIGEST}
FROM ${{BASE}} AS build
USER root
RUN <<END
FROM nowhere
END
RUN go build \\
    -o /app .

FROM registry.example.com/run:1@{DIGEST} AS run
USER 65532:65532

FROM run
COPY --from=build /app /app
ENTRYPOINT ["/app"]
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:1.4.0
          readinessProbe:
            httpGet: {path: /readyz, port: 8080}
        - name: proxy
          image: registry.example.com/proxy
"""
PACKAGE = '{"name": "shop", "dependencies": {"fastify": "5.1.0"}, "devDependencies": {"vitest": "^3.0.0"}}\n'
CI, SETUP = ".github/workflows/ci.yml", ".github/actions/setup/action.yml"
HEALTHY: Mapping[str, str] = {
    CI: WORKFLOW,
    SETUP: f"runs:\n  using: composite\n  steps:\n    - uses: a/b@{SHA}\n",
    ".github/CODEOWNERS": "# all\n*       @acme/shop\n",
    ".github/ruleset.json": "{}\n",
    "Dockerfile": DOCKERFILE,
    "deploy/app.yaml": DEPLOYMENT,
    "deploy/kustomization.yaml": f"images:\n  - name: registry.example.com/proxy\n    digest: {DIGEST}\n"
    "configMapGenerator:\n  - name: shop\n    envs: [config.env]\n",
    "deploy/config.env": "# of the shop\nPORT=1\n",
    "chart/templates/app.yaml": "kind: Deployment\n{{ if }}\nimage: x:latest\n",
    "go.mod": "module example.com/shop\n\ngo 1.26\n\nrequire a.example/b v1.0.0\n\n"
    "require (\n\tc.example/d v1.2.3 // indirect\n\te.example/f v0.0.1\n)\n\nreplace e.example/f => ./f\n",
    "go.sum": "a.example/b v1.0.0 h1:x=\na.example/b v1.0.0/go.mod h1:x=\nc.example/d v1.2.3/go.mod h1:x=\n",
    "package.json": PACKAGE,
    "package-lock.json": json.dumps({"packages": {"": json.loads(PACKAGE)}}),
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["Fast_API>=1", "click; python_version > \'3\'"]\n',
    "requirements.txt": f"fast-api==1.0 \\\n    --hash={DIGEST}\n# a comment\nclick==8.0 --hash={DIGEST}\n",
    "docs/merge.md": "Title\n=======\n\nWrite `<<<<<<< ours` and so on.\n\nhttps://user:password@example.com/ and "
    "postgres://app:$PASSWORD@db.acme.net/ are none.\n",
    "tests/test_url.py": 'BAD = "https://user:secret@host.acme.net/"\n',
    ".env.example": "API_TOKEN=\n",
    "größe/☃.txt": "x\n",
}
KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
TOKEN = "q8Zt2LmX5vBn7Rk" + "P0cYw4HsJd1GfTe9uAoKi"
CONFLICT = "a\n<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\nd\n"
ANSWERS = foreign.ANSWERS
TITLE = "${{ github.event.pull_request.title }}"
TARGET = f"""on: pull_request_target
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - run: make
      - uses: actions/checkout@{SHA}
        with: {{persist-credentials: false, ref: "${{{{ github.event.pull_request.head.sha }}}}"}}
"""
# A list, with a job and its init container.
MORE = """kind: List
items:
  - kind: CronJob
    spec:
      jobTemplate:
        spec:
          template:
            spec:
              initContainers:
                - image: registry.example.com/late
                  name: late
"""

# Rule, file, its content (None: it is removed; a pair: what is replaced, by what), line, and what is said of it.
Change = str | None | tuple[str, str]
BREAKS: list[tuple[str, str, Change, int, str]] = [
    ("GP001", ANSWERS, None, 0, "golden-path adopt"),
    ("GP002", ANSWERS, "a: [", 0, "is not valid YAML"),
    ("GP002", ANSWERS, "name: orders\n", 0, "has no _src_path and _commit"),
    ("GP004", "a.txt", "other\n", 0, "differs from what the template wrote"),
    ("GP004", "a.txt", None, 0, "is deleted"),
    ("GP005", ANSWERS, ("_commit: v2.0.0", "_commit: v7.7.7"), 2, "has no version 'v7.7.7'"),
    ("GP006", ANSWERS, ("name: orders", "name: orders # mine"), 0, "was edited by hand"),
    ("GP009", ".golden-path.yaml", "exceptions: [{rule: GP201}]\n", 1, "is not complete: write rule, path, reason"),
    ("GP007", "a.md", CONFLICT, 2, "has conflict markers"),
    ("GP007", "a.md", CONFLICT.replace("\n", "\r\n"), 2, "has conflict markers"),
    ("GP007", "größe/☃.txt.rej", "x\n", 0, "is what a merge rejected"),
    ("GP101", CI, (f"@{SHA} # v7.0.0", "@v7"), 10, "actions/checkout@v7 is not pinned"),
    ("GP101", ".github/workflows/more.yaml", f'{WORKFLOW}      - "uses": "a/b@main"\n', 14, "a/b@main is not pinned"),
    ("GP101", SETUP, (SHA, "v1"), 4, "a/b@v1 is not pinned"),
    ("GP101", "action.yml", "runs:\n  steps:\n    - uses: docker://alpine:3\n", 3, "docker://alpine:3 is not pinned"),
    ("GP102", CI, ("permissions: {}\n", ""), 1, "has no permissions at the top"),
    ("GP103", CI, ("pull_request", "push"), 0, "none runs for pull requests"),
    ("GP103", CI, None, 0, "none runs for pull requests"),
    ("GP104", ".github/ruleset.json", None, 0, "is missing"),
    ("GP105", ".github/CODEOWNERS", None, 0, "is missing"),
    ("GP105", ".github/CODEOWNERS", "/docs @acme/writers\n", 0, "gives * no owner"),
    ("GP108", CI, ("    timeout-minutes: 5\n", ""), 6, "the job test has no timeout-minutes"),
    ("GP109", ".github/workflows/target.yml", TARGET, 9, "pull_request_target has the secrets"),
    ("GP109", ".github/workflows/run.yml", TARGET.replace("pull_request_target", "workflow_run")
     .replace("pull_request.head.sha", "workflow_run.head_branch"), 9, "workflow_run has the secrets"),
    ("GP110", CI, ("make test", f"echo '{TITLE}'"), 13, f"{TITLE} becomes part of the script"),
    ("GP110", CI, ("make test", "|\n          true\n          git switch ${{ github.head_ref }}"),
     15, "${{ github.head_ref }} becomes part of the script"),
    ("GP110", SETUP, ("- uses", f"- run: echo {TITLE}\n    - uses"), 4, "pass it through env"),
    ("GP111", CI, ("        with: {persist-credentials: false}\n", ""), 10, "keeps its token"),
    ("GP113", CI, ("ubuntu-24.04", "ubuntu-latest"), 7, "ubuntu-latest changes under you"),
    ("GP113", CI, ("ubuntu-24.04", "[self-hosted, macos-latest-xlarge]"), 7, "macos-latest-xlarge"),
    ("GP113", CI,
     ("ubuntu-24.04\n", "${{ matrix.os }}\n    strategy:\n      matrix:\n        os: [windows-latest, ubuntu-24.04]\n"),
     10, "windows-latest changes under you"),
    ("GP201", "Dockerfile", (f"ARG BASE=golang:1.26@{DIGEST}", "ARG BASE=golang:1.26"), 3, "golang:1.26 is not pinned"),
    ("GP201", "tools/Dockerfile.lint", "FROM alpine\nUSER 1000\n", 1, "alpine is not pinned by digest"),
    ("GP202", "Dockerfile", ("USER 65532:65532", "USER root"), 12, "the last USER is root"),
    ("GP202", "Dockerfile", ("USER 65532:65532", "USER 0:0"), 12, "the last USER is root"),
    ("GP202", "Dockerfile", ("USER 65532:65532\n", ""), 13, "has no USER"),
    ("GP203", "deploy/app.yaml", ("shop:1.4.0", "shop:latest"), 10, "registry.example.com/shop:latest is whatever"),
    ("GP203", "deploy/kustomization.yaml", None, 14, "registry.example.com/proxy is whatever"),
    ("GP204", "deploy/app.yaml", ("readinessProbe", "startupProbe"), 10, "no container has a readinessProbe"),
    ("GP203", "deploy/more.yaml", MORE, 10, "registry.example.com/late is whatever"),
    ("GP301", "go.sum", None, 1, "has dependencies and no lock file"),
    ("GP301", "package-lock.json", None, 1, "has dependencies and no lock file"),
    ("GP301", "requirements.txt", None, 1, "has dependencies and no lock file"),
    ("GP302", "go.sum", ("a.example/b v1.0.0", "a.example/b v0.9.0"), 0, "go.mod wants (a.example/b)"),
    ("GP302", "package.json", ("5.1.0", "5.2.0"), 0, "does not have what package.json wants (fastify)"),
    ("GP302", "pyproject.toml", ('"Fast_API>=1"', '"httpx"'), 0, "does not have what pyproject.toml wants (httpx)"),
    ("GP303", "requirements.txt", ("click==8.0 --hash", "click==8.0 # --has"), 4, "click==8.0"),
    ("GP304", "config/key.pem", KEY, 1, "what looks like a private key"),
    ("GP304", "app.py", "\nKEY = 'AKIA" + "Z7QK2PTV9WXE4RHB'\n", 2, "what looks like an AWS access key"),
    ("GP304", "app.py", f"KEY = 'ghp_{TOKEN}'\n", 1, "what looks like a GitHub token"),
    ("GP304", "app.py", f"KEY = 'eyJ{TOKEN}.eyJ{TOKEN}.{TOKEN}'\n", 1, "what looks like a signed token"),
    ("GP304", "app.py", "DB = 'postgres://app:hunter2@db.acme.net/x'\n", 1, "what looks like a password in an address"),
    ("GP304", "app.py", f"KEY = 'npm_{TOKEN[:36]}'\n", 1, "what looks like a token of npm"),
    ("GP404", "deploy/app.yaml",
     ("shop:1.4.0", "shop:1.4.0\n          env:\n            - name: DB_PASS\n              value: hunter2"),
     13, "Deployment shop holds a value for DB_PASS: keep it in"),
    ("GP404", "deploy/secret.yaml", "kind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n", 3,
     "Secret db holds stringData"),
    ("GP404", "deploy/kustomization.yaml",
     ("images:", "secretGenerator:\n  - literals:\n      - user=shop\nimages:"), 3, "holds a value for user"),
    ("GP407", "deploy/config.env", 'PORT=1\nLEVEL="info"\n', 2, "the quotes become part of the value of LEVEL: write"),
    ("GP304", ".env", "PORT=1\nAPI_TOKEN=abc\n", 0, "is committed, with values of secrets"),
]  # fmt: skip
# What looks like a break, and is none.
PASSES: list[tuple[str, Change]] = [
    ("seeded.txt", "mine\n"),
    (CI, ("permissions: {}\n", "permissions: {contents: read}\n")),
    (CI, ("permissions: {}\njobs:\n  test:\n", "jobs:\n  test:\n    permissions: {}\n")),
    (CI, ("make test", "echo ${{ inputs.name }} ${{ github.event.number }}")),
    (".github/workflows/label.yml", TARGET.replace(", ref", ", x")),
    (CI, ("ubuntu-24.04", "${{ inputs.runner }}")),
    ("deploy/secret.yaml", "kind: Secret\nmetadata: {name: db}\nstringData: {password: '${PASSWORD}'}\n"),
    ("deploy/secret.yaml", "kind: Secret\nmetadata: {name: db}\ndata: {password: hunter2}\nsops: {version: 3}\n"),
    ("tests/secret.yaml", "kind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2}\n"),
    (CI, ("on:\n  pull_request:\n", "on: [push, merge_group]\n")),
    ("Dockerfile", ("FROM run\n", f"FROM gcr.io/distroless/static:nonroot@{DIGEST}\n")),
    ("vendor/x/Dockerfile", "FROM alpine\n"),
    ("node_modules/x/Dockerfile", "FROM alpine\n"),
    ("templates/Dockerfile.jinja", "FROM [[ image ]]\n"),
    ("broken.yaml", "kind: Deployment\nimage: [\n"),
    ("job.yaml", "kind: Job\nspec: {template: {spec: {containers: [{image: 'x:1'}]}}}\n"),
    ("package-lock.json", "x" * (1 << 20) + "x"),
    (".env", "PORT=8080\n"),
    ("other.env", 'PORT="8080"\n'),
    ("poetry.lock", '[[package]]\nname = "fast-api"\n[[package]]\nname = "click"\n'),
    ("logo.png", f"\0{KEY}{CONFLICT}"),
]


def change(folder: Path, path: str, to: Change) -> None:
    """Change a file, or remove it, and commit that."""
    if to is None:
        (folder / path).unlink()
    elif isinstance(to, str):
        foreign.write(path, to)(folder)
    else:
        text = (folder / path).read_bytes().decode()
        assert to[0] in text, f"{to[0]} is not in {path}"
        foreign.write(path, text.replace(*to))(folder)
    commit_all(folder, "Change")
