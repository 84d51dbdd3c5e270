"""Push the branch of the update, and open its pull request or bring it up to date, with gh."""

import json
import subprocess
from typing import Any

from golden_path.service.automation import CREDENTIALS, say
from golden_path.service.errors import RefusedError
from golden_path.service.template.source import git, run
from golden_path.service.template.update import EMAIL, RESULT


def requests(*arguments: str) -> list[dict[str, Any]]:
    fields = "number,state,url,headRefName,isCrossRepository"
    found: list[dict[str, Any]] = json.loads(
        run("gh", "pr", "list", "--json", fields, "--limit", "50", *arguments) or "[]"
    )
    return [one for one in found if not one.get("isCrossRepository")]  # a fork may have a branch of our name


def pull_request(branch: str, commit: str, title: str, body: str) -> str:
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
    if pushed != commit:
        git(*CREDENTIALS, "push", "--quiet", f"--force-with-lease={ref}:{pushed}", "origin", f"{commit}:{ref}")
    older = [one for one in requests("--state", "open") if one["headRefName"].startswith("template/update-")]
    older = [one for one in older if one["headRefName"] != branch]
    body += "".join(f"\nContains #{one['number']}, which can be closed.\n" for one in older)
    with_text = ("--title", title, "--body-file", "-")
    if opened and pushed == commit:
        return f"{opened[0]['url']} is up to date"
    command = ("gh", "pr", "edit", str(opened[0]["number"])) if opened else ("gh", "pr", "create", "--head", branch)
    done = subprocess.run([*command, *with_text], input=body, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RefusedError(f"gh pr {command[2]}: {' '.join(done.stderr.split()) or 'failed'}")
    return done.stdout.strip() or opened[0]["url"]


def propose() -> None:
    """What a person did is left alone: a branch with commits of theirs, and a pull request that they closed."""
    result = "no update of the template to propose"
    if RESULT.exists():
        result = pull_request(**json.loads(RESULT.read_text(encoding="utf-8")))
    say(f"template: {result}")
