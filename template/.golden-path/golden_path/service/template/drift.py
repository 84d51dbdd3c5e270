"""Which files differ from what the service's version of the template wrote, those that it left to the service apart."""

from pathlib import Path

from golden_path.service.automation import say
from golden_path.service.errors import RefusedError
from golden_path.service.template.source import ANSWERS, git, newest, origin, run, work_tree
from golden_path.service.template.text import cell, words


def drift(copier: Path) -> None:
    """Nothing but a report: a template that cannot be reached is no failure of the service's."""
    try:
        source, current = origin()
        with work_tree() as (tree, _):
            run(
                copier,
                "recopy",
                "--quiet",
                "--defaults",
                "--trust",
                "--overwrite",
                "--vcs-ref",
                current,
                "--answers-file",
                ANSWERS,
                tree,
            )
            git("add", "--all", cwd=tree)
            listed = git("diff", "--cached", "--no-renames", "--numstat", "-z", "-R", "HEAD", cwd=tree)
            changes = [line.split("\t", 2) for line in listed.split("\0") if line]
        behind = newest(source, current, "")
        rows = ["| file | lines added | removed |", "|---|---|---|"]
        rows += [f"| {cell(name)} | {added} | {removed} |" for added, removed, name in changes]
        lines = [
            f"### Template {current}: {len(changes)} files differ from what it wrote",
            "",
            *(rows if changes else []),
            "",
        ]
        lines += [f"{behind} is out: `make template-update`", ""] if behind else []
    except RefusedError as reason:
        lines = ["### Template: the drift cannot be looked at", "", words(str(reason)), ""]
    say("\n".join(lines))
