"""`make template-update` and `template-drift`, and template-update.yml with the real verbs; gh is recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from golden_path.errors import Exit
from golden_path.service import template as verbs
from golden_path.service.handover import checksum
from golden_path.source import address
from golden_path.store import cache
from golden_path.store.git import EMAIL
from tests.labs import template as lab
from tests.labs import updates
from tests.labs.service import make
from tests.labs.updates import BADGE, BRANCH, LOGO, NEW, OLD, Pair, put, replace, work
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.updates import entrances, hard_cases
from tests.updates.cases import CASES
from tests.updates.commands import WORKERS

pytestmark = pytest.mark.only("go")

APP: dict[str, Any] = {
    "variables": {"AUTOMATION_APP_ID": "7", "TEMPLATE_UPDATES": "true"},
    "secrets": {"AUTOMATION_APP_KEY": "private-key"},
}
URL = "https://github.com/acme/orders/pull/3"
OPEN = {"number": 3, "state": "OPEN", "url": URL, "headRefName": BRANCH}
VERBS = ".golden-path/service.mk"


@pytest.fixture(scope="module")
def first(language: str, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A service and its template that nobody changes, Copier installed in it by the service's own rule."""
    made = updates.pair(tmp_path_factory.mktemp("first"))
    done = make(made.service, language, "template-update", env={"TEMPLATE_VERSION": OLD})
    assert done.returncode == 0, done.stdout
    return made


def copy(pair: Pair, folder: Path, tools: Path) -> Pair:
    """Copy a service, for a test to change; the template is the same."""
    service = folder / pair.service.name
    shutil.copytree(pair.service, service, symlinks=True, ignore=shutil.ignore_patterns(".tools"))
    updates.install(tools, service / ".tools")
    return Pair(pair.template, service)


@pytest.fixture
def pair(first: Pair, tmp_path: Path) -> Pair:
    return copy(first, tmp_path, first.service / ".tools")


@pytest.fixture
def own(first: Pair, tmp_path: Path) -> Pair:
    """A service with a template for the test to change, and Copier as it is installed."""
    return updates.pair(tmp_path, first.service / ".tools")


@pytest.fixture(scope="module")
def once(first: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A service with the branch of the update; nobody changes it."""
    proposed = copy(first, tmp_path_factory.mktemp("once"), first.service / ".tools")
    done = verb(proposed.service)
    assert done.returncode == 0, done.stdout
    return proposed


@pytest.fixture
def proposed(once: Pair, first: Pair, tmp_path: Path) -> Pair:
    return copy(once, tmp_path, first.service / ".tools")


def verb(service: Path, name: str = "template-update", *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    everything = {**lab.GIT, "GITHUB_STEP_SUMMARY": "", **env}
    return make(service, "go", name, *arguments, env=everything)


def refused(done: subprocess.CompletedProcess[str], reason: str) -> None:
    """It failed with one line of ours, and the one of make's."""
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if not line.startswith("make:")]
    assert len(lines) == 1, done.stdout
    assert lines[0].startswith("  FAIL  template-update: ")
    assert reason in lines[0]


def show(service: Path, name: str, ref: str = BRANCH) -> str:
    return subprocess.run(
        ["git", "show", f"{ref}:{name}"], cwd=service, capture_output=True, check=True
    ).stdout.decode()


def names(service: Path, ref: str = BRANCH) -> set[str]:
    return set(lab.git(service, "ls-tree", "-r", "--name-only", ref).splitlines())


def state(service: Path) -> tuple[str, ...]:
    """What an update must leave as it is, besides the branch that it makes."""
    status = lab.git(service, "status", "--porcelain")
    return status, lab.git(service, "rev-parse", "HEAD"), lab.git(service, "worktree", "list")


