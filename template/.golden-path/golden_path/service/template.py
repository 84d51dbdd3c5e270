"""The template of this service: bring its newest version, or list what differs from it.

usage: python3 .golden-path template update PYTHON   the branch golden-path/VERSION, and the text of its pull request in
                                                     build/template-update.json; $TEMPLATE_VERSION: that version
       python3 .golden-path template pack            both into build/template-update; prints sha256= for $GITHUB_OUTPUT
       python3 .golden-path template propose         push that branch (with $TEMPLATE_UPDATE_SHA256 the one that another
                                                     job packed), open its pull request or bring it up to date
       python3 .golden-path template drift PYTHON    a table, into $GITHUB_STEP_SUMMARY where there is one; never fails

The template brings the engine that does it, golden_path/, in each of its versions; PYTHON has Copier installed. That
code runs, so it is always the template that the committed answers name, at one of its tags. None of it has run in the
job of "propose", which has the token: what comes from the other is looked at before it is pushed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from golden_path.service import automation
from golden_path.service.automation import CREDENTIALS, say
from golden_path.service.errors import RefusedError
from golden_path.service.handover import check, checksum

ANSWERS = ".copier-answers.yml"
RESULT = Path("build/template-update.json")
PACKED = Path("build/template-update")
PROPOSAL, COMMITS = PACKED / "proposal.json", PACKED / "commits.bundle"
BRANCH = re.compile(r"golden-path/v?\d[\w.+-]*")
RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)")
ENGINE, PLATFORM = "golden_path", "template/.golden-path"
REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# Nobody's address. A branch whose last commit is not of this one holds somebody's work.
EMAIL = "golden-path@noreply.invalid"
DONE, DECIDE = 0, 3  # exit codes of the engine: an upgrade, and one in which a person has to decide something
# What leads git to another repository than the one of the folder.
ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
# What a person's git does otherwise must not change the template that is fetched, nor run anything.
PLAIN = ("core.hooksPath=/dev/null", "core.autocrlf=false", "core.eol=lf", "core.attributesFile=/dev/null")


def git(*arguments: str | Path, **env: str) -> str:
    options = [part for one in PLAIN for part in ("-c", one)]
    return automation.run("git", *options, *map(str, arguments), GIT_TERMINAL_PROMPT="0", **env)


def origin() -> tuple[str, str]:
    """Where the template is, and the version of it that this service has."""
    try:
        answers = git("show", f"HEAD:{ANSWERS}")
    except RefusedError:
        raise RefusedError(f"no {ANSWERS} is committed: the service does not know its template") from None
    found = dict(re.findall(r"""^(_src_path|_commit): ['"]?(.+?)['"]?$""", answers, re.MULTILINE))
    if len(found) != 2:
        raise RefusedError(f"{ANSWERS} has no _src_path and _commit: the service does not know its template")
    source = found["_src_path"]
    if not re.match(r"/|~|\w[\w+.-]*:|[\w.-]+@[\w.-]+:", source):
        raise RefusedError(
            f"_src_path in {ANSWERS} depends on the folder: write the address of the template instead of {source!r}"
        )
    return fetched(source), found["_commit"]


def fetched(source: str) -> str:
    """What git fetches from, as the engine has it."""
    if short := re.match("g[hl]:", source):
        host = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}[short[0]]
        return f"{host}{source.removeprefix(short[0]).lstrip('/').removesuffix('.git')}.git"
    plain = source.removeprefix("git+")
    return str(Path(plain).expanduser()) if plain.startswith("~") else plain


def number(version: str) -> tuple[int, ...]:
    found = RELEASE.match(version)
    return tuple(map(int, found[1].split("."))) if found else ()


def newest(address: str, current: str, wanted: str) -> str:
    """The version to go to; the one that the service has where there is nothing to do."""
    listed = git("ls-remote", "--tags", "--refs", "--", address)
    tags = re.findall(r"refs/tags/(v?\d[\w.+-]*)$", listed, re.MULTILINE)
    releases = sorted((tag for tag in tags if RELEASE.fullmatch(tag)), key=number)
    if wanted and wanted not in tags:
        raise RefusedError(
            f"the template has no version {wanted!r}; the newest are {', '.join(releases[-3:]) or 'none'}"
        )
    if wanted and number(wanted) < number(current):
        raise RefusedError(f"{wanted} is older than {current}, which the service has: an update does not go back")
    if wanted:
        return wanted
    return releases[-1] if releases and number(releases[-1]) > number(current) else current


