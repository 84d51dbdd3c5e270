"""The template of this service: bring its newest version, or list what differs from it.

usage: python .golden-path template update COPIER   the branch template/update-VERSION, and in build/template-update.json the
                                            text of its pull request; $TEMPLATE_VERSION: not the newest, but that one
       python .golden-path template propose         push that branch, open its pull request or bring it up to date
       python .golden-path template drift COPIER    a table, into $GITHUB_STEP_SUMMARY where there is one; never fails

All look at what is committed, in a work tree of their own; yours is not touched. Copier may run the template's code, so
the template is always the one that the committed answers name, at one of its tags. Where the template changed what you
had changed, yours stays, and the text says what did not arrive.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from golden_path.service.errors import RefusedError
from golden_path.service.template.drift import drift
from golden_path.service.template.pull_request import propose
from golden_path.service.template.text import escaped
from golden_path.service.template.update import update


def main(verb: str, *arguments: str) -> int:
    verbs: dict[str, Callable[..., None]] = {"update": update, "drift": drift, "propose": propose}
    try:
        verbs[verb](*(Path(argument).resolve() for argument in arguments))
    except RefusedError as reason:
        # Without what an address says of its user.
        sys.stderr.write(f"  FAIL  template-{verb}: {escaped(re.sub('://[^/@ ]+@', '://***@', str(reason)))}\n")
        return 1
    return 0