def branches(service: Path) -> list[str]:
    return lab.git(service, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def proposal(service: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((service / "build/template-update.json").read_text())
    return found


def test_untouched_service(once: Pair, tmp_path: Path) -> None:
    """What the branch holds is what the new version writes."""
    fresh = lab.render(once.template, tmp_path / "orders", {"language": "go"})
    # The template left this one to the service.
    shutil.copy(once.service / "SECURITY.md", fresh)
    lab.commit_all(fresh)
    assert lab.git(fresh, "rev-parse", "HEAD^{tree}") == lab.git(once.service, "rev-parse", f"{BRANCH}^{{tree}}")
    body = proposal(once.service)["body"]
    assert "Risk: low" in body
    assert {"- new: `docs/notes.md`", "- clean: `.golden-path/usage.awk` (was `.golden-path/help.awk`)"} <= set(
        body.splitlines()
    )
    assert "To decide" not in body


def test_no_work_is_lost(pair: Pair) -> None:
    """Each way in which plain Copier loses work, or leaves markers, in one service."""
    service = pair.service
    work(service)
    (service / "src/dirty.txt").write_text("not committed\n")
    replace(service / "Makefile", r"\Z", "\n# Not committed.\n")
    before = state(service)
    done = verb(service)
    assert done.returncode == 0, done.stdout
    assert state(service) == before
    gone = {".golden-path/help.awk"}  # its edit is where the template moved it
    assert names(service) == (names(service, "HEAD") | {".golden-path/new.txt", ".golden-path/usage.awk"}) - gone
    # Both changed one line, which is ours; the template's other line arrived.
    makefile = show(service, VERBS)
    assert "Run the unit tests, fast" in makefile
    assert "Run the unit tests, all of them" not in makefile
    assert "Show the verbs" in makefile
    assert makefile.startswith("# Ours.\n")
    fragment = show(service, ".golden-path/ci.mk")
    assert fragment.startswith("# Ours.\n")
    assert fragment.endswith("# The end.\n")
    assert "# ours" in show(service, ".golden-path/usage.awk")
    assert show(service, "logo.bin").encode() == LOGO + b"\2"
    assert show(service, "badge.bin").encode() == BADGE + b"\2"
    assert show(service, "docs/notes.md") == "Our notes.\n"
    assert "Our advice." in show(service, "SECURITY.md")
    assert "The same in every service" in show(service, ".editorconfig")
    patch = lab.git(service, "diff", "HEAD", BRANCH)
    assert "<<<<<<<" not in patch
    assert ">>>>>>>" not in patch
    body = proposal(service)["body"]
    decisions = [line.removeprefix("- [ ] ") for line in body.splitlines() if line.startswith("- [ ]")]
    assert [line.split("`")[1] for line in decisions] == [VERBS, "docs/notes.md", "logo.bin"]
    assert "you and the template changed the same lines" in decisions[0]
    assert "+test: test-language ## Run the unit tests, all of them" in body
    assert "+The template's notes." in body
    assert "- merged: `.golden-path/ci.mk`" in body
    assert f"git switch {BRANCH}" in body


def test_twice_is_once(pair: Pair) -> None:
    work(pair.service)
    assert verb(pair.service).returncode == 0
    first = lab.git(pair.service, "rev-parse", BRANCH)
    done = verb(pair.service)
    assert done.returncode == 0
    assert "is there already" in done.stdout
    assert lab.git(pair.service, "rev-parse", BRANCH) == first
    lab.git(pair.service, "merge", "--quiet", "--ff-only", BRANCH)
    done = verb(pair.service)
    assert (done.returncode, done.stdout) == (0, f"  ok    nothing to do: the service has {NEW} of the template\n")
    assert not (pair.service / "build/template-update.json").exists()


def test_a_persons_git_does_not_matter(once: Pair, pair: Pair) -> None:
    """Their settings, and what leads git to another repository."""
    settings = {"core.autocrlf": "true", "column.ui": "always", "diff.external": "false", "log.showSignature": "true"}
    given = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_EXTERNAL_DIFF": "false", "GIT_INDEX_FILE": "/nowhere/index"}
    for number, (key, value) in enumerate(settings.items()):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    done = verb(pair.service, **given)
    assert done.returncode == 0, done.stdout
    assert lab.git(pair.service, "rev-parse", BRANCH) == lab.git(once.service, "rev-parse", BRANCH)
    assert proposal(pair.service) == proposal(once.service)


def test_names_of_others_do_not_act(pair: Pair) -> None:
    """In the log of the CI and in the text; what they name is found all the same."""
    name = "docs/::error::\u2028 `fixes #1`.txt"
    (pair.service / name).write_text("mine\n")
    (pair.service / ".golden-path/new.txt").write_text("mine, with ~~~~~~ and @person\n")
    lab.commit_all(pair.service, "Edits")
    done = verb(pair.service)
    assert done.returncode == 0, done.stdout
    assert name in lab.git(pair.service, "-c", "core.quotePath=false", "ls-tree", "-r", "-z", "--name-only", BRANCH)
    assert "@person" not in proposal(pair.service)["body"]


def test_a_branch_with_a_persons_commit_stays(proposed: Pair) -> None:
    lab.git(proposed.service, "switch", "--quiet", BRANCH)
    replace(proposed.service / "Makefile", r"\A", "# Decided.\n")
    lab.commit_all(proposed.service, "Decide")
    mine = lab.git(proposed.service, "rev-parse", "HEAD")
    lab.git(proposed.service, "switch", "--quiet", "main")
    done = verb(proposed.service)
    assert (done.returncode, "is there already" in done.stdout) == (0, True)
    put(proposed.service / "src/later.txt", "later\n")
    lab.commit_all(proposed.service, "Go on")
    refused(verb(proposed.service), f"the branch {BRANCH} has commits of a person's")
    assert lab.git(proposed.service, "rev-parse", BRANCH) == mine


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("v9.9.9", f"the template has no version 'v9.9.9'; the newest are {OLD}, {NEW}"),
        ("main", "the template has no version 'main'"),
        ("--data=language=java", "the template has no version"),
        ("$(shell touch stolen)", "the template has no version"),
        ("v0.1.0; touch stolen", "the template has no version"),
        ("../../evil", "the template has no version"),
        ("v0.1.0\n::add-mask::x", r"the template has no version 'v0.1.0\n::add-mask::x'"),
    ],
)
def test_hostile_version(pair: Pair, version: str, reason: str) -> None:
    """As the workflow gives it: through the environment. A commit of a branch is no version either."""
    before = state(pair.service), branches(pair.service)
    refused(verb(pair.service, TEMPLATE_VERSION=version), reason)
    assert (state(pair.service), branches(pair.service)) == before
    assert not (pair.service / "stolen").exists()