def place(address: str) -> Path:
    """Where the engine keeps a template; what is fetched here, it need not fetch again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return cache / "golden-path/templates" / hashlib.sha256(address.encode()).hexdigest()[:32]


def engine(address: str, version: str, python: str) -> list[str]:
    """The command that starts the engine of a version of the template, which is fetched for it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the rest of this package runs with it
        raise RefusedError(
            "python3 is older than 3.11, which the template needs: install a newer one, remove .tools/copier"
        )
    try:
        place(address).mkdir(parents=True, exist_ok=True)
        with locked(place(address)) as folder:
            code = _code(folder, address, version)
    except OSError as error:
        raise RefusedError(f"the cache cannot be written: {error}; set XDG_CACHE_HOME to another folder") from None
    os.environ["PYTHONPATH"] = str(code)  # only that, whatever else a person's Python finds
    return [python, "-P", "-m", ENGINE]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """A folder that nobody else writes meanwhile, the engine included."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def _code(folder: Path, address: str, version: str) -> Path:
    """The folder with the engine of a version, and no more of the template."""
    mirror = folder / "mirror.git"
    with tempfile.TemporaryDirectory(dir=folder) as staged:
        fresh = mirror if (mirror / "HEAD").exists() else Path(staged, "mirror.git")
        git("init", "--quiet", "--bare", fresh)
        git("--git-dir", fresh, "fetch", "--quiet", "--prune", "--no-tags", "--", address, *REFS)
        if fresh != mirror:
            fresh.rename(mirror)
        commit = git("--git-dir", mirror, "rev-parse", f"refs/tags/{version}^{{commit}}")
        code = folder / "engines" / commit
        if code.exists():
            return code
        if not git("--git-dir", mirror, "ls-tree", "--name-only", commit, f"{ENGINE}/__main__.py"):
            raise RefusedError(
                f"{version} of the template has no {ENGINE}/, which does the update: name a newer version with "
                f"TEMPLATE_VERSION, or run 'copier update --trust --vcs-ref {version}'"
            )
        tree = Path(staged, "code")
        tree.mkdir()
        alone = {"GIT_INDEX_FILE": str(Path(staged, "index")), "GIT_WORK_TREE": str(tree)}
        parts = git("--git-dir", mirror, "ls-tree", "-d", "--name-only", commit, ENGINE, PLATFORM).splitlines()
        for part in parts:  # the second has what links of the first lead to
            git("--git-dir", mirror, "read-tree", f"--prefix={part}/", f"{commit}:{part}", **alone)
        git("-c", "core.bare=false", "--git-dir", mirror, "checkout-index", "--all", **alone)
        code.parent.mkdir(exist_ok=True)
        tree.rename(code)
        return code


def run(command: list[str], codes: tuple[int, ...], output: int | None = None) -> str:
    """What the engine says; why it cannot go on is its last line on standard error."""
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode not in codes:
        raise RefusedError((said or ["the engine failed"])[-1].removeprefix("golden-path: "))
    sys.stderr.writelines(f"{line}\n" for line in said)
    return done.stdout or ""


def update(python: str = sys.executable) -> None:
    RESULT.unlink(missing_ok=True)
    address, current = origin()
    version = newest(address, current, os.environ.get("TEMPLATE_VERSION", ""))
    if version == current:
        sys.stdout.write(f"  ok    nothing to do: the service has {current} of the template\n")
        return
    command = engine(address, version, python)
    run([*command, "apply", ".", "--trust", "--to", version, "--proposal", str(RESULT)], (DONE, DECIDE))


def drift(python: str = sys.executable) -> None:
    """Nothing but a report: a template that cannot be reached is no failure of the service's."""
    try:
        address, _ = origin()
        command = engine(address, newest(address, "", ""), python)
        text = run([*command, "status", ".", "--trust", "--drift"], (DONE,), output=subprocess.PIPE)
    except RefusedError as reason:
        text = f"### Template: the drift cannot be looked at\n\n{shown(reason)}\n"
    say(text.rstrip("\n"))


def requests(*arguments: str) -> list[dict[str, Any]]:
    fields = "number,state,url,body,headRefName,isCrossRepository"
    found: list[dict[str, Any]] = json.loads(
        automation.run("gh", "pr", "list", "--json", fields, "--limit", "50", *arguments) or "[]"
    )
    return [one for one in found if not one.get("isCrossRepository")]  # a fork may have a branch of our name


