"""The page of rules, written from the book: ``python -m tests.docs.rules_page``."""

from __future__ import annotations

from golden_path.rules.book import ANY, MEMBER, RENDERED, SERVICE
from golden_path.rules.every import RULES
from tests.labs.toolchains import ROOT

PAGE = ROOT / "docs/reference/rules.md"
_ASKED = {
    ANY: "In every repository, by `golden-path doctor` and by `make policy`.",
    SERVICE: "Besides, in what the template wrote or adopted (it has `.golden-path/`), by both.",
    RENDERED: "Of what Kustomize makes of each environment, by `make manifests` and `make policy`; so is GP404.",
    MEMBER: "Of how a repository stands to its template, which only `golden-path doctor` knows.",
}
_INTRO = """# The rules

One book of rules is asked by two: `make policy` in a service, of the files as they are, and `golden-path doctor`, of
the last commit of any repository. Both read with the same code (`.golden-path/golden_path/rules` of each service), so
a file has the same findings: rule, line and words. `make policy-rules` and `golden-path doctor --list` print this list.
How each is used: [policy.md](policy.md), [doctor.md](doctor.md); what is let pass: [exceptions](policy.md#exceptions).

`make test` breaks each rule and holds this page to the code, which writes it (`make golden`). The last column has the
ids that rules of `make policy` had before there was one book; `--only` and exceptions still take them.
"""


def page() -> str:
    """Return the page."""
    parts = [_INTRO]
    for scope, asked in _ASKED.items():
        rows = [
            f"| {one.identifier} | {one.severity} | {one.title} | {one.reason} | {', '.join(one.former)} |"
            for _, one in sorted(RULES.items())
            if one.scope == scope
        ]
        parts.append("\n".join(["", asked, "", "| rule | severity | what it asks | why | before |",
                                "|---|---|---|---|---|", *rows, ""]))  # fmt: skip
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
