"""Bring a version of the template into a branch, without losing what a person did."""

import difflib
import json
import os
import sys
from pathlib import Path

from golden_path.service.errors import RefusedError
from golden_path.service.template.source import ANSWERS, git, newest, origin, run, work_tree
from golden_path.service.template.text import Decision, body, code, escaped

RESULT = Path("build/template-update.json")
# Nobody's address. A branch whose last commit is not of this one holds somebody's work.
AUTHOR, EMAIL = "template-update", "template-update@noreply.invalid"
LONGEST_HUNK = 4000


def content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def committed(name: str) -> bytes | None:
    try:
        return run("git", "cat-file", "blob", f"HEAD:{name}")
    except RefusedError:
        return None


def written(copier: Path, tree: Path, source: str, version: str, folder: Path) -> dict[str, bytes]:
    """What a version of the template writes for the answers in this work tree."""
    run(
        copier,
        "copy",
        "--quiet",
        "--defaults",
        "--trust",
        "--vcs-ref",
        version,
        "--data-file",
        tree / ANSWERS,
        source,
        folder,
    )
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: text for name, text in files.items() if name != ANSWERS}


def difference(before: bytes | None, after: bytes | None, folder: Path) -> str:
    """The changed lines, without the head that names the files."""
    for name, text in (("before", before), ("after", after)):
        (folder / name).write_bytes(text or b"")
    shown = run(
        "git", "diff", "--no-index", "--no-ext-diff", "--no-textconv", "--", "before", "after", cwd=folder, codes=(0, 1)
    ).decode(errors="replace")
    hunks = shown[shown.find("@@") :] if "@@" in shown else ""
    return hunks if len(hunks) <= LONGEST_HUNK else f"{hunks[:LONGEST_HUNK]}\n... and more\n"


def merge(sides: tuple[bytes | None, bytes | None, bytes | None], folder: Path) -> tuple[bytes, bytes]:
    """Merge base, yours and the template's: once with your lines where both changed them, once with the template's."""
    for name, text in zip(("base", "ours", "theirs"), sides, strict=True):
        (folder / name).write_bytes(text or b"")
    command = ("git", "merge-file", "-p")
    return (
        run(*command, "--ours", "ours", "base", "theirs", cwd=folder),
        run(*command, "--theirs", "ours", "base", "theirs", cwd=folder),
    )


def moved_to(name: str, old: dict[str, bytes], new: dict[str, bytes]) -> str:
    """The new file that is most like one that is gone."""
    lines = old[name].splitlines()
    likeness = {
        other: difflib.SequenceMatcher(None, lines, new[other].splitlines(), autojunk=False).ratio()
        for other in set(new) - set(old)
    }
    best = max(likeness, key=lambda other: likeness[other], default="")
    return f", now {code(best)}" if best and likeness[best] > 0.5 else ""


def give_back(
    tree: Path, folder: Path, old: dict[str, bytes], new: dict[str, bytes]
) -> tuple[list[str], list[Decision]]:
    """Undo what Copier did to a person's changes; return what was merged, and what is to be decided."""
    rejects = {name for name in git("ls-files", "--others", "-z", cwd=tree).split("\0") if name.endswith(".rej")}
    for name in rejects:
        (tree / name).unlink()
    merged, decisions = [], []
    gone = filter(None, git("ls-files", "--deleted", "-z", cwd=tree).split("\0"))
    for name in sorted({*old, *new, *gone} - {ANSWERS}):
        base, theirs, ours, now = old.get(name), new.get(name), committed(name), content(tree / name)
        if ours is None and base is not None:
            (tree / name).unlink(missing_ok=True)  # what the service deleted stays deleted
        elif ours in (None, base, theirs):
            continue  # nothing of a person's is in it
        elif f"{name}.rej" not in rejects and now not in (None, theirs):
            merged += [name] if now != ours else []
        elif base == theirs:
            git("checkout", "HEAD", "--", name, cwd=tree)  # binary, or a folder that the template gave up
        elif theirs is None or b"\0" in theirs + ours or (tree / name).is_symlink():
            git("checkout", "HEAD", "--", name, cwd=tree)
            why = f"the template removed it{moved_to(name, old, new)}" if theirs is None else "it is no text"
            decisions.append(
                Decision(name, f"{why}. You had changed it, so yours stayed.", difference(base, ours, folder))
            )
        else:
            mine, template = merge((base, ours, theirs), folder)
            (tree / name).write_bytes(mine)
            if mine == template:
                merged.append(name)
            else:
                why = "you and the template changed the same lines. Yours stayed; these did not arrive:"
                decisions.append(Decision(name, why, difference(mine, template, folder)))
    return merged, decisions


def put(branch: str, commit: str) -> str:
    """Let the branch name the commit, where it holds nobody's work."""
    known = run("git", "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", codes=(0, 1)).decode().strip()
    if known == commit:
        return f"{branch} is there already, with just this"
    if known and git("log", "-1", "--format=%ce", known) != EMAIL:
        raise RefusedError(
            f"the branch {branch} has commits of yours: merge it, or delete it with 'git branch -D {branch}'"
        )
    git("branch", "--quiet", "--no-track", "--force", branch, commit)
    return f"{branch}"


def update(copier: Path) -> None:
    RESULT.unlink(missing_ok=True)
    source, current = origin()
    version = newest(source, current, os.environ.get("TEMPLATE_VERSION", ""))
    if not version:
        sys.stdout.write(f"  ok    nothing to do: the service has {current} of the template\n")
        return
    with work_tree() as (tree, folder):
        old = written(copier, tree, source, current, folder / "old")
        arguments = ("--quiet", "--defaults", "--trust", "--conflict", "rej", "--vcs-ref", version)
        # What Copier loses is given back below, so its guard need not stop it.
        form = git("rev-parse", "--show-object-format")
        run(
            copier,
            "update",
            *arguments,
            "--answers-file",
            ANSWERS,
            tree,
            env={"GOLDEN_PATH_GUARD": "off", "GIT_DEFAULT_HASH": form},
        )
        new = written(copier, tree, source, version, folder / "new")
        merged, decisions = give_back(tree, folder, old, new)
        git("add", "--all", cwd=tree)
        listed = git("diff", "--cached", "--name-status", "--no-renames", "-z", "HEAD", cwd=tree).split("\0")
        changes = list(zip(listed[::2], listed[1::2], strict=False))
        # The same update of the same commit is the same commit.
        date = git("show", "--no-patch", "--format=%cI", "HEAD")
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", AUTHOR), ("EMAIL", EMAIL), ("DATE", date))
        }
        title = f"Update the template from {current} to {version}"
        commit = git("commit-tree", git("write-tree", cwd=tree), "-p", "HEAD", "-m", title, cwd=tree, **who)
    branch = f"template/update-{version}"
    said = put(branch, commit)
    whole = body(source, current, version, changes, merged, decisions)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"branch": branch, "commit": commit, "title": title, "body": whole}), encoding="utf-8")
    sys.stdout.write(f"  ok    {said}: {len(changes)} files, {len(decisions)} to decide\n")
    sys.stdout.writelines(f"        {escaped(name)}: {why}\n" for name, why, _ in decisions)