def test_a_commit_that_is_no_version_is_not_run(own: Pair) -> None:
    """GitHub serves commits of forks under the address of what they were forked from."""
    put(own.template / "template/evil.txt", "evil\n")
    lab.commit_all(own.template, "Not released")
    refused(verb(own.service, TEMPLATE_VERSION=lab.git(own.template, "rev-parse", "HEAD")), "has no version")


def test_a_branch_that_is_called_as_a_version_is_not_run(own: Pair) -> None:
    put(own.template / "golden_path/__main__.py", "print('not released')\n")
    lab.git(own.template, "switch", "--quiet", "--create", NEW)
    lab.commit_all(own.template, "Not released")
    done = verb(own.service)
    assert done.returncode == 0, done.stdout
    assert "not released" not in done.stdout


def test_the_engine_is_that_of_the_version(own: Pair) -> None:
    """Not of the service's version; and where the version has none, one line says what to do."""
    put(own.template / "golden_path/__main__.py", "import sys\n\nsys.exit(f'golden-path: engine {sys.argv[1:]}')\n")
    lab.commit_all(own.template, "Another engine")
    lab.git(own.template, "tag", "v0.2.0")
    refused(verb(own.service), f"engine ['apply', '.', '--trust', '--to', 'v0.2.0', '--proposal', '{verbs.RESULT}']")
    assert verb(own.service, TEMPLATE_VERSION=NEW).returncode == 0
    lab.git(own.template, "rm", "-r", "--quiet", "golden_path")
    lab.git(own.template, "commit", "--quiet", "--message", "None")
    lab.git(own.template, "tag", "v0.3.0")
    refused(
        verb(own.service), "v0.3.0 of the template has no golden_path/, which does the update: name a newer version"
    )
    assert "cannot be looked at" in verb(own.service, "template-drift").stdout


def test_a_branch_of_an_earlier_version_is_noticed(pair: Pair) -> None:
    lab.git(pair.service, "branch", "template/update-v0.0.9")
    done = verb(pair.service)
    assert "  close     template/update-v0.0.9: of an earlier engine; it can be deleted\n" in done.stdout


def test_who_makes_the_branch_is_known_in_the_service() -> None:
    """What the service's own module says again, since it cannot import it."""
    assert (verbs.EMAIL, verbs.DECIDE) == (EMAIL, Exit.CONFLICT)
    for source in ("/a/template", "~/template", "gh:acme/template.git", "gl:/acme/template", "git+https://a.example/t"):
        assert verbs.fetched(source) == address.fetched(source)
        assert verbs.place(verbs.fetched(source)) == cache.folder() / "templates" / cache.key(address.fetched(source))


