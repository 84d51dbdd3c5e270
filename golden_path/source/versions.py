"""Versions of a template: its tags, in the order of PEP 440, as Copier sees them."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version


def parse(tag: str) -> Version | None:
    """Return the version that a tag names, or None where it names none.

    Args:
        tag: for example ``v1.2.0``, or what ``git describe`` says: ``v1.2.0-3-gabc1234``.
    """
    for form in (tag, tag.rsplit("-", 2)[0]):
        try:
            return Version(form)
        except ValueError:  # also of a number with more digits than Python reads
            continue
    return None


def releases(tags: Iterable[str], *, prereleases: bool = False) -> list[str]:
    """Return the tags that are versions, oldest first.

    Args:
        tags: of the template.
        prereleases: those too.
    """
    known = [(version, tag) for tag in tags if (version := _exact(tag))]
    return [tag for version, tag in sorted(known) if prereleases or not version.is_prerelease]


def _exact(tag: str) -> Version | None:
    try:
        return Version(tag)
    except ValueError:
        return None


def between(tags: Iterable[str], old: str, new: str) -> list[str]:
    """Return the releases after ``old`` up to ``new``, oldest first.

    Args:
        tags: of the template.
        old: the version that a service has.
        new: the one that it gets.
    """
    low, high = parse(old), parse(new)
    known = releases(tags, prereleases=True)
    return [
        tag
        for tag in known
        if low is not None and high is not None and low < Version(tag) <= high
        and (not Version(tag).is_prerelease or tag == new)
    ]  # fmt: skip
