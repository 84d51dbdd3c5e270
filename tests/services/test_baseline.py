"""make baseline: a change that is slower, larger or less right than slo.yaml allows fails and says so; others pass."""

from __future__ import annotations

import json
import math
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Self

import pytest

from golden_path.baseline import base, limits, verb
from golden_path.baseline.compared import Found
from golden_path.baseline.limits import Limits
from golden_path.baseline.load import connected, latencies, rate, request
from golden_path.baseline.quality import METRICS, loss
from golden_path.baseline.running import Running
from golden_path.service.errors import NoAnswerError, WrongInputError
from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.clones import cloned, edit
from tests.labs.service import make

MODEL = [pytest.mark.models, pytest.mark.only("model")]
SECTION = "baseline: {latency: 1.25, throughput: 0.8, memory: 1.2, metric: accuracy, loss: 0.02}\n"
ALLOWED = Limits(1.25, 0.8, 1.2, "accuracy", 0.02)


def test_limits() -> None:
    assert limits.read(f"service: screening\n{SECTION}") == ALLOWED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "slo.yaml is no YAML"),
        ("- 1", "slo.yaml needs baseline, with latency, throughput, memory, metric, loss"),
        ("service: x", "slo.yaml needs baseline, with latency, throughput, memory, metric, loss"),
        (SECTION.replace("latency", "latancy"), "slo.yaml: baseline has no latancy; it has latency,"),
        (SECTION.replace("1.25", "0.9"), "slo.yaml: baseline.latency must be a number from 1 to 100, not 0.9"),
        (SECTION.replace("0.8", "1.1"), "slo.yaml: baseline.throughput must be a number from 0 to 1, not 1.1"),
        (SECTION.replace("1.2,", "yes,"), "slo.yaml: baseline.memory must be a number from 1 to 100, not True"),
        (SECTION.replace("memory: 1.2, ", ""), "slo.yaml: baseline.memory must be a number from 1 to 100, not None"),
        (SECTION.replace("0.02", ".nan"), "slo.yaml: baseline.loss must be a number from 0 to 1, not nan"),
        (SECTION.replace("accuracy", "auc"), "baseline.metric must be one of accuracy, f1_macro, log_loss, not 'auc'"),
    ],
)
def test_limits_that_make_no_sense(text: str, said: str) -> None:
    with pytest.raises(WrongInputError, match=re.escape(said)):
        limits.read(text)


def measured(*, slower: float = 1, fewer: float = 1, larger: float = 1, right: float = 0.95) -> Found:
    """What is found of a head that is so many times as slow; in one round of three, of each lap, quite another."""
    rounds = {"latency": (0.001, 0.001 * slower), "throughput": (9000.0, 9000 * fewer), "memory": (90.0, 90 * larger)}
    odd = {"latency": (0.001, 0.9), "throughput": (9000.0, 1.0), "memory": (90.0, 9000.0)}
    return Found([{name: [pair, odd[name], pair] for name, pair in rounds.items()}] * 3, (0.95, right))


@pytest.mark.parametrize(
    ("found", "worse"),
    [
        (measured(), []),
        (measured(slower=1.2, fewer=0.82, larger=1.19, right=0.93), []),
        (measured(slower=0.5, fewer=2, larger=0.5, right=1), []),
        (measured(slower=1.3), ["latency is 1.30 times that of the base, and may be at most 1.25 (3 laps)"]),
        (measured(fewer=0.7), ["throughput is 0.70 times that of the base, and may be at least 0.8 (3 laps)"]),
        (measured(larger=1.5), ["memory is 1.50 times that of the base, and may be at most 1.2 (3 laps)"]),
        (measured(right=0.92), ["accuracy is worse by 0.0300, and may be by at most 0.02"]),
    ],
)
def test_each_limit(found: Found, worse: list[str]) -> None:
    table, reasons = verb.judge(found, ALLOWED)
    assert reasons == worse
    assert len(table) == 6