def test_no_way_back(proposed: Pair) -> None:
    lab.git(proposed.service, "merge", "--quiet", "--ff-only", BRANCH)
    refused(verb(proposed.service, TEMPLATE_VERSION=OLD), f"{OLD} is older than {NEW}")


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r"^_src_path: .*", "_src_path: ../template", "depends on the folder"),
        (r"^_src_path: .*\n", "", "has no _src_path"),
        (r"^_src_path: .*", "_src_path: /nowhere/template", "git ls-remote: "),
        (r"^_src_path: .*", "_src_path: ext::touch stolen", "git ls-remote: transport 'ext' not allowed"),
    ],
)
def test_answers_without_a_template(pair: Pair, pattern: str, replacement: str, reason: str) -> None:
    replace(pair.service / ".copier-answers.yml", pattern, replacement)
    lab.commit_all(pair.service, "Break it")
    refused(verb(pair.service), reason)
    assert not (pair.service / "stolen").exists()


def test_only_the_committed_template_is_trusted(pair: Pair) -> None:
    """Whoever changes the answers without committing them gets nothing run."""
    replace(pair.service / ".copier-answers.yml", r"^_src_path: .*", "_src_path: /nowhere/evil")
    done = verb(pair.service)
    assert done.returncode == 0, done.stdout
    assert f"_src_path: {pair.template}" in show(pair.service, ".copier-answers.yml")


def test_drift(own: Pair) -> None:
    clean = verb(own.service, "template-drift")
    assert (clean.returncode, clean.stdout.splitlines()[0]) == (
        0,
        f"### Template {OLD}: 0 files differ from what it wrote",
    )
    work(own.service)
    summary = own.service.parent / "summary.md"
    before = state(own.service)
    done = verb(own.service, "template-drift", GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, state(own.service)) == (0, before)
    text = summary.read_text()
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    # Neither what the template leaves to the service, nor what it knows nothing of.
    assert rows == [".gitattributes", ".golden-path/ci.mk", ".golden-path/help.awk", VERBS, "badge.bin", "logo.bin"]
    assert f"| `{VERBS}` | 2 | 1 |" in text
    assert f"{NEW} is out" in text
    shutil.rmtree(own.template)
    done = verb(own.service, "template-drift")
    assert done.returncode == 0
    assert "cannot be looked at" in done.stdout


def gh(*listed: dict[str, Any], **more: Any) -> Recorder:
    mine = [one for one in listed if one["headRefName"] == BRANCH]
    answers = (
        Answer(match=f"pr list .*--head {BRANCH}", stdout=json.dumps(mine)),
        Answer(match="pr list", stdout=json.dumps(list(listed))),
        Answer(match="pr create", stdout=f"{URL}\n", **more),
    )
    return Recorder(answers, env=("GH_TOKEN",))


def run(runner: Lab, service: Path, recorder: Recorder, **more: Any) -> Result:
    settings = {**APP, **more}
    payload = settings.pop("payload", {})
    event = "workflow_dispatch" if payload else "schedule"
    return runner.run(
        service, event, {"repository": {"full_name": "acme/orders"}, **payload}, "template-update.yml",
        recorders={"gh": recorder}, values={"actions/create-github-app-token": {"token": "app-token"}},
        env={**os.environ}, **settings,
    )  # fmt: skip