def offer(branch: str, commit: str, title: str, body: str) -> str:
    """What a person did is left alone: a branch with commits of theirs, and a pull request that they closed."""
    ref = f"refs/heads/{branch}"
    pushed = (git(*CREDENTIALS, "ls-remote", "origin", ref).split() or [""])[0]
    if pushed and pushed != commit:
        git(*CREDENTIALS, "fetch", "--quiet", "origin", ref)
        if git("log", "-1", "--format=%ce", pushed) != EMAIL:
            return f"{branch} has commits of a person's: left alone"
    own = requests("--head", branch, "--state", "all")
    opened = [one for one in own if one["state"] == "OPEN"]
    if own and not opened:
        return f"{own[0]['url']} was closed: not opened again"
    if any(re.search(r"^Rollout: ", one.get("body", ""), re.MULTILINE) for one in opened):
        return f"{opened[0]['url']} is the fleet's: left alone"
    if pushed != commit:
        git(*CREDENTIALS, "push", "--quiet", f"--force-with-lease={ref}:{pushed}", "origin", f"{commit}:{ref}")
    elif opened:
        return f"{opened[0]['url']} is up to date"
    ours = re.compile("golden-path/(?!revert-)|template/update-")  # and those of 0.1.0
    older = [one for one in requests("--state", "open") if ours.match(one["headRefName"])]
    body += "".join(
        f"\nContains #{one['number']}, which can be closed.\n" for one in older if one["headRefName"] != branch
    )
    command = ("edit", str(opened[0]["number"])) if opened else ("create", "--head", branch)
    said = automation.run("gh", "pr", *command, "--title", title, "--body-file", "-", data=body)
    return said or opened[0]["url"]


def pack() -> None:
    """Hand the branch on, to a job in which no code of the template has run."""
    shutil.rmtree(PACKED, ignore_errors=True)
    if not RESULT.exists():
        return
    PACKED.mkdir(parents=True)
    shutil.copy(RESULT, PROPOSAL)
    branch = json.loads(RESULT.read_text(encoding="utf-8"))["branch"]
    git("bundle", "create", "--quiet", COMMITS, f"refs/heads/{branch}", "^HEAD")
    sys.stdout.write(f"sha256={checksum(PACKED)}\n")


def unpacked() -> dict[str, str]:
    """What the other job proposes: one commit on top of this one, on a branch of the engine's."""
    check(PACKED, os.environ["TEMPLATE_UPDATE_SHA256"])
    try:
        proposal = json.loads(PROPOSAL.read_text(encoding="utf-8"))
        found = {name: str(proposal[name]) for name in ("branch", "commit", "title", "body")}
    except (OSError, ValueError, TypeError, KeyError):
        raise RefusedError(f"{PROPOSAL} is no proposal: run the workflow again") from None
    if not BRANCH.fullmatch(found["branch"]):
        raise RefusedError(f"{found['branch']} is no branch for an update of the template")
    git("-c", "fetch.fsckObjects=true", "fetch", "--quiet", "--no-tags", COMMITS, f"refs/heads/{found['branch']}")
    commit = git("rev-parse", "FETCH_HEAD")
    if commit != found["commit"] or git("log", "-1", "--format=%P", commit) != git("rev-parse", "HEAD"):
        raise RefusedError(f"{found['branch']} is not one commit on top of this one: run the workflow again")
    return found


def propose() -> None:
    result = "no update of the template to propose"
    if os.environ.get("TEMPLATE_UPDATE_SHA256"):
        result = offer(**unpacked())
    elif RESULT.exists():
        result = offer(**json.loads(RESULT.read_text()))
    say(f"template: {result}")


def shown(reason: RefusedError) -> str:
    """On one line of a log: no control character, no command of the CI's, no user of an address."""
    text = re.sub("://[^/@ ]+@", "://***@", str(reason))
    plain = "".join(one if one.isprintable() else ascii(one)[1:-1].replace("\\udc", "\\x") for one in text)
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", plain).replace("##[", "\\x23#[")


def main(verb: str = "", *arguments: str) -> int:
    """Run one of the four."""
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    try:
        verbs: dict[str, Callable[..., None]] = {"update": update, "pack": pack, "propose": propose, "drift": drift}
        verbs[verb](*arguments)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  template-{verb}: {shown(reason)}\n")
        return 1
    return 0
