"""The text of an upgrade's commit, which is that of its pull request too."""

from __future__ import annotations

import os

from golden_path.store.service import Service
from golden_path.store.trees import BINARY, Store
from golden_path.untrusted import credentials, foreign
from golden_path.upgrade import changes, plan

LONGEST = 20000  # characters of one file's difference
OLD, NEW, COMMIT = "Template-From", "Template-To", "Template-Commit"
MARKED = (
    "Zero-width spaces keep words of it from acting here: take a line over from the template, or from "
    "`golden-path plan --diff`, not from this text."
)


def upgrade(service: Service, planned: plan.Plan, store: Store, commit: str) -> str:
    """Return the message: what changed, how risky it is, and what a person has to decide.

    Args:
        service: the repository.
        planned: the upgrade.
        store: where the files are.
        commit: of the template, that the new version names.
    """
    old, new = foreign.words(planned.old), foreign.words(planned.new)
    parts = [f"Update the template from {old} to {new}", f"Risk: {planned.risk}"]
    if planned.changelog:
        parts.append(f"# What is new\n\n{foreign.prose(planned.changelog)}")
    if planned.conflicts:
        items = [_item(change, store) for change in planned.conflicts]
        marked = f"\n\n{MARKED}" if any(foreign.GAP in one for one in items) else ""
        parts.append(
            f"# To decide\n\nYour version stands in this commit; the differences are what did not arrive.{marked}"
        )
        parts += items
    if planned.answers:
        lines = [f"- {foreign.words(name)}: {_shown(before)} -> {_shown(after)}"
                 for name, (before, after) in planned.answers.items()]  # fmt: skip
        parts.append("# Answers\n\n" + "\n".join(lines))
    if files := [_line(change) for change in planned.changes if change.status != changes.CONFLICT]:
        parts.append("# Files\n\n" + "\n".join(files))
    if planned.notes:
        said = (credentials.redacted(note, variables=credentials.secrets(os.environ)) for note in planned.notes)
        parts.append("# Notes\n\n" + "\n".join(f"- {foreign.words(note)}" for note in said))
    source = foreign.words(credentials.masked(service.answers.source))
    parts.append(f"{OLD}: {old}\n{NEW}: {new}\n{COMMIT}: {commit}\nTemplate: {source}")
    return "\n\n".join(parts) + "\n"


def missed(change: changes.Change, store: Store) -> str:
    """Return what of the template's did not arrive: the difference from what stands there to its version.

    Where there is none that can be read, since the person's is binary, that is all of the template's.
    """
    shown = store.diff(change.after, change.missed)
    return store.diff(None, change.missed) if BINARY in shown.splitlines() else shown


def _item(change: changes.Change, store: Store) -> str:
    text = missed(change, store)
    cut = f"{text[:LONGEST]}\n... and more" if len(text) > LONGEST else text
    shown = f"\n\n{foreign.block(cut, 'diff')}" if cut else ""
    return f"- [ ] {foreign.code(change.path)}: {foreign.words(change.reason)}{shown}"


def _line(change: changes.Change) -> str:
    source = f" (was {foreign.code(change.source)})" if change.source else ""
    reason = f", {foreign.words(change.reason)}" if change.reason else ""
    return f"- {change.status}: {foreign.code(change.path)}{source}{reason}"


def _shown(value: object) -> str:
    return "none" if value is None else foreign.code(str(value))