def pushed(result: Result) -> str:
    remote = result.remotes / "acme/orders"
    return lab.git(remote, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")


def changes(result: Result) -> list[str]:
    """The calls of gh that change something."""
    return [call.line for call in result.called("gh") if " list " not in call.line]


def test_a_pull_request_is_opened(runner: Lab, pair: Pair) -> None:
    work(pair.service)
    result = run(runner, pair.service, gh())
    assert (result.result("update"), result.result("propose")) == ("success", "success"), result.stdout[-3000:]
    [token] = [call for call in result.calls if call.name == "actions/create-github-app-token"]
    scopes = {name: value for name, value in token.inputs.items() if name.startswith("permission-")}
    assert set(scopes) == {"permission-contents", "permission-pull-requests", "permission-workflows"}
    [created] = [call for call in result.called("gh") if "create" in call.arguments]
    title = f"Update the template from {OLD} to {NEW}"
    assert created.line == f"gh pr create --head {BRANCH} --title {title} --body-file -"
    assert created.env == {"GH_TOKEN": "app-token"}
    assert f"- [ ] `{VERBS}`" in created.stdin
    remote = result.remotes / "acme/orders"
    assert "Run the unit tests, fast" in show(remote, VERBS)
    assert lab.git(remote, "log", "-1", "--format=%ce %P", BRANCH) == f"{EMAIL} {lab.git(remote, 'rev-parse', 'main')}"
    assert URL in result.jobs["propose"].summary
    # Nothing of the template's has run on the machine that has the token.
    assert (token.job, {call.job for call in result.called("gh")}) == ("propose", {"propose"})


def test_no_second_pull_request(runner: Lab, proposed: Pair) -> None:
    """The branch of the first run is there, with its pull request."""
    result = run(runner, proposed.service, gh(OPEN))
    assert result.code == 0, result.stdout[-3000:]
    assert changes(result) == []
    assert pushed(result) == lab.git(proposed.service, "rev-parse", BRANCH)
    assert "is up to date" in result.jobs["propose"].summary


def test_a_push_without_its_pull_request_is_made_good(runner: Lab, proposed: Pair) -> None:
    result = run(runner, proposed.service, gh())
    assert [line.split()[2] for line in changes(result)] == ["create"]


def test_the_branch_follows_main(runner: Lab, proposed: Pair) -> None:
    first = lab.git(proposed.service, "rev-parse", BRANCH)
    work(proposed.service)
    older = {**OPEN, "number": 2, "headRefName": "template/update-v0.0.9"}
    result = run(runner, proposed.service, gh(OPEN, older))
    assert result.code == 0, result.stdout[-3000:]
    [edited] = changes(result)
    assert edited.startswith("gh pr edit 3 ")
    assert pushed(result) != first
    [call] = [call for call in result.called("gh") if "edit" in call.arguments]
    assert "Contains #2" in call.stdin


def test_a_persons_commit_is_not_overwritten(runner: Lab, proposed: Pair) -> None:
    lab.git(proposed.service, "switch", "--quiet", BRANCH)
    replace(proposed.service / "Makefile", r"\A", "# Decided.\n")
    lab.commit_all(proposed.service, "Decide")
    mine = lab.git(proposed.service, "rev-parse", "HEAD")
    lab.git(proposed.service, "switch", "--quiet", "main")
    result = run(runner, proposed.service, gh(OPEN))
    assert (result.code, changes(result), pushed(result)) == (0, [], mine)
    assert "left alone" in result.jobs["propose"].summary


def test_what_was_closed_stays_closed(runner: Lab, pair: Pair) -> None:
    result = run(runner, pair.service, gh({**OPEN, "state": "CLOSED"}))
    assert (result.code, changes(result), pushed(result)) == (0, [], "")
    assert "not opened again" in result.jobs["propose"].summary


def test_a_pull_request_of_a_fork_is_not_ours(runner: Lab, pair: Pair) -> None:
    """Anybody can open one from a branch of our name, and close it."""
    result = run(runner, pair.service, gh({**OPEN, "state": "CLOSED", "isCrossRepository": True}))
    assert result.result("update") == "success", result.stdout[-3000:]
    assert [call for call in result.called("gh") if "create" in call.arguments]


def test_by_hand_it_needs_no_variable_of_its_own(runner: Lab, pair: Pair) -> None:
    """Whoever starts it wants the update."""
    inputs = {"inputs": {"version": NEW}}
    result = run(runner, pair.service, gh(), payload=inputs, variables={"AUTOMATION_APP_ID": "7"})
    assert [line.split()[2] for line in changes(result)] == ["create"]


def test_a_pull_request_of_the_fleets_is_left_alone(runner: Lab, proposed: Pair) -> None:
    """Although the branch would follow main: rings and the brake decide about it."""
    first = lab.git(proposed.service, "rev-parse", BRANCH)
    work(proposed.service)
    result = run(runner, proposed.service, gh({**OPEN, "body": f"Rollout: {NEW} of 2026-11-28\n\nRisk: low"}))
    assert (result.code, changes(result), pushed(result)) == (0, [], first)
    assert "is the fleet's: left alone" in result.jobs["propose"].summary


@pytest.mark.parametrize("name", hard_cases.RUN)
def test_a_hard_case_ends_as_with_the_engine(
    name: str, runner: Lab, first: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of each kind; tests/updates runs all of them through the verb, which is what the workflow calls."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    case = next(one for one in CASES if one.name == name)
    renderer, base = WORKERS[True], entrances.engine(tmp_path / "base")
    workflow = (first.service / entrances.WORKFLOW).read_bytes()
    _, service = entrances.pair(case, tmp_path, renderer, base, workflow)
    commit, refusal = entrances.engines(service, renderer)
    result = run(runner, service, gh())
    assert result.result("update") == ("failure" if refusal else "success")
    assert f"FAIL  template-update: {refusal}" in result.jobs["update"].output or not refusal
    made = lab.git(result.remotes / "acme/orders", "for-each-ref", "--format=%(objectname)", "refs/heads/golden-path")
    assert made == commit
    assert hard_cases.column(hard_cases.WORKFLOW)[name] == (hard_cases.REFUSED_TOO if refusal else hard_cases.SAME)


def test_nothing_to_do(runner: Lab, proposed: Pair) -> None:
    lab.git(proposed.service, "merge", "--quiet", "--ff-only", BRANCH)
    lab.git(proposed.service, "branch", "--delete", BRANCH)
    result = run(runner, proposed.service, gh())
    assert (result.code, result.called("gh"), pushed(result)) == (0, [], "")
    assert "nothing to do" in result.jobs["update"].output


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TEMPLATE_UPDATES": "true"}, "gh secret set AUTOMATION_APP_KEY"),
        ({"TEMPLATE_UPDATES": "true", "AUTOMATION_APP_ID": "7"}, "gh secret set AUTOMATION_APP_KEY"),
        ({"AUTOMATION_APP_ID": "7"}, "gh variable set TEMPLATE_UPDATES"),
        ({"AUTOMATION_APP_ID": "7", "TEMPLATE_UPDATES": "false"}, "gh variable set TEMPLATE_UPDATES"),
    ],
)
def test_where_it_is_not_set_up_it_is_green_and_says_what_to_set(
    runner: Lab, pair: Pair, variables: dict[str, str], named: str
) -> None:
    secrets = APP["secrets"] if "TEMPLATE_UPDATES" in named else {}
    result = run(runner, pair.service, gh(), variables=variables, secrets=secrets)
    assert (result.code, result.called("gh"), pushed(result)) == (0, [], "")
    assert named in result.jobs["update"].summary
    assert "actions/create-github-app-token" not in [call.name for call in result.calls]


