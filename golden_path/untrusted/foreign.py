"""Text that somebody else wrote, made harmless for the place where it is shown; a function a place.

File names, answers, subjects, changelogs, diffs, what a program printed: on a terminal, in the log of a CI, in a commit
and in a pull request some of their words act. Two ways keep them readable:

- on a terminal and in a log, what would act is written as its escape, ``\\x1b``: nothing invisible, nothing to guess;
- in a commit or a pull request a zero-width space goes between the characters that act together, ``#`` and its number,
  ``@`` and its name, ``[`` and ``skip ci``. Backslashes, entities and code spans do not do: the same text is the
  commit's, where words act that Markdown would have made harmless.

Data for programs (JSON, SARIF, a patch) is not changed. Needs the standard library only; the hooks use it too.
"""

from __future__ import annotations

import html as _html
import re

GAP = "\u200b"  # a zero-width space

# References of GitHub, GitLab, Gitea and Jira, which close or link, and names, which call somebody.
_NUMBERS = re.compile(r"(?<=#)(?=\w)|(?<=\bGH-)(?=\d)|(?<=[!&])(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(r"(/(?:issues|pulls?|discussions|merge_requests|work_items|epics)/)(?=\d)", re.IGNORECASE)
_TICKET = re.compile(r"\b((?:clos|fix|resolv|implement)\w*:?\s+(?:issues?\s+)?[A-Z]\w*-)(?=\d)", re.IGNORECASE)
_MENTION = re.compile(r"(?<![A-Za-z0-9])(@)(?=[\w\[])")
_ENTITY = re.compile(r"(&)(?=#?\w+;)")  # Markdown would make # and @ of them
# Words in brackets or between stars that switch a CI off, or a release on.
_SWITCH = re.compile(
    r"(\[)(?=[^\[\]]{0,60}(?:skip|no[\s_-]?ci)[^\[\]]{0,60}\]|\s*(?:ci|cd|build|deploy|release|actions)[\s_-])",
    re.IGNORECASE,
)
_STARS = re.compile(r"(\*\*\*)(?=\w*NO_?CI)", re.IGNORECASE)
_FACT = re.compile(r"((?:skip|request)-checks|BREAKING[ -]CHANGE)(?=\s*:)", re.IGNORECASE)
_OVERRIDE = re.compile(r"(BEGIN|END)(?=_\w{0,40}COMMIT)")
# Starts of lines that git, forges, programs of releases and this engine read as facts.
_KNOWN = re.compile(
    r"^([ \t>*+-]{0,20}(?:[\w-]{1,40}-by|change-id|release-as|template(?:-from|-to)?|rollout|cc))(?=[ \t]*(?::| #))",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"^([ \t>]*[A-Za-z]\w*(?:-\w+)+)(?=[ \t]*(?::| #))")
_COMMAND = re.compile(r"^([ \t>]*/)(?=[A-Za-z])")  # /close, /merge, /approve
_TASK = re.compile(r"^([ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[)(?=[ xX]\])")
_MARKUP = re.compile(r"(<)(?=[A-Za-z/!?])|(!)(?=\[)|(``)(?=`)|(~~)(?=~)")  # HTML, images, blocks of code
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_ANYWHERE = (_ADDRESS, _TICKET, _MENTION, _ENTITY, _SWITCH, _STARS, _FACT, _OVERRIDE, _KNOWN)
# Of a log: commands of GitHub's runner begin a line or stand anywhere, those of others begin it.
_LOG = re.compile(r"^(\s*):(?=:)|#(?=#(?:\[|vso\[|teamcity\[))")


def line(text: str) -> str:
    """Return a text as one line for a terminal or a log: no control character, no direction, no command of a CI."""
    return _LOG.sub(lambda found: "\\x23" if found[1] is None else f"{found[1]}\\x3a", escaped(text))


def escaped(text: str) -> str:
    """Return a text in which line ends, control characters, directions and bytes that are no UTF-8 are escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _SHOWN else _escape(one) for one in text)


_SHOWN = "\t\u00a0\u200b\u200c\u200d\u3000"  # harmless, although Python calls them not printable


def _escape(one: str) -> str:
    code = ord(one)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python keeps it
        return f"\\x{code - 0xDC00:02x}"
    named = {"\n": "\\n", "\r": "\\r"}.get(one)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def words(text: str) -> str:
    """Return Markdown or plain text for a place within a line of a commit or a pull request; no word acts."""
    return _marked(escaped(text))


def code(text: str) -> str:
    """Return a file name or a value as a span of code for a commit or a pull request."""
    shown = _harmless(escaped(text))
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {shown} {ticks}" if longest or not shown.strip() else f"`{shown}`"


def prose(text: str) -> str:
    """Return Markdown of several lines for a commit or a pull request.

    No word acts, no HTML and no image is left, and no block of code reaches beyond the text.
    """
    lines, fence = [], ""
    for one in _lines(text):
        found = _FENCE.match(one)
        if fence:
            ends = found and found[1].startswith(fence) and not found[2].strip()
            fence = "" if ends else fence
            lines.append(one if ends else _harmless(one))
        elif found and "`" not in found[2]:
            fence = found[1]
            lines.append(fence + _harmless(found[2]))
        else:  # of a block that is indented only a parser of Markdown knows where it ends, so there is none
            lines.append(_line(one))
    return "\n".join([*lines, fence] if fence else lines)


def block(text: str, kind: str = "") -> str:
    """Return a difference, or what a program said, as a block of code for a commit or a pull request.

    Args:
        text: of several lines.
        kind: the language, for example ``diff``.
    """
    shown = "\n".join(map(_harmless, _lines(text)))
    fence = "~" * max(6, 1 + max((len(run) for run in re.findall("~+", shown)), default=0))
    return f"{fence}{kind}\n{shown}\n{fence}"


def html(text: str) -> str:
    """Return a text for a page, also within an attribute."""
    return _html.escape(escaped(text))


def _lines(text: str) -> list[str]:
    """The lines without what acts in itself; only line feeds end one."""
    return [escaped(one.removesuffix("\r")) for one in text.split("\n")]


def _line(text: str) -> str:
    for pattern in (_TRAILER, _COMMAND, _TASK):
        text = pattern.sub(rf"\1{GAP}", text)
    return _marked(text)


def _marked(text: str) -> str:
    return _MARKUP.sub(rf"\g<0>{GAP}", _harmless(text))


def _harmless(text: str) -> str:
    for pattern in _ANYWHERE:
        text = pattern.sub(rf"\1{GAP}", text)
    return _NUMBERS.sub(GAP, text)
