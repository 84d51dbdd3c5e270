"""`make deploy-event` and `make dora`: the events are what the SDK of CDEvents accepts, and arrive or say why not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.labs import events
from tests.labs import template as lab
from tests.labs.peers import Answer, Peer
from tests.labs.service import free_port, make

SERVICE = "orders"
DIGEST = "sha256:" + "a1" * 32
IMAGE = f"ghcr.io/acme/{SERVICE}@{DIGEST}"
SPEC = "0.5.1"
TOKEN = "token-of-the-receiver"
DEPLOYED = {"EVENT": "deployed", "ENVIRONMENT": "production", "IMAGE_REF": IMAGE}
INCIDENT = {"ENVIRONMENT": "production", "INCIDENT": "INC-7"}


@pytest.fixture(scope="module")
def folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with one commit; its language does not matter."""
    folder = lab.render(template, tmp_path_factory.mktemp("events") / SERVICE, {})
    lab.commit_all(folder)
    return folder


@pytest.fixture
def service(folder: Path) -> Path:
    """The service, without events."""
    for file in (folder / "build" / "events").glob("*"):
        file.unlink()
    return folder


def verb(folder: Path, env: dict[str, str], *, name: str = "deploy-event") -> tuple[int, str]:
    """Run it as a workflow does, with the variables in the environment."""
    clean = dict.fromkeys(("GITHUB_STEP_SUMMARY", "CDEVENTS_URL", "CDEVENTS_TOKEN", "COMMIT_TIME"))
    left = {name: value for name, value in os.environ.items() if name not in clean}
    done = subprocess.run(
        ["make", "--silent", name], cwd=folder, env={**left, **env}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def head(folder: Path) -> str:
    return lab.git(folder, "rev-parse", "HEAD")


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "build" / "events").glob("*"))]


def inputs(folder: Path, kind: str) -> dict[str, str]:
    return {
        "deployed": DEPLOYED | {"REVISION": head(folder)},
        "rolledback": DEPLOYED | {"EVENT": "rolledback", "INCIDENT": "INC-7"},
        "incident-detected": INCIDENT
        | {"EVENT": "incident-detected", "IMAGE_REF": IMAGE, "DESCRIPTION": 'It\'s "slow"'},
        "incident-resolved": INCIDENT | {"EVENT": "incident-resolved"},
    }[kind]


KINDS = ("deployed", "rolledback", "incident-detected", "incident-resolved")
ONE_OF = "one of deployed, rolledback, incident-detected, incident-resolved"
URL = "CDEVENTS_URL must be an absolute http or https URL without user"


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_accepts_it(service: Path, tmp_path: Path, kind: str) -> None:
    summary = tmp_path / "summary"
    code, output = verb(service, {**inputs(service, kind), "GITHUB_STEP_SUMMARY": str(summary)})
    assert code == 0, output
    assert "not sent: CDEVENTS_URL is not set" in output
    [event] = written(service)
    assert events.problem(event, SPEC) == ""
    data = event["data"]
    subject = "incident" if kind.startswith("incident") else "service"
    assert event["type"] == f"dev.cdevents.{subject}.{kind.removeprefix('incident-')}.0.3.0"
    assert event["subject"] == ("INC-7" if subject == "incident" else SERVICE)
    assert data["subject"]["content"]["environment"] == {"id": "production"}
    # What people see of the run: the event itself, and how it is sent.
    shown = re.search(r"```json\n(.*)\n```", summary.read_text(), re.DOTALL)
    assert shown
    assert json.loads(shown[1]) == event
    assert "gh variable set CDEVENTS_URL --repo acme/orders" in summary.read_text()


