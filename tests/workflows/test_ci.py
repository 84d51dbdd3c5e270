"""ci.yml as GitHub would run it: the real verbs in a real service, and what each failure turns red."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.service import make
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.selection.plugin import chosen
from tests.workflows.conftest import SECRETS, VARIABLES, cloned, edit

pytestmark = pytest.mark.images

WORK = ("lint", "test", "contract", "policy", "image")
JOBS = ("changes", *WORK, "ci-ok")
# They need none of what the setup installs.
PLAIN = ("changes", "image", "ci-ok")
PULL_REQUEST = {
    "pull_request": {"number": 7, "head": {"ref": "topic", "repo": {"fork": False}}, "base": {"ref": "main"}}
}
FORK = {"pull_request": {"number": 7, "head": {"ref": "topic", "repo": {"fork": True}}, "base": {"ref": "main"}}}
# GitHub knows nothing of a run of the lab.
GH = {"gh": Recorder((Answer(match="rulesets", stdout=""), Answer(code=1)))}
Clone = Callable[[], Path]
TOKEN = "token-of-the-broker"

# All that a repository may set.
ALL_SECRETS = {**SECRETS, "PACT_BROKER_TOKEN": TOKEN}
ALL_VARIABLES = {**VARIABLES, "PACT_BROKER_BASE_URL": "https://pact.example.com"}
# Runs for real, and what it was given is looked at.
SEEN = Recorder((Answer(real=True),), env=("*",))
WATCHED = {"gh": replace(GH["gh"], env=("*",)), "docker": SEEN, "make": SEEN}


def recorded(*verbs: str) -> Recorder:
    """Return a make that does not run these verbs, for tests of what is around them; the others it runs."""
    return Recorder((Answer(f"^({'|'.join(verbs)})$"), Answer(real=True)), env=("*",))


@dataclass(frozen=True)
class Break:
    """How a developer breaks a job.

    Attributes:
        file: what is changed.
        pattern: what is replaced in it.
        replacement: by what.
        said: what the job says of it.
    """

    file: str
    pattern: str
    replacement: str
    said: str


# The jobs of a line are broken together: what one of them says tells it from the others.
TOGETHER = (("lint", "policy"), ("test", "contract", "image"))
SHARED = {
    "contract": Break(
        "contracts/provided/example-consumer.json", r'"quantity": (\d+)', r'"colour": "red", "quantity": \1', "colour"
    ),
    "policy": Break(".github/dependabot.yml", "default-days: 7", "default-days: 1", "GP117 "),
    "image": Break("Dockerfile", "^ENTRYPOINT .*", 'ENTRYPOINT ["/nowhere"]', "stat /nowhere: no such file"),
}
BREAKS: dict[str, dict[str, Break]] = {
    "go": {
        "lint": Break("cmd/service/main.go", r"\Z", "\nfunc unused() {}\n", "func unused is unused"),
        "test": Break("internal/items/api.go", "StatusCreated", "StatusAccepted", "FAIL  unit tests"),
    },
    "java": {
        "lint": Break(
            "src/main/java/com/acme/javaorders/Application.java", r"\Z", "\n\n\n", "FAIL  format, lint, types"
        ),
        "test": Break(
            "src/test/java/com/acme/javaorders/items/ItemsTest.java", r"isEqualTo\(201\)", "isEqualTo(299)", "299"
        ),
    },
    "node": {
        "lint": Break("src/main.ts", r"\Z", "let  unused = 1\n", "FAIL  format and style"),
        "test": Break("test/unit/items.test.ts", r"toBe\(201\)", "toBe(299)", "299"),
    },
    "python": {
        "lint": Break("src/python_orders/app.py", r"\Z", "import  os\n", "import  os"),
        "test": Break("tests/test_items.py", "== 201", "== 299", "299"),
    },
}


def results(result: Result) -> dict[str, str]:
    return {job: result.result(job) for job in JOBS}


def pull_request(runner: Lab, folder: Path, env: Mapping[str, str], **more: Any) -> Result:
    given = {"payload": PULL_REQUEST, "recorders": GH, "plain": PLAIN, **more}
    return runner.run(folder, "pull_request", workflow="ci.yml", env=env, **given)


@pytest.fixture(scope="module")
def green(built: Built, job_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A pull request from a fork of a repository in which everything is set: every job with its real verb."""
    place = tmp_path_factory.mktemp("green")
    folder = cloned(built, place)
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    return pull_request(
        Lab(place / "runs"), folder, job_env, payload=FORK, recorders=WATCHED,
        secrets=ALL_SECRETS, variables=ALL_VARIABLES,
    )  # fmt: skip


