"""The text of an upgrade's commit, which is that of its pull request too."""

from __future__ import annotations

from fleet import plan
from fleet.service import Service
from fleet.trees import BINARY, Store

LONGEST = 20000  # characters of one file's difference
FENCE = "~~~~~~"
OLD, NEW, COMMIT = "Template-From", "Template-To", "Template-Commit"


def upgrade(service: Service, planned: plan.Plan, store: Store, commit: str) -> str:
    """Return the message: what changed, how risky it is, and what a person has to decide.

    Args:
        service: the repository.
        planned: the upgrade.
        store: where the files are.
        commit: of the template, that the new version names.
    """
    parts = [f"Update the template from {planned.old} to {planned.new}", f"Risk: {planned.risk}"]
    if planned.changelog:
        parts.append(f"# What is new\n\n{planned.changelog}")
    if planned.conflicts:
        parts.append("# To decide\n\nYour version stands in this commit; the differences are what did not arrive.")
        parts += [_item(change, store) for change in planned.conflicts]
    if planned.answers:
        lines = [f"- {name}: {_shown(old)} -> {_shown(new)}" for name, (old, new) in planned.answers.items()]
        parts.append("# Answers\n\n" + "\n".join(lines))
    if files := [_line(change) for change in planned.changes if change.status != plan.CONFLICT]:
        parts.append("# Files\n\n" + "\n".join(files))
    if planned.notes:
        parts.append("# Notes\n\n" + "\n".join(f"- {note}" for note in planned.notes))
    parts.append(f"{OLD}: {planned.old}\n{NEW}: {planned.new}\n{COMMIT}: {commit}\nTemplate: {service.answers.source}")
    return "\n\n".join(parts) + "\n"


def missed(change: plan.Change, store: Store) -> str:
    """Return what of the template's did not arrive: the difference from what stands there to its version.

    Where there is none that can be read, since the person's is binary, that is all of the template's.
    """
    shown = store.diff(change.after, change.missed)
    return store.diff(None, change.missed) if BINARY in shown.splitlines() else shown


def _item(change: plan.Change, store: Store) -> str:
    text = missed(change, store)
    cut = f"{text[:LONGEST]}\n... and more" if len(text) > LONGEST else text
    return f"- [ ] `{change.path}`: {change.reason}" + (f"\n\n{FENCE}diff\n{cut}\n{FENCE}" if cut else "")


def _line(change: plan.Change) -> str:
    source = f" (was `{change.source}`)" if change.source else ""
    return f"- {change.status}: `{change.path}`{source}" + (f", {change.reason}" if change.reason else "")


def _shown(value: object) -> str:
    return "none" if value is None else f"`{value}`"