def test_what_a_deployment_says(service: Path) -> None:
    assert verb(service, inputs(service, "deployed"))[0] == 0
    data = written(service)[0]["data"]
    encoded = DIGEST.replace(":", "%3A")
    assert data["subject"]["content"]["artifactId"] == (
        f"pkg:oci/{SERVICE}@{encoded}?repository_url=ghcr.io/acme/{SERVICE}"
    )
    # The lab's commits are of that moment.
    assert data["customData"] == {
        "image": IMAGE, "revision": head(service), "commitTime": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


def test_a_commit_that_git_does_not_know_needs_its_time(service: Path) -> None:
    unknown = {**inputs(service, "deployed"), "REVISION": "b" * 40}
    code, output = verb(service, unknown)
    assert (code, written(service)) == (2, [])
    assert "fetch it, or set COMMIT_TIME" in output
    assert verb(service, {**unknown, "COMMIT_TIME": "1767225600"})[0] == 0
    assert written(service)[0]["data"]["customData"]["commitTime"] == "2026-01-01T00:00:00.000Z"


# How a receiver's own check would find an event that went wrong: what is changed, and what the SDK says of it.
MUTATIONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda e: e["data"]["context"].update(specversion="0.4.1"), "no CDEvent"),
    "version for specversion": (lambda e: e["data"]["context"].update(version=SPEC), "unknown field `version`"),
    "no environment": (lambda e: e["data"]["subject"]["content"].pop("environment"), "missing field `environment`"),
    "no artifact": (lambda e: e["data"]["subject"]["content"].pop("artifactId"), "missing field `artifactId`"),
    "an empty id": (lambda e: e["data"]["subject"].update(id=""), "no CDEvent"),
    "a field of ours": (lambda e: e["data"]["subject"]["content"].update(revision="x"), "unknown field `revision`"),
    "a type of another version": (
        lambda e: e["data"]["context"].update(type="dev.cdevents.service.deployed.9.0.0"),
        "no CDEvent",
    ),
    "attributes of another event": (lambda e: e.update(id="other"), "the attributes are"),
    "no CloudEvent": (lambda e: e.pop("specversion"), "no CloudEvent"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_sdk_refuses_what_is_wrong(service: Path, name: str) -> None:
    assert verb(service, inputs(service, "deployed"))[0] == 0
    [event] = written(service)
    change, said = MUTATIONS[name]
    change(event)
    assert said in events.problem(event, SPEC)


def test_it_is_sent_as_a_cloudevent(service: Path) -> None:
    with Peer(lambda _: Answer(202)) as peer:
        code, output = verb(service, {**DEPLOYED, "REVISION": head(service), "CDEVENTS_URL": f"{peer.url}/events?a=b",
                                      "CDEVENTS_TOKEN": TOKEN})  # fmt: skip
    assert (code, "sent, and in build/events/" in output) == (0, True), output
    [request] = peer.requests
    assert (request.method, request.path) == ("POST", "/events?a=b")
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.body) == written(service)[0]
    assert TOKEN not in output
    assert TOKEN not in json.dumps(written(service))


def test_without_a_token_there_is_no_header(service: Path) -> None:
    with Peer(lambda _: Answer(202)) as peer:
        assert verb(service, {**inputs(service, "rolledback"), "CDEVENTS_URL": peer.url})[0] == 0
    assert "authorization" not in peer.requests[0].headers


def test_a_busy_receiver_is_asked_again(service: Path) -> None:
    with Peer(lambda _: Answer(503 if len(peer.requests) < 3 else 200)) as peer:
        code, output = verb(service, {**inputs(service, "deployed"), "CDEVENTS_URL": peer.url})
    assert code == 0, output
    # The same event each time, so that a receiver can tell that it is one.
    assert len(peer.requests) == 3
    assert len({request.body for request in peer.requests}) == 1