def test_pull_request_is_green(green: Result) -> None:
    assert results(green) == dict.fromkeys(JOBS, "success"), green.stdout[-5000:]
    assert green.code == 0
    for job, said in {
        "lint": "ok ", "test": "ok    unit tests", "contract": "ok    contract, as provider",
        "policy": "ok    workflows", "image": "ok    image starts and stops",
    }.items():  # fmt: skip
        assert said in green.jobs[job].output
    # No release has written a cache yet.
    assert re.search(
        r"image: \d+ of \d+ steps from the cache, the registry's was not imported \(.+\), \d+ s",
        green.jobs["image"].summary,
    )
    assert "setup: not in the cache" in green.jobs["lint"].summary


def test_a_fork_gets_no_secret_and_writes_no_cache(green: Result) -> None:
    """Everything is set. That a fork's pull request gets none of it is the lab's imitation of GitHub's rule."""
    assert "gh secret set PACT_BROKER_TOKEN" in green.jobs["ci-ok"].summary
    writes_no_cache_and_sees_no_secret(green)


def writes_no_cache_and_sees_no_secret(result: Result) -> None:
    """Nothing that a pull request runs is given a secret, or writes a cache or an image."""
    assert {call.name for call in result.calls} >= {"docker", "gh", "make", "docker/login-action"}
    for call in result.calls:
        given = " ".join((call.line, call.stdin, *call.inputs.values(), *call.env.values()))
        assert [name for name, secret in ALL_SECRETS.items() if secret in given] == [], call.line
    assert [name for name, secret in ALL_SECRETS.items() if secret in result.stdout] == []
    builds = [call for call in result.calls if call.name == "docker" and "bake" in call.arguments]
    assert builds
    for call in builds:
        assert call.env.get("CACHE_FROM", "").endswith("-cache:amd64") or call.arguments[-1] == "check"
        assert not call.env.get("CACHE_TO")
        assert "release" not in call.arguments
    assert [call.line for call in result.calls if "push" in call.arguments or "login" in call.arguments] == []


