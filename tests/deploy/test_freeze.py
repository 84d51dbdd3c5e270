"""The deploy freeze: while its error budget is spent production takes nothing new, unless somebody says why."""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.labs import cluster
from tests.labs import template as lab
from tests.labs.peers import Answer, Peer, Request
from tests.labs.service import free_port
from tests.labs.waiting import until

IMAGE = "ghcr.io/acme/orders"
FORMER, OLD, NEW, OTHER = (f"sha256:{digit * 64}" for digit in "1234")
PRODUCTION = Path("deploy/releases/production/kustomization.yaml")
TOKEN = "token-of-prometheus"
METRIC = "http_server_request_duration_seconds"
SPENT = {"availability": "-0.5", "latency": "0.25"}
LEFT = {"availability": "0.5", "latency": "0.25"}


@pytest.fixture(scope="module")
def history(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service whose production ran v1 and runs v2, while staging has v3; its language does not matter."""
    folder = lab.render(template, tmp_path_factory.mktemp("freeze") / "orders", {"service_name": "orders"})
    lab.commit_all(folder)
    for digest, version in ((FORMER, "v1"), (OLD, "v2")):
        lab.git(folder, "tag", version)
        release(folder, digest, version, "staging", "production")
    lab.git(folder, "tag", "v3")
    release(folder, NEW, "v3", "staging")
    return folder


@pytest.fixture
def service(history: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    lab.git(tmp_path, "clone", "--quiet", str(history), str(folder))
    return folder


def release(folder: Path, digest: str, version: str, *environments: str) -> None:
    """Commit what these environments run from now on."""
    code, output = verb(folder, "promote", {"TO": "staging", "IMAGE_REF": f"{IMAGE}@{digest}", "VERSION": version})
    assert code == 0, output
    if "production" in environments:
        code, output = verb(folder, "promote", {"FROM": "staging", "TO": "production"})
        assert code == 0, output
    lab.commit_all(folder, f"Release {version} to {' and '.join(environments)}")


def verb(folder: Path, name: str, env: dict[str, str]) -> tuple[int, str]:
    """Run it as a workflow does, with the variables in the environment."""
    ours = ("PROMETHEUS_", "FREEZE_", "GITHUB_STEP_SUMMARY")
    left = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    done = subprocess.run(
        ["make", "--silent", name], cwd=folder, env={**left, **env}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def promote(folder: Path, **env: str) -> tuple[int, str]:
    return verb(folder, "promote", {"FROM": "staging", "TO": "production", **env})


def runs(folder: Path, digest: str) -> bool:
    return f"digest: {digest}" in (folder / PRODUCTION).read_text()


def vector(budgets: dict[str, str]) -> Answer:
    """Answer as Prometheus does."""
    result = [{"metric": {"objective": name}, "value": [1767225600.0, share]} for name, share in budgets.items()]
    return Answer(body=json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode())


def refusal(folder: Path, code: int, output: str) -> str:
    """Return the one line of a refusal, after which production runs what it ran."""
    assert code != 0
    assert "Traceback" not in output
    [line] = [line for line in output.splitlines() if not line.startswith("make: ***")]
    assert line.startswith("  FAIL  promote: ")
    assert not lab.git(folder, "status", "--porcelain")
    return line.removeprefix("  FAIL  promote: ")


class Counters:
    """A peer that serves the metrics of the service's one pod, whose requests the test counts."""

    def __init__(self) -> None:
        self.good, self.failed = 0, 0
        self.peer = Peer(self._answer)

    def _answer(self, _: Request) -> Answer:
        lines = [f"# TYPE {METRIC} histogram"]
        for code, number in (("200", self.good), ("500", self.failed)):
            label = f'http_response_status_code="{code}"'
            lines += [f'{METRIC}_bucket{{{label},le="{bound}"}} {number}' for bound in ("0.5", "+Inf")]
            lines += [f"{METRIC}_count{{{label}}} {number}", f"{METRIC}_sum{{{label}}} {number / 10}"]
        return Answer(body="\n".join([*lines, ""]).encode(), content_type="text/plain; version=0.0.4")


def elsewhere(folder: Path) -> None:
    file = folder / "deploy/overlays/production/kustomization.yaml"
    file.write_text(file.read_text().replace("namespace: orders-production", 'namespace: "elsewhere" # ours'))


@pytest.mark.cluster
def test_a_spent_budget_blocks_a_deployment_until_it_is_back(
    cluster_lab: cluster.Lab, service: Path, tmp_path: Path
) -> None:
    """A real Prometheus with the service's rules: 1 of 100 requests fails where 1 of 1000 may, until more are good."""
    [rule] = yaml.safe_load_all((service / ".golden-path/slo/rules.yaml").read_text())
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump(rule["spec"]))
    counters = Counters()
    with counters.peer as pod:
        labels = {"namespace": "orders-production"}
        targets = [{"targets": [pod.url.removeprefix("http://")], "labels": labels}]
        with cluster_lab.prometheus([{"job_name": "orders", "static_configs": targets}], [rules]) as prometheus:

            def budget() -> float:
                found = prometheus.query('service:error_budget:remaining_ratio{objective="availability"}')
                return float(found[0]["value"][1]) if found else math.inf

            url = {"PROMETHEUS_URL": prometheus.url}
            until(lambda: math.isnan(budget()))
            code, output = verb(service, "freeze", url)
            assert (code, output.count("had no requests")) == (0, 2)
            counters.good, counters.failed = 990, 10
            until(lambda: budget() < 0)
            line = refusal(service, *promote(service, **url))
            assert line.startswith("the error budget of orders-production is spent (left of 30 days: availability -9")
            assert "latency 100.0%): wait until it recovers, or ship a fix with FREEZE_OVERRIDE=" in line
            code, output = verb(service, "freeze", url)
            assert code != 0
            assert "FAIL  freeze: the error budget of orders-production is spent" in output
            elsewhere(service)
            _, output = verb(service, "freeze", url)
            assert "remaining_ratio of availability and latency for orders in elsewhere, which runs something" in output
            lab.git(service, "checkout", "--quiet", "deploy")
            counters.good = 99_990
            until(lambda: budget() > 0)
            code, output = promote(service, **url)
            assert code == 0, output
            assert "Deploy freeze: error budget left of 30 days: availability 9" in output
            assert runs(service, NEW)


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        (LEFT, "availability 50.0%, latency 25.0%"),
        ({"availability": "NaN", "latency": "1e-06"}, "availability had no requests, latency 0.0%"),
    ],
)
def test_what_is_left_lets_a_version_go(service: Path, tmp_path: Path, budgets: dict[str, str], said: str) -> None:
    summary = tmp_path / "summary"
    with Peer(lambda _: vector(budgets)) as peer:
        env = {"PROMETHEUS_URL": f"{peer.url}/base/", "PROMETHEUS_TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(summary)}
        code, output = promote(service, **env)
    assert code == 0, output
    assert runs(service, NEW)
    line = f"Deploy freeze: error budget left of 30 days: {said}\n"
    assert line in output
    assert summary.read_text() == line
    [request] = peer.requests
    assert (request.method, urlsplit(request.path).path) == ("GET", "/base/api/v1/query")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in output


def test_the_namespace_is_that_of_the_overlay(service: Path) -> None:
    elsewhere(service)
    with Peer(lambda _: vector(LEFT)) as peer:
        assert verb(service, "freeze", {"PROMETHEUS_URL": peer.url})[0] == 0
    [query] = parse_qs(urlsplit(peer.requests[0].path).query)["query"]
    assert query.endswith('{service="orders", namespace="elsewhere"})')


UNKNOWN = "what is left of the error budget is not known, http://127.0.0.1:"
NO_PROMETHEUS = "did not send a Prometheus response: check PROMETHEUS_URL"


@pytest.mark.parametrize(
    ("answer", "begin", "said", "attempts"),
    [
        (vector(SPENT), "the error budget of orders-production is spent", "availability -50.0%, latency 25.0%", 1),
        (vector({"availability": "0", "latency": "1"}), "the error budget", "availability 0.0%, latency 100.0%", 1),
        (vector({}), "http://127.0.0.1:", "has no service:error_budget:remaining_ratio of availability and latency for "
         "orders in orders-production, which runs something: look at its rules and targets", 1),
        (vector({"latency": "1"}), "http://127.0.0.1:", "remaining_ratio of availability for orders", 1),
        (Answer(401, b"who are you?"), UNKNOWN, "answers 401: who are you?: repair that", 1),
        (Answer(403, b""), UNKNOWN, "answers 403: repair that", 1),
        (Answer(400, b'{"status":"error"}'), UNKNOWN, 'answers 400: {"status":"error"}', 1),
        (Answer(503, b"busy"), UNKNOWN, "answers 503: busy (3 attempts)", 3),
        (Answer(body=b"<html>Sign in</html>", content_type="text/html"), UNKNOWN, NO_PROMETHEUS, 1),
        (Answer(body=b"{}"), UNKNOWN, NO_PROMETHEUS, 1),
        (Answer(body=b"[" * 200_000), UNKNOWN, NO_PROMETHEUS, 1),
        (Answer(body=b'{"status":"success","data":{"result":[[1, 2]]}}'), UNKNOWN, NO_PROMETHEUS, 1),
        (vector({"availability": "much"}), UNKNOWN, NO_PROMETHEUS, 1),
    ],
)  # fmt: skip
def test_a_frozen_production_keeps_its_version(
    service: Path, tmp_path: Path, answer: Answer, begin: str, said: str, attempts: int
) -> None:
    summary = tmp_path / "summary"
    with Peer(lambda _: answer) as peer:
        env = {"PROMETHEUS_URL": peer.url, "GITHUB_STEP_SUMMARY": str(summary)}
        line = refusal(service, *promote(service, **env))
    assert line.startswith(begin)
    assert said in line
    assert line.endswith(', or ship a fix with FREEZE_OVERRIDE="reason" (docs/runbook.md#error-budget)')
    assert line in summary.read_text()
    assert len(peer.requests) == attempts


def test_a_redirect_does_not_take_the_token_elsewhere(service: Path) -> None:
    with Peer(lambda _: vector(LEFT)) as other, Peer(lambda _: Answer(302, headers={"Location": other.url})) as peer:
        line = refusal(service, *promote(service, PROMETHEUS_URL=peer.url, PROMETHEUS_TOKEN=TOKEN))
    assert f"{peer.url} answers 302" in line
    assert other.requests == []


def test_a_slow_prometheus_does_not_hold_it_up(service: Path) -> None:
    begun = time.monotonic()
    with Peer(lambda _: Answer(delay=30)) as peer:
        line = refusal(service, *promote(service, PROMETHEUS_URL=peer.url, PROMETHEUS_TIMEOUT="1"))
        assert time.monotonic() - begun < 25  # three attempts of 1 s, two pauses, and a busy machine
    assert "cannot be reached: no answer within 1 s (3 attempts)" in line


def test_nobody_listens(service: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    line = refusal(service, *promote(service, PROMETHEUS_URL=url))
    assert f"not known, {url} cannot be reached: [Errno 111] Connection refused (3 attempts): repair that" in line


def test_without_a_prometheus_it_says_so(service: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    code, output = promote(service, GITHUB_STEP_SUMMARY=str(summary))
    assert code == 0
    assert runs(service, NEW)
    for text in (output, summary.read_text()):
        assert "Deploy freeze: not asked, since PROMETHEUS_URL is not set (`gh variable set PROMETHEUS_URL" in text


def test_only_production_is_asked_for_and_only_when_it_changes(service: Path) -> None:
    with Peer(lambda _: vector(SPENT)) as peer:
        url = {"PROMETHEUS_URL": peer.url}
        staging = {"TO": "staging", "IMAGE_REF": f"{IMAGE}@{OLD}", "VERSION": "v2"}
        assert verb(service, "promote", {**staging, **url})[0] == 0
        code, output = promote(service, **url)
    assert (code, peer.requests) == (0, []), output
    assert "changed=false" in output


def test_the_first_version_is_not_frozen(template: Path, tmp_path: Path) -> None:
    folder = lab.render(template, tmp_path / "orders", {"service_name": "orders"})
    lab.commit_all(folder)
    release(folder, NEW, "v1", "staging")
    with Peer(lambda _: vector({})) as peer:
        code, output = promote(folder, PROMETHEUS_URL=peer.url)
    assert (code, peer.requests) == (0, []), output
    assert runs(folder, NEW)
    assert "Deploy freeze: not asked, since nothing runs there yet" in output


def test_a_rollback_is_not_frozen(service: Path) -> None:
    """Both ways back: the release of a former version, and the revert of a commit, which nothing judges."""
    with Peer(lambda _: vector(SPENT)) as peer:
        url = {"PROMETHEUS_URL": peer.url}
        release(service, FORMER, "v1", "staging")
        code, output = promote(service, **url)
        assert code == 0, output
        assert "Deploy freeze: not asked, since this goes back to v1, which ran there before" in output
        assert (runs(service, FORMER), peer.requests) == (True, [])
        lab.commit_all(service, "Release v1 to production")
        # What was taken back does not come again by that: v2 ran there before too.
        release(service, OLD, "v2", "staging")
        refusal(service, *promote(service, **url))
    lab.git(service, "revert", "--no-edit", "HEAD~1")
    assert runs(service, OLD)


@pytest.mark.parametrize(("digest", "version"), [(OTHER, "v1"), (FORMER, "v3"), (FORMER, "v9")])
def test_what_only_looks_like_a_rollback_is_frozen(service: Path, digest: str, version: str) -> None:
    """A new image under an old version's name, and an old image under one that is not older, or unknown."""
    release(service, digest, version, "staging")
    with Peer(lambda _: vector(SPENT)) as peer:
        assert "is spent" in refusal(service, *promote(service, PROMETHEUS_URL=peer.url))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (vector(SPENT), "fix of INC-7 (the error budget of orders-production is spent (left of 30 days: "
         "availability -50.0%, latency 25.0%))\n"),
        (Answer(401, b""), "fix of INC-7 (what is left of the error budget is not known, http://127.0.0.1:"),
        (vector(LEFT), "availability 50.0%, latency 25.0%; nothing had to be overridden (fix of INC-7)\n"),
    ],
)  # fmt: skip
def test_whoever_has_a_reason_may_override_it(service: Path, answer: Answer, said: str) -> None:
    with Peer(lambda _: answer) as peer:
        code, output = promote(service, PROMETHEUS_URL=peer.url, FREEZE_OVERRIDE="fix of INC-7")
    assert code == 0, output
    assert said in output
    assert ("Deploy freeze overridden: fix of INC-7" in output) is ("nothing had" not in said)
    assert runs(service, NEW)


def test_a_reason_is_not_run(service: Path) -> None:
    reason = "$(shell touch stolen)$(touch stolen)`touch stolen`; touch stolen"
    with Peer(lambda _: vector(SPENT)) as peer:
        code, output = promote(service, PROMETHEUS_URL=peer.url, FREEZE_OVERRIDE=reason)
    assert code == 0, output
    assert f"overridden: {reason} (" in output
    assert not (service / "stolen").exists()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"FREEZE_OVERRIDE": "a\nb"}, "FREEZE_OVERRIDE must be a sentence in one line, not 'a\\nb'"),
        ({"FREEZE_OVERRIDE": "  "}, "FREEZE_OVERRIDE must be a sentence in one line, not '  '"),
        ({"PROMETHEUS_URL": "prometheus:9090"}, "PROMETHEUS_URL must be an absolute http or https URL without user"),
        ({"PROMETHEUS_URL": "https://u:p@example.com"}, "PROMETHEUS_URL must be an absolute http or https URL without"),
        ({"PROMETHEUS_URL": "https://example.com/?a=b"}, "PROMETHEUS_URL must be the base of the API, without ? and #"),
        ({"PROMETHEUS_URL": "http://example.com", "PROMETHEUS_TOKEN": "t"},
         "PROMETHEUS_URL must be an https URL: PROMETHEUS_TOKEN is not sent in the clear"),
        ({"PROMETHEUS_URL": "https://example.com", "PROMETHEUS_TOKEN": "a b"},
         "PROMETHEUS_TOKEN must be a token, without spaces and line ends"),
        ({"PROMETHEUS_TIMEOUT": "0"}, "PROMETHEUS_TIMEOUT must be a number of seconds from 1 to 999, not '0'"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(service: Path, env: dict[str, str], said: str) -> None:
    assert refusal(service, *promote(service, **env)).startswith(said)


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("slo.yaml", "service: orders", "slo.yaml must have one line 'service: NAME', which says whose error budget"),
        ("deploy/overlays/production/kustomization.yaml", "namespace: orders-production",
         "deploy/overlays/production/kustomization.yaml must have one line 'namespace: NAME'"),
    ],
)  # fmt: skip
def test_whose_budget_it_is_is_not_guessed(service: Path, file: str, line: str, said: str) -> None:
    path = service / file
    assert line in path.read_text()
    path.write_text(path.read_text().replace(line, "other: thing"))
    lab.commit_all(service, "Change")
    with Peer(lambda _: vector(LEFT)) as peer:
        assert refusal(service, *promote(service, PROMETHEUS_URL=peer.url)).startswith(said)
    assert peer.requests == []