@pytest.mark.parametrize(
    ("answer", "said", "attempts"),
    [
        (Answer(400, b'{"error":\n "no such environment"}'), 'answers 400: {"error": "no such environment"}', 1),
        (Answer(401, b""), "answers 401", 1),
        (Answer(503, b"busy"), "answers 503: busy (3 attempts)", 3),
    ],
)
def test_a_refusal_is_told(service: Path, tmp_path: Path, answer: Answer, said: str, attempts: int) -> None:
    summary = tmp_path / "summary"
    with Peer(lambda _: answer) as peer:
        env = {
            **inputs(service, "deployed"),
            "CDEVENTS_URL": f"{peer.url}/?key=hidden",
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        code, output = verb(service, env)
    assert code != 0
    [line] = [line for line in output.splitlines() if "FAIL" in line]
    assert said in line
    assert "hidden" not in output
    assert said in summary.read_text()
    assert len(peer.requests) == attempts
    assert len(written(service)) == 1, "it can be sent later"


def test_a_redirect_does_not_take_the_token_elsewhere(service: Path) -> None:
    with Peer(lambda _: Answer(200)) as other, Peer(lambda _: Answer(302, headers={"Location": other.url})) as peer:
        env = {**inputs(service, "deployed"), "CDEVENTS_URL": peer.url, "CDEVENTS_TOKEN": TOKEN}
        code, output = verb(service, env)
    assert code != 0
    assert f"{peer.url} answers 302" in output
    assert other.requests == []


def test_a_slow_receiver_does_not_hold_it_up(service: Path) -> None:
    begun = time.monotonic()
    with Peer(lambda _: Answer(delay=30)) as peer:
        code, output = verb(service, {**inputs(service, "deployed"), "CDEVENTS_URL": peer.url, "CDEVENTS_TIMEOUT": "1"})
        assert time.monotonic() - begun < 25  # three attempts of 1 s, two pauses, and a busy machine
    assert code != 0
    assert "cannot be reached: no answer within 1 s (3 attempts)" in output


def test_nobody_listens(service: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, output = verb(service, {**inputs(service, "deployed"), "CDEVENTS_URL": url})
    assert code != 0
    assert f"{url} cannot be reached: [Errno 111] Connection refused (3 attempts)" in output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"EVENT": ""}, f"set EVENT to {ONE_OF}"),
        ({"EVENT": "gone"}, f"EVENT must be {ONE_OF}, not 'gone'"),
        ({"ENVIRONMENT": ""}, "set ENVIRONMENT to the name of an environment, a-z, 0-9 and -"),
        ({"ENVIRONMENT": "Prod"}, "ENVIRONMENT must be the name of an environment, a-z, 0-9 and -, not 'Prod'"),
        ({"IMAGE_REF": ""}, "set IMAGE_REF to an image by digest, NAME@sha256:DIGEST"),
        ({"IMAGE_REF": "ghcr.io/acme/orders:1"},
         "IMAGE_REF must be an image by digest, NAME@sha256:DIGEST, not 'ghcr.io/acme/orders:1'"),
        ({"REVISION": "v1"}, "REVISION must be a commit, 40 hexadecimal digits, not 'v1'"),
        ({"COMMIT_TIME": "today"}, "COMMIT_TIME must be the seconds since 1970 of the commit, not 'today'"),
        ({"COMMIT_TIME": "99999999999"}, "the commit is of the future: COMMIT_TIME is 99999999999"),
        ({"INCIDENT": "a b"}, "INCIDENT must be the id of the incident, without spaces, not 'a b'"),
        ({"EVENT": "incident-detected"}, "set INCIDENT to the id of the incident, without spaces"),
        ({"DESCRIPTION": "a\nb"}, "DESCRIPTION must be a sentence in one line, not 'a\\nb'"),
        ({"CDEVENTS_URL": "events.example.com"}, URL),
        ({"CDEVENTS_URL": "https://u:p@example.com"}, URL),
        ({"CDEVENTS_URL": "http://events.example.com", "CDEVENTS_TOKEN": "t"},
         "CDEVENTS_URL must be an https URL: CDEVENTS_TOKEN is not sent in the clear"),
        ({"CDEVENTS_URL": "https://example.com", "CDEVENTS_TOKEN": "a\nb"},
         "CDEVENTS_TOKEN must be a token, without spaces and line ends"),
        ({"CDEVENTS_TIMEOUT": "0"}, "CDEVENTS_TIMEOUT must be a number of seconds from 1 to 999, not '0'"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(service: Path, change: dict[str, str], said: str) -> None:
    env = {**inputs(service, "deployed"), **change}
    env |= {"PATH": os.environ["PATH"], "GIVEN": " ".join({"REVISION", "COMMIT_TIME"} & set(env))}
    command = [sys.executable, ".golden-path", "deploy-event", SERVICE, "acme/orders"]
    done = subprocess.run(command, cwd=service, env=env, capture_output=True, text=True, check=False, timeout=180)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"deploy-event: {said}\n")
    assert written(service) == []


def test_the_commit_of_the_checkout_is_not_guessed(service: Path) -> None:
    """After a promotion it is another one than that in the image."""
    code, output = verb(service, DEPLOYED)
    assert (code, written(service)) == (2, [])
    assert "set REVISION to the commit in the image" in output


def test_variables_of_the_command_line_count_too(service: Path) -> None:
    given = [
        f"{name}={value}" for name, value in {**DEPLOYED, "REVISION": "c" * 40, "COMMIT_TIME": "1767225600"}.items()
    ]
    done = make(service, "go", "--silent", "deploy-event", *given)
    assert done.returncode == 0, done.stdout
    assert written(service)[0]["data"]["customData"]["revision"] == "c" * 40


