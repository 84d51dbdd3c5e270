"""Whether the tag of a service's version names another commit now than when the service was written."""

from __future__ import annotations

import re

from golden_path.source.template import Template
from golden_path.store import git
from golden_path.store.service import Service
from golden_path.upgrade import message


def line(opened: Service, template: Template) -> str:
    """Say that a tag was moved, on one line; empty where nobody knows that it was.

    The commit of an upgrade of ours names the template's commit. For other services, this machine knows what the tag
    named when it saw it first.

    Args:
        opened: the service.
        template: its template, refreshed.
    """
    version = opened.answers.version
    if version not in template.tags:
        return ""
    now, seen = template.commit(version), template.seen(version)
    written = _written(opened, version)
    if written == now or (not written and seen in ("", now)):
        return ""
    then = written or seen
    when = "after the service was written" if written else "after this machine first saw it"
    return (
        f"the tag {version} of the template was moved {when}, from {then[:12]} to {now[:12]}: what differs between the "
        "two counts as an edit of the service's; ask the template's people for a new tag"
    )


def _written(opened: Service, version: str) -> str:
    """The template's commit, as the upgrade that wrote the answers file last says it."""
    name = opened.answers.path
    text = git.text("log", "-1", "--format=%B", opened.head, "--", f":(top,literal){name}", cwd=opened.path)
    found = dict(re.findall(rf"^({message.NEW}|{message.COMMIT}): (\S+)$", text, re.MULTILINE))
    return found.get(message.COMMIT, "") if found.get(message.NEW) == version else ""