def test_a_lap_that_is_as_it_should_be_is_enough() -> None:
    """What slows the machine for minutes does not slow only one of them in each lap."""
    bad, good = measured(slower=3, fewer=0.2).laps, measured().laps
    assert verb.beyond(Found([*bad, *bad], (1, 1)), ALLOWED) == ["latency", "throughput"]
    assert verb.beyond(Found([*bad, good[0]], (1, 1)), ALLOWED) == []


ANSWERS = [
    {"prediction": name, "probabilities": {"a": share, "b": 1 - share}}
    for name, share in (("a", 0.9), ("a", 0.8), ("b", 0.3), ("a", 1.0))
]


def test_metrics() -> None:
    """As scikit-learn has them: accuracy_score, f1_score with average="macro", log_loss."""
    labels = ["a", "b", "b", "a"]
    assert METRICS["accuracy"](labels, ANSWERS) == 0.75
    assert METRICS["f1_macro"](labels, ANSWERS) == pytest.approx((4 / 5 + 2 / 3) / 2)
    expected = -sum(map(math.log, (0.9, 0.2, 0.7, 1.0))) / 4
    assert METRICS["log_loss"](labels, ANSWERS) == pytest.approx(expected)
    assert METRICS["log_loss"](["b"], ANSWERS[3:]) > 30, "sure, and wrong: much, and not infinite"
    assert [loss("accuracy", 0.9, 0.8), loss("log_loss", 0.3, 0.5)] == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize(
    ("takes", "asked", "labels"),
    [
        (["age"], [{"age": 1}] * 20, ["head"] * 20),  # fewer features than head: the same data, as far as it takes them
        (["age", "size"], [{"age": 1, "size": 2}] * 20, ["head"] * 20),
        (["height"], [{"height": 3}] * 20, ["base"] * 20),
    ],
)
def test_what_both_are_asked(
    monkeypatch: pytest.MonkeyPatch, takes: list[str], asked: list[dict[str, int]], labels: list[str]
) -> None:
    """The data that head holds out; that of the base where its model takes something else."""

    class Started(Running):
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing was started."""

        def features(self) -> list[str]:
            return takes

    held_out = {"head": {"age": 1, "size": 2}, "base": {"height": 3}}
    monkeypatch.setattr(verb, "Running", Started)
    monkeypatch.setattr(verb, "held_out", lambda name, _: ([held_out[name]] * 20, [name] * 20))
    one, other = verb.sides(Path("beside"), ["service"])
    assert (one.folder, one.instances, one.labels) == (Path("beside"), asked, labels)
    assert (other.folder, other.instances, other.labels) == (Path(), [held_out["head"]] * 20, ["head"] * 20)


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Listen on a port, and answer each request on it with the next of these, in two parts; nothing ends it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = iter(answers)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while connection.recv(1 << 16) and (answer := next(given, b"")):
                        connection.sendall(answer[:30])
                        connection.sendall(answer[30:])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


GOOD = http("200 OK", '{"answer": 1}')


def test_requests_and_their_answers() -> None:
    with answering(*[GOOD] * 9) as port, connected("head", port) as [connection]:
        assert json.loads(connection.ask(request("/", {}))) == {"answer": 1}
        assert all(0 < one < 5 for one in latencies(connection, cycle([request("/", {})]), 3))
        assert rate([connection], cycle([request("/", {})]), 0) > 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([http("503 Service Unavailable", "full")], "head answers 503: full"),
        ([GOOD, b""], "head ends a connection instead of answering"),
    ],
)
def test_what_is_no_answer(answers: list[bytes], said: str) -> None:
    with answering(*answers) as port, connected("head", port) as [connection], pytest.raises(NoAnswerError) as caught:
        latencies(connection, cycle([request("/", {})]), 2)
    assert str(caught.value) == said


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "Makefile").write_text("build:\n\t@echo broken; false\n")
    lab.commit_all(folder)
    monkeypatch.chdir(folder)
    return folder


def head(folder: Path) -> str:
    return lab.git(folder, "rev-parse", "HEAD").strip()


def test_the_base_is_where_head_left_main(repository: Path) -> None:
    first = head(repository)
    assert base.found("") == "", "on main, and nothing is changed"
    (repository / "new").write_text("")
    assert base.found("") == first, "what is not committed is a change"
    lab.git(repository, "checkout", "--quiet", "-b", "topic")
    lab.commit_all(repository, "Change")
    assert base.found("") == first
    assert base.found("HEAD^1") == first
    assert base.found("HEAD") == ""


@pytest.mark.parametrize("name", ["nowhere", "--all", "v1 v2"])
def test_a_base_that_is_not_there(repository: Path, name: str) -> None:
    del repository
    with pytest.raises(WrongInputError, match=f"BASE: git knows no commit '{name}'"):
        base.found(name)


def test_no_main(repository: Path) -> None:
    lab.git(repository, "branch", "--move", "other")
    with pytest.raises(WrongInputError, match="set BASE=REVISION"):
        base.found("")


def test_the_base_is_there_for_a_while_only(repository: Path) -> None:
    with base.checked_out(head(repository)) as folder:
        assert (folder.name, (folder / "Makefile").is_file()) == ("screening", True)
        with pytest.raises(NoAnswerError, match=r"the base does not build \(BASE=REVISION names another\):\nbroken"):
            base.build(folder)
    assert not folder.exists()
    assert len(lab.git(repository, "worktree", "list").splitlines()) == 1


class TestOfAService:
    """The verb in a service, its base a commit before."""

    pytestmark = MODEL

    @pytest.fixture
    def service(self, built: Built, tmp_path: Path) -> Path:
        folder = cloned(built, tmp_path)
        edit(folder, "README.md", r"\Z", "\nOne more sentence.\n")
        return folder

    def test_a_change_of_nothing_passes(self, service: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
        done = make(service, "python", "baseline", "BASE=HEAD^1")
        assert done.returncode == 0, done.stdout
        summary = (tmp_path / "summary").read_text()
        assert summary.splitlines()[2] == "| measure | base | head | head / base | limit |"
        # What is measured through the API is what the training says of the same model.
        told = json.loads((service / "model/model.json").read_text())["metrics"]["accuracy"]
        assert f"| accuracy | {told:.4f} | {told:.4f} | +0.0000 | worse by at most 0.02 |" in summary
        assert len(lab.git(service, "worktree", "list").splitlines()) == 1

    def test_a_change_that_is_worse_in_each_way_fails(self, service: Path) -> None:
        package = service / "src/model_orders"
        slow = "from time import sleep\n_LARGE = bytearray(b'1') * (60 << 20)\n"
        edit(service, str(package / "predictions/api.py"), r"^from time import", f"{slow}from time import")
        edit(service, str(package / "predictions/api.py"), r"^( +)rows = \[", r"\1sleep(0.002)\n\1rows = [")
        edit(service, "training/fit.py", r"min_samples_leaf=2", "min_samples_leaf=150")
        done = make(service, "python", "baseline", "BASE=HEAD~4")
        assert done.returncode == 2, done.stdout
        found = re.findall(r"FAIL  baseline: (\w+) is", done.stdout)
        assert found == ["latency", "throughput", "memory", "accuracy"], done.stdout

    def test_on_main_there_is_nothing_to_compare(self, service: Path) -> None:
        done = make(service, "python", "baseline", "BASE=HEAD")
        assert (done.returncode, "skip  baseline: nothing differs" in done.stdout) == (0, True), done.stdout

    @pytest.mark.parametrize(
        ("file", "pattern", "replacement", "said"),
        [
            ("slo.yaml", "metric: accuracy", "metric: auc", "baseline.metric must be one of"),
            (
                "training/held_out.py",
                r"^    json.dump.*$",
                "    sys.exit('no data')",
                "head: training.held_out fails: no",
            ),
        ],
    )
    def test_what_cannot_be_measured_fails(
        self, service: Path, file: str, pattern: str, replacement: str, said: str
    ) -> None:
        edit(service, file, pattern, replacement)
        done = make(service, "python", "baseline", "BASE=HEAD^1")
        assert done.returncode == 2
        assert f"FAIL  baseline: {'slo.yaml: ' if file == 'slo.yaml' else ''}{said}" in done.stdout, done.stdout