@pytest.mark.one_language
def test_a_branch_of_the_repository_hands_on_none_either(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    """It would get the secrets, and shows that the workflow hands them to nothing, ``make contract`` among it."""
    folder = clone()
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    result = pull_request(
        runner, folder, job_env, recorders={**WATCHED, "make": recorded("setup ci-setup", "contract")}, plain=JOBS,
        ended={job: Ended("success") for job in ("lint", "test", "policy")},
        secrets=ALL_SECRETS, variables=ALL_VARIABLES,
    )  # fmt: skip
    assert result.code == 0, result.stdout[-5000:]
    assert "gh secret set PACT_BROKER_TOKEN" not in result.jobs["ci-ok"].summary
    writes_no_cache_and_sees_no_secret(result)


@pytest.mark.one_language
def test_summaries_tell_time_and_caches(
    runner: Lab, clone: Clone, job_env: dict[str, str], own_registry: str, language: str
) -> None:
    """With the setup's cache and the registry's in place, and GitHub's word on how long the jobs took."""
    folder = clone()
    scratch = f"{own_registry}/{uuid.uuid4().hex}"
    written = make(
        folder, language, "image", "PUSH=digest", env={**job_env, "IMAGE": scratch, "CACHE_TO": f"{scratch}:amd64"}
    )
    assert written.returncode == 0, written.stdout
    edit(folder, ".github/workflows/ci.yml", "CACHE_FROM: .*", f"CACHE_FROM: {scratch}:amd64")
    jobs = [
        {"name": name, "started_at": f"2026-03-01T10:{begun}Z", "completed_at": ended and f"2026-03-01T10:{ended}Z"}
        for name, begun, ended in (
            ("changes", "00:00", "00:05"),
            ("lint", "00:10", "00:50"),
            ("image", "00:12", "01:47"),
            ("ci-ok", "01:50", None),
        )
    ]
    gh = Recorder((Answer("rulesets"), Answer(r"repos/\S+/actions/runs/\d+/jobs", stdout=json.dumps({"jobs": jobs}))))
    result = runner.run(
        folder, "pull_request", PULL_REQUEST, "ci.yml", env=job_env, recorders={"gh": gh}, plain=PLAIN,
        ended={job: Ended("success") for job in ("test", "contract", "policy")},
        values={"actions/cache": {"cache-hit": "true"}},
    )  # fmt: skip
    assert result.code == 0, result.stdout[-5000:]
    assert "setup: from the cache" in result.jobs["lint"].summary
    found = re.search(
        r"image: (\d+) of (\d+) steps from the cache, the registry's was imported, \d+ s", result.jobs["image"].summary
    )
    assert found
    assert 0 < int(found[1]) < int(found[2]), "the version, of another commit, goes into the last steps"
    # The longest first; the last job still runs.
    assert "| image | 95 |\n| lint | 40 |\n| changes | 5 |\n| all | 107 |\n" in result.jobs["ci-ok"].summary


@pytest.mark.one_language
@pytest.mark.parametrize(
    ("cache", "hit", "said"),
    [
        ("true", "true", "setup: from the cache"),
        ("true", "false", "setup: not in the cache, which this run fills"),
        ("true", "", "setup: not in the cache, which this run fills"),
        ("false", "", "setup: without a cache"),
    ],
)
def test_setup_says_where_it_came_from(clone: Clone, language: str, cache: str, hit: str, said: str) -> None:
    done = make(clone(), language, "--silent", "ci-setup", env={"CACHE": cache, "CACHE_HIT": hit})
    assert done.stdout.splitlines()[0] == said


@pytest.mark.parametrize("broken", TOGETHER, ids="-".join)
def test_a_failure_turns_its_job_and_the_check_red(
    runner: Lab, clone: Clone, job_env: dict[str, str], language: str, broken: tuple[str, ...],
    pytestconfig: pytest.Config,
) -> None:  # fmt: skip
    """In the first language all jobs run, and the others are green; in the rest these, minutes otherwise, are ended."""
    folder = clone()
    breaks = {job: {**SHARED, **BREAKS[language]}[job] for job in broken}
    for one in breaks.values():
        edit(folder, one.file, one.pattern, one.replacement)
    all_run = language == chosen(pytestconfig)[0]
    ended = {} if all_run else {job: Ended("success") for job in WORK if job not in broken}
    result = pull_request(runner, folder, job_env, ended=ended)
    assert results(result) == {
        **dict.fromkeys(JOBS, "success"),
        **dict.fromkeys((*broken, "ci-ok"), "failure"),
    }, result.stdout[-5000:]
    assert result.code != 0
    assert {job for job, one in breaks.items() if one.said in result.jobs[job].output} == set(broken), result.stdout
    assert set(re.findall(r"FAIL  (\w+): failure", result.jobs["ci-ok"].output)) == set(broken)


@pytest.mark.one_language
@pytest.mark.parametrize(
    ("private", "variables", "reviewed"),
    [(False, {}, True), (True, {}, False), (True, {"DEPENDENCY_REVIEW": "true"}, True)],
)
@pytest.mark.parametrize("vulnerable", [False, True])
def test_dependencies_are_reviewed(
    runner: Lab,
    clone: Clone,
    job_env: dict[str, str],
    private: bool,
    variables: dict[str, str],
    reviewed: bool,
    vulnerable: bool,
) -> None:
    """Where GitHub can; a private repository without its Code Security is green and told so.

    What else the job does, ``make setup`` and ``make policy``, is recorded: it knows nothing of a review.
    """
    action = "actions/dependency-review-action"
    folder = clone()
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    result = pull_request(
        runner, folder, job_env, payload={**PULL_REQUEST, "repository": {"private": private}}, variables=variables,
        fails=[action] if vulnerable else [], ended={job: Ended("success") for job in WORK if job != "policy"},
        recorders={**GH, "make": recorded("setup ci-setup", "policy")}, plain=JOBS,
    )  # fmt: skip
    wanted = "failure" if reviewed and vulnerable else "success"
    assert (result.result("policy"), result.result("ci-ok")) == (wanted, wanted)
    assert [call.inputs for call in result.calls if call.name == action] == [{"fail-on-severity": "high"}] * reviewed
    assert ("gh variable set DEPENDENCY_REVIEW" in result.jobs["ci-ok"].summary) is not reviewed


@pytest.mark.one_language
def test_documents_need_no_build(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    """The required check is there and green, though nothing was built."""
    folder = clone()
    edit(folder, "README.md", r"\Z", "\nOne more sentence.\n")
    result = pull_request(runner, folder, job_env)
    assert results(result) == {**dict.fromkeys(WORK, "skipped"), "changes": "success", "ci-ok": "success"}


@pytest.mark.one_language
def test_the_merge_queue_builds_documents_too(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    """What is checked there is what main becomes: several pull requests, of which HEAD^1 shows the last only."""
    folder = clone()
    edit(folder, "README.md", r"\Z", "\nOne more sentence.\n")
    ref = "refs/heads/gh-readonly-queue/main/pr-7-0000000"
    lab.git(folder, "update-ref", ref, "HEAD")
    group = {"head_ref": ref, "base_ref": "refs/heads/main"}
    result = runner.run(
        folder, "merge_group", {"action": "checks_requested", "ref": ref, "merge_group": group}, "ci.yml",
        env=job_env, recorders={**GH, "make": recorded("setup ci-setup", "contract")}, plain=JOBS,
        ended={"pacts": Ended("skipped"), **{job: Ended("success") for job in WORK if job != "contract"}},
        secrets=ALL_SECRETS, variables=ALL_VARIABLES,
    )  # fmt: skip
    assert results(result) == dict.fromkeys(JOBS, "success"), result.stdout[-5000:]
    assert [call.line for call in result.called("make", "contract")][-1] == "make contract"
    assert result.jobs["changes"].step("changes").outputs == {"code": "true"}
    assert result.result("contract-publish") == "skipped", "main's push publishes"


@pytest.mark.parametrize(("job", "how"), [("lint", "skipped"), ("image", "cancelled")])
def test_what_did_not_run_to_its_end_lets_nothing_pass(
    runner: Lab, clone: Clone, job_env: dict[str, str], job: str, how: Any
) -> None:
    _stopped(runner, clone(), job_env, job, how)


@pytest.mark.one_language
@pytest.mark.parametrize(
    ("job", "how"),
    [
        *(("changes", how) for how in ("skipped", "cancelled", "failure")),
        *(("lint", how) for how in ("cancelled", "failure")),
        *(("image", how) for how in ("skipped", "failure")),
    ],
)
def test_nothing_but_success_lets_it_pass(
    runner: Lab, clone: Clone, job_env: dict[str, str], job: str, how: Any
) -> None:
    _stopped(runner, clone(), job_env, job, how)


def _stopped(runner: Lab, folder: Path, job_env: dict[str, str], job: str, how: Any) -> None:
    """One job ends in another way than the rest, and the required check is red and says so."""
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    ended = {other: Ended("success", {"code": "true"} if other == "changes" else {}) for other in ("changes", *WORK)}
    ended[job] = Ended(how)
    result = pull_request(runner, folder, job_env, ended=ended)
    assert result.result("ci-ok") == "failure"
    assert f"FAIL  {job}: {how}" in result.jobs["ci-ok"].output


def test_first_push_is_green_with_nothing_set(
    runner: Lab, clone: Clone, job_env: dict[str, str], language: str, pytestconfig: pytest.Config
) -> None:
    """As the first push of a new repository: no secret, no variable, no ruleset.

    Left out are the jobs that ask for none. That their verbs are green, of the same sources and with nothing more in
    their environment, is seen in a pull request; so those of the others run in the first language, and are recorded in
    the rest.
    """
    folder = clone()
    all_run = language == chosen(pytestconfig)[0]
    recorders = GH if all_run else {**GH, "make": recorded("contract", "policy")}
    result = runner.run(
        folder, "push", {}, "ci.yml", env=job_env, recorders=recorders, plain=PLAIN,
        ended={job: Ended("success") for job in ("lint", "test", "image")},
    )  # fmt: skip
    assert results(result) == dict.fromkeys(JOBS, "success"), result.stdout[-5000:]
    assert "Not configured yet" in result.jobs["ci-ok"].summary
    # Nothing was set: it says what could be.
    summary = result.jobs["ci-ok"].summary
    for command in (
        "gh variable set PACT_BROKER_BASE_URL", "gh secret set AUTOMATION_APP_KEY", "rulesets --input",
        "gh variable set PROMETHEUS_URL", "gh variable set TEMPLATE_UPDATES",
    ):  # fmt: skip
        assert command in summary
    assert (result.result("pacts"), result.result("contract-publish")) == ("skipped", "skipped")


@pytest.mark.one_language
def test_what_is_configured_is_not_listed(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    settings = {
        "PACT_BROKER_BASE_URL": "https://pact.example.com",
        "PROMETHEUS_URL": "https://prometheus.example.com",
        "TEMPLATE_UPDATES": "false",
    }
    ended = {job: Ended("success") for job in (*WORK, "pacts", "contract-publish")}
    result = runner.run(
        clone(), "push", {}, "ci.yml", env=job_env, recorders=GH, ended=ended, plain=PLAIN,
        variables=settings, secrets={"PACT_BROKER_TOKEN": TOKEN},
    )  # fmt: skip
    assert result.code == 0, result.stdout[-5000:]
    assert "gh secret set AUTOMATION_APP_KEY" in result.jobs["ci-ok"].summary, "what is not configured is"
    assert [name for name in (*settings, "Pact broker") if name in result.jobs["ci-ok"].summary] == []
