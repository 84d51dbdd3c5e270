"""The workflow lab: runs a repository's workflow with act on this machine, its actions replaced by stand-ins."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.labs import kustomize
from tests.labs.clones import REUSE
from tests.labs.errors import LabError, last_line
from tests.labs.leftovers import MARK
from tests.labs.workflows import endings, recorders, remotes, stubs
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.log import Reader, Result, calls
from tests.labs.workflows.recorders import Recorder
from tests.labs.workflows.tools import program

RUNNERS = ("ubuntu-24.04", "ubuntu-24.04-arm", "ubuntu-22.04", "ubuntu-22.04-arm", "ubuntu-latest")
TOKEN = "lab-token"
# What a runner that runs these tests sets, and what would send act to files of the user's.
_FOREIGN = ("GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "LAB_")
_HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")


class Lab:
    """Runs workflows.

    Args:
        folder: where the runs keep their files, an empty one of the test's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0

    def run(
        self,
        repository: Path,
        event: str,
        payload: Mapping[str, Any],
        workflow: str,
        *,
        name: str = "",
        values: Mapping[str, Mapping[str, str]] | None = None,
        files: Mapping[str, Mapping[str, str]] | None = None,
        fails: Collection[str] = (),
        ended: Mapping[str, Ended] | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        recorders: Mapping[str, Recorder] | None = None,
        repositories: Mapping[str, Path] | None = None,
        called: Mapping[str, Path] | None = None,
        artifacts: Path | None = None,
        reuse: Sequence[str] = REUSE,
        plain: Collection[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 900,
    ) -> Result:
        """Run one workflow as GitHub would for one event.

        Args:
            repository: a git repository; what is committed at its HEAD, or at the ref in the payload, is run.
            event: the event, for example ``push``; whether the workflow's filters let it through is not looked at.
            payload: the event's payload, as far as the workflow reads it; the actor is ``sender.login``.
            workflow: file name in ``.github/workflows``.
            name: ``owner/name``; that in the payload's ``repository.full_name``, else ``acme/`` and the folder's name.
            values: outputs of actions, by action; others are ``stub-<output>``.
            files: files that actions write, text by path in the workspace, by action.
            fails: actions that fail.
            ended: jobs that do not run and end so.
            secrets: all there are; ``GITHUB_TOKEN`` is always there, the others not in a pull request from a fork.
            variables: ``vars``.
            recorders: programs that are recorded instead of run; all others are real.
            repositories: further repositories that jobs may check out, fetch or push, by ``owner/name``.
            called: folders of other repositories whose workflows are called, by ``owner/name@commit``.
            artifacts: folder of artifacts of earlier runs, in which this one puts its own; an empty one by default.
            reuse: folders of the repository, ignored by git, whose copies each job finds after checkout.
            plain: jobs that use nothing of that and find none of it, which saves the copies.
            env: environment of the jobs, such as ``toolchains.environment(language)``; this process's by default.
            timeout: seconds.

        Returns:
            What happened.

        Raises:
            LabError: the arguments do not fit the repository, the workflow is not valid, or act cannot run it.
        """
        self._runs += 1
        run = (self._folder / f"run-{self._runs}").resolve()
        for part in ("home", "hooks", "programs", "remotes", "artifacts"):
            (run / part).mkdir(parents=True)
        name = name or payload.get("repository", {}).get("full_name", "") or f"acme/{repository.name}"
        payload = _payload(event, payload, name)
        sources = {name: repository, **(repositories or {})}
        remotes.clone(run / "remotes", sources)
        remotes.work_tree(run / "tree", run / "remotes", name, _ref(event, payload))
        file = run / "tree" / ".github" / "workflows" / workflow
        if not file.is_file():
            raise LabError(f"{repository} has no workflow .github/workflows/{workflow}")
        _leave_out(file.parent)
        own = endings.apply(file, ended) if ended else {}
        recorded = dict(recorders or {})
        store = (artifacts or run / "artifacts").resolve()
        settings = {
            "actions": stubs.settings(values or {}, files or {}, fails),
            "recorders": {key: recorder.settings() for key, recorder in recorded.items()},
            "remotes": list(sources),
            "repository": str(repository.resolve()),
            "reuse": list(reuse),
            "plain": list(plain),
            "artifacts": str(store),
        }
        _write(run / "settings.json", settings)
        _write(run / "event.json", payload)
        known = {} if _from_fork(event, payload) else secrets or {}
        _write(run / "secrets.yml", {"GITHUB_TOKEN": TOKEN, **known})
        _write(run / "variables.yml", {**(variables or {}), **own})
        _write(run / "inputs.yml", {})
        outer = {
            key: value
            for key, value in (os.environ if env is None else env).items()
            if not key.startswith(_FOREIGN) and key != "CI"
        }
        _write(run / "env.yml", self._job_env(run, outer))
        _programs(run, recorded, outer)
        others = {key: folder.resolve() for key, folder in (called or {}).items()}
        actions = stubs.used(run / "tree").union(*map(stubs.used, others.values()))
        options = stubs.write(run / "stubs", actions)
        options += [part for key, folder in others.items() for part in ("--local-repository", f"{key}={folder}")]
        options += ["--actor", payload["sender"]["login"]]
        done = _act(run, event, workflow, options, outer, timeout)
        return _result(run, file, done, store, ended or {})

    def _job_env(self, run: Path, outer: Mapping[str, str]) -> dict[str, str]:
        (run / "gitconfig").write_text(remotes.settings(run / "remotes"), encoding="utf-8")
        return {
            **{key: outer[key] for key in (*_HOMES, MARK) if key in outer},
            "LAB_RUN": str(run),
            "GITHUB_RUN_ID": str(self._runs),
            "GITHUB_RUN_NUMBER": str(self._runs),
            "GIT_CONFIG_GLOBAL": str(run / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")


def _payload(event: str, payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Complete a payload with what GitHub always sends and the workflows, or act, always read."""
    owner, _, short = name.partition("/")
    repository = {
        "full_name": name,
        "name": short,
        "owner": {"login": owner},
        "default_branch": "main",
        "private": True,
        **payload.get("repository", {}),
    }
    full = {"sender": {"login": "octocat"}, **payload, "repository": repository}
    if "pull_request" in full:
        full.setdefault("number", full["pull_request"].get("number", 1))
    if event in ("push", "create", "workflow_dispatch"):
        full.setdefault("ref", f"refs/heads/{repository['default_branch']}")
    if inputs := full.get("inputs"):
        # act reads true only from the text.
        full["inputs"] = {key: json.dumps(value) if isinstance(value, bool) else value for key, value in inputs.items()}
    return full


def _leave_out(workflows: Path) -> None:
    """Take out of the workflows what act refuses; it enforces no permissions anyway."""
    for file in workflows.glob("*.y*ml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(
            re.sub(r"^\s+artifact-metadata: (read|write)\b.*$", "", text, flags=re.MULTILINE), encoding="utf-8"
        )


def _from_fork(event: str, payload: Mapping[str, Any]) -> bool:
    """Return whether GitHub withholds the secrets; it takes Dependabot for a fork."""
    head = payload.get("pull_request", {}).get("head", {})
    foreign = (head.get("repo") or {}).get("fork") or payload["sender"]["login"] == "dependabot[bot]"
    return event != "pull_request_target" and bool(foreign)


def _ref(event: str, payload: Mapping[str, Any]) -> str:
    """Return what an event runs on; a pull request on what is checked out, as if it were the merge."""
    if event.startswith("pull_request"):
        return "HEAD"
    if event == "release":
        return f"refs/tags/{payload['release']['tag_name']}"
    return str(payload.get("ref") or f"refs/heads/{payload['repository']['default_branch']}")


def _programs(run: Path, recorded: Mapping[str, Recorder], env: Mapping[str, str]) -> None:
    recorders.write(run / "programs", recorded)
    bash = shutil.which("bash", path=env.get("PATH"))
    if bash is None:
        raise LabError("bash is missing: install it and put it on PATH")
    # act starts each step on a terminal with an open standard input; a runner does not. And what a job adds to PATH
    # must not come before the recorded programs.
    hooks, programs = run / "hooks", run / "programs"
    (hooks / "bash").write_text(
        f"#!{bash}\n"
        f'hooks=":{hooks}:" programs=":{programs}:" path=":$PATH:"\n'
        'path="${path//"$hooks"/:}" path="${path//"$programs"/:}" path="${path#:}"\n'
        f'export PATH="{programs}:${{path%:}}"\n'
        f'{shlex.quote(bash)} "$@" </dev/null 2>&1 | cat\n'
        # When a step has ended, act reads no more of its terminal, and may not have read all of it on a busy machine.
        'code="${PIPESTATUS[0]}"\n[ "$code" = 0 ] && sleep 0.1 || sleep 0.5\nexit "$code"\n',
        encoding="utf-8",
    )
    (hooks / "bash").chmod(0o755)


def _act(
    run: Path, event: str, workflow: str, options: Sequence[str], outer: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in outer.items() if key not in _HOMES}
    env["HOME"] = str(run / "home")
    path = kustomize.on(outer.get("PATH", os.defpath))
    env["PATH"] = os.pathsep.join([str(run / "hooks"), str(run / "programs"), path])
    command = [
        program("act"), event, "--json", "--verbose", "--workflows", f".github/workflows/{workflow}",
        "--eventpath", run / "event.json", "--env-file", run / "env.yml", "--secret-file", run / "secrets.yml",
        "--var-file", run / "variables.yml", "--input-file", run / "inputs.yml", "--action-cache-path", run / "cache",
        "--action-offline-mode", "--no-cache-server", "--no-skip-checkout", "--container-daemon-socket", "-",
        *(part for label in RUNNERS for part in ("--platform", f"{label}=-self-hosted")), *options,
    ]  # fmt: skip
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd=run / "tree",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{workflow} still ran after {timeout:g} seconds") from None


def _result(
    run: Path, file: Path, done: subprocess.CompletedProcess[str], store: Path, ended: Mapping[str, Ended]
) -> Result:
    (run / "act.log").write_text(done.stdout, encoding="utf-8")
    # As text: a job may be called off, which YAML 1.1 takes for a truth value.
    content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    callers = {job.get("name", key): key for key, job in content["jobs"].items() if "uses" in job}
    reader = Reader(content.get("name") or file.name, callers)
    reader.read(done.stdout.splitlines())
    jobs = reader.jobs()
    if not jobs and done.returncode != 0:
        raise LabError(f"act cannot run {file.name}: {' '.join(reader.text) or last_line(done.stdout)}")
    for key, job in jobs.items():
        if job.id in ended and ended[job.id].result == "cancelled":
            job.result = "cancelled"
        if not job.result and key not in callers.values():
            raise LabError(f"act did not end the job {key} of {file.name}: {reader.text[-1] if reader.text else ''}")
    jobs = {key: job for key, job in jobs.items() if job.result or key not in callers.values()}
    found = {job.id.partition("/")[0] for job in jobs.values()}
    return Result(
        code=done.returncode,
        jobs=jobs,
        calls=calls(run / "calls.jsonl", reader),
        stdout="\n".join(reader.text),
        missing=tuple(key for key in content["jobs"] if key not in found),
        artifacts=store,
        remotes=run / "remotes",
    )