def test_a_failure_says_why(runner: Lab, pair: Pair) -> None:
    """A version that nobody has, from the form of the workflow; and a pull request that GitHub refuses."""
    result = run(runner, pair.service, gh(), payload={"inputs": {"version": "v9.9.9"}})
    assert result.result("update") == "failure"
    assert "FAIL  template-update: the template has no version 'v9.9.9'" in result.jobs["update"].output
    assert result.called("gh") == []
    refuses = Recorder((Answer(match="pr create", stderr="GraphQL: no\n", code=1), Answer(stdout="[]")))
    result = run(runner, pair.service, refuses)
    assert (result.result("update"), result.result("propose")) == ("success", "failure")
    assert "FAIL  template-propose: gh pr create: GraphQL: no" in result.jobs["propose"].output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"branch": "main"}, "main is no branch for an update of the template"),
        ({"commit": "1" * 40}, "is not one commit on top of this one: run the workflow again"),
        (None, "build/template-update is not what the job before has left: run the workflow again"),
    ],
    ids=["as it was", "another branch", "another commit", "another sum"],
)
def test_what_the_templates_code_hands_on_is_looked_at(
    runner: Lab, proposed: Pair, tmp_path: Path, change: dict[str, str] | None, said: str
) -> None:
    """Its job may hand on anything: only a commit on top of main, on a branch of the engine's, is pushed."""
    packed = proposed.service / "build/template-update"
    assert verb(proposed.service, "template-pack").returncode == 0
    handed = json.loads((packed / "proposal.json").read_text())
    (packed / "proposal.json").write_text(json.dumps({**handed, **(change or {})}))
    total = checksum(packed)
    lab.git(proposed.service, "branch", "-D", BRANCH)
    shutil.copytree(packed, tmp_path / "artifacts/template-update")
    result = run(
        runner, proposed.service, gh(), artifacts=tmp_path / "artifacts",
        ended={"update": Ended("success", {"sha256": "1" * 64 if change is None else total})},
    )  # fmt: skip
    assert result.result("propose") == ("failure" if said else "success"), result.stdout[-3000:]
    assert said in result.jobs["propose"].output
    assert bool(pushed(result)) is not bool(said)
