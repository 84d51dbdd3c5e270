"""Before an update: ask the engine what plain Copier would lose, and stop where that is something."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from golden_path.store import aside
from golden_path.store.git import FOREIGN, GitError
from golden_path.upgrade import before_copier

NAMED = 12
UPDATES = ("make/template", ".golden-path/template.mk")  # of a service that has the verb template-update


class UnknownOutcomeError(Exception):
    """It cannot be said what the update would do, for example since an answer is missing."""


def guard(service: Path, template: Path, version: str, answers_file: str, data: Mapping[str, Any]) -> str:
    """Look whether an update would lose something.

    Args:
        service: the root of the service, in its work tree.
        template: a clone of the template, with the new version checked out.
        version: the one that the service has.
        answers_file: its name.
        data: answers that the user gave.

    Returns:
        One line that names the files and says what to do; empty where nothing is lost.

    Raises:
        UnknownOutcomeError: a version cannot be rendered, or Copier would work on another repository.
        LeftAsideError: an update before did not end, and a person has to choose.
        GitError: git failed.
    """
    if led := [name for name in FOREIGN if name in os.environ and name != "GIT_PREFIX"]:
        raise UnknownOutcomeError(
            f"no file was written, since Copier makes its temporary repositories where {', '.join(led)} of the "
            f"environment says: run it without that, 'env -u {' -u '.join(led)} copier update ...'; if git complains "
            "about the index, 'git reset' repairs it"
        )
    aside.refuse_leftovers(service)
    try:
        foreseen = before_copier.look(service, template, version, answers_file, data)
    except GitError:
        raise
    except Exception as error:  # whatever a template's own code raises
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UnknownOutcomeError(f"nothing was written: {reason}; give an answer with --data NAME=VALUE") from None
    if not foreseen.lost:
        before_copier.remember(service, foreseen)
        return ""
    listed = [f"{name} ({why})" for name, why in sorted(foreseen.lost.items())]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    own = "'make template-update' or " if any((service / one).exists() for one in UPDATES) else ""
    return (
        "golden-path: nothing was written, because Copier would discard your changes to "
        f"{', '.join(listed[:NAMED])}{more}: "
        f"run {own}'golden-path apply .', which keep them, or revert your changes, update, and reapply them"
    )