def cdevent(kind: str, when: str, identifier: str, **more: Any) -> dict[str, Any]:
    subject, what = kind.split(".")
    content: dict[str, Any] = {"environment": {"id": more.get("environment", "production")}}
    if subject == "incident":
        content["service"] = {"id": more.get("service", SERVICE)}
    event = {
        "context": {"specversion": SPEC, "id": f"{kind} {when}", "source": "https://github.com/acme/orders",
                    "type": f"dev.cdevents.{subject}.{what}.0.3.0", "timestamp": when},
        "subject": {"id": identifier, "content": content},
    }  # fmt: skip
    return event | ({"customData": {"commitTime": more["commit"]}} if "commit" in more else {})


# Ten days: four deployments, one taken back, two incidents of which one goes on.
HISTORY = [
    cdevent("service.deployed", "2026-03-01T12:00:00Z", SERVICE, commit="2026-03-01T10:00:00Z"),  # 2 h
    cdevent("service.deployed", "2026-03-03T12:00:00Z", SERVICE, commit="2026-03-03T08:00:00+00:00"),  # 4 h
    cdevent("service.deployed", "2026-03-05T12:00:00Z", SERVICE, commit="2026-03-04T12:00:00Z"),  # 24 h
    cdevent("service.rolledback", "2026-03-05T13:00:00Z", SERVICE),
    cdevent("service.deployed", "2026-03-06T12:00:00Z", SERVICE, commit="2026-03-06T06:00:00Z"),  # 6 h
    cdevent("incident.detected", "2026-03-05T12:30:00Z", "INC-1"),
    cdevent("incident.detected", "2026-03-05T12:40:00Z", "INC-1"),  # once more, by somebody else
    cdevent("incident.resolved", "2026-03-05T14:00:00Z", "INC-1"),  # 1.5 h after the first
    cdevent("incident.detected", "2026-03-11T11:00:00Z", "INC-2"),
    # Not ours.
    cdevent("service.deployed", "2026-03-05T12:00:00.5Z", SERVICE, environment="staging"),
    cdevent("service.deployed", "2026-03-05T12:00:00.6Z", "payments"),
    cdevent("incident.resolved", "2026-03-05T12:00:00.7Z", "INC-2", service="payments"),
]
MEASURED = """\
orders in production
  deployments          4 in 10 days, 0.40 a day
  lead time            5.0 h (median of 4)
  change failure rate  25.0% (1 of 4)
  rework rate          0.0% (0 of 4)
  recovery time        1.5 h (median of 1); 1 open
"""


def test_measures_of_a_known_history(service: Path, tmp_path: Path) -> None:
    """From files and lines, from CloudEvents and bare ones, and some of them twice."""
    for number, event in enumerate(HISTORY[:6]):
        (tmp_path / f"{number}.json").write_text(json.dumps({"specversion": "1.0", "data": event}))
    (tmp_path / "more.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in HISTORY[3:]) + "\n")
    assert verb(service, {"EVENTS": str(tmp_path)}, name="dora") == (0, MEASURED)


def test_measures_of_what_the_verb_wrote(service: Path) -> None:
    before = {"IMAGE_REF": f"{IMAGE[:-1]}0"}  # what comes back is another one
    for kind in KINDS:
        assert verb(service, inputs(service, kind) | (before if kind == "rolledback" else {}))[0] == 0
    code, output = verb(service, {}, name="dora")
    assert code == 0, output
    assert "1 in 1 days, 1.00 a day" in output
    assert "100.0% (1 of 1)" in output
    assert "0.0 h (median of 1); 0 open" in output


def test_nothing_to_measure_is_no_zero(service: Path, tmp_path: Path) -> None:
    code, output = verb(service, {"EVENTS": str(tmp_path), "ENVIRONMENT": "staging"}, name="dora")
    assert code == 0
    assert [line.split(maxsplit=1)[-1] for line in output.splitlines()[1:]] == [
        "none", "time            unknown", "failure rate  unknown", "rate          unknown",
        "time        unknown; 0 open",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "holds something that is no CDEvent"),
        ('{"specversion": "1.0"}', "holds something that is no CDEvent"),
        ('{"context": {"source": "a", "id": "b", "timestamp": "x"}, "subject": {}}', "an event has no 'type'"),
    ],
)
def test_what_is_no_event_is_named(service: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    code, output = verb(service, {"EVENTS": str(tmp_path)}, name="dora")
    assert code != 0
    assert said in output
    assert "Traceback" not in output


def test_no_events_no_measures(service: Path) -> None:
    code, output = verb(service, {"EVENTS": "nowhere"}, name="dora")
    assert code != 0
    assert "there is no nowhere: set EVENTS to a folder or file of events" in output
