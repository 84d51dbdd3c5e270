"""A template: cloned once into the cache, each version checked out there once."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import tempfile
import threading
from pathlib import Path

from golden_path import switch
from golden_path.errors import Exit, FleetError
from golden_path.source import address, versions
from golden_path.source.release import Read, Release
from golden_path.store import cache, git
from golden_path.untrusted import credentials

_REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
EXPORTS = "exports"  # not "versions": an earlier engine wrote those as the settings of their person said
SEEN = "seen.json"


class Template:
    """A git template and its versions.

    Args:
        source: ``_src_path`` of an answers file.
        folder: where to keep it, if not in the cache.

    Attributes:
        source: the same.
    """

    def __init__(self, source: str, folder: Path | None = None) -> None:
        if reason := credentials.reason(source):
            raise FleetError(f"the template's address {reason}", Exit.TEMPLATE)
        self.source = source
        self._address = address.fetched(source)
        self._folder = folder or cache.folder() / "templates" / cache.key(self._address)
        self._mirror = self._folder / "mirror.git"
        self._tags: list[str] = []
        self._seen: dict[str, str] = {}
        self._commits: dict[str, str] = {}
        self._exports: dict[str, Path] = {}
        self._read: dict[str, Read] = {}
        self._inside: dict[tuple[str, str], bool] = {}
        self._subjects: dict[tuple[str, str], list[str]] = {}

    @classmethod
    def cloned(cls, repository: Path, folder: Path) -> Template:
        """Return a template as somebody has cloned it, where nothing is fetched.

        Args:
            repository: the git folder.
            folder: for its versions.
        """
        known = cls(str(repository), folder)
        known._mirror = repository
        folder.mkdir(parents=True)
        return known

    def refresh(self) -> None:
        """Bring the clone up to date; the first time, make it.

        Raises:
            FleetError: the template cannot be reached, or the cache cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with cache.locked(self._folder, wait=True):
                if not (self._mirror / "HEAD").exists():
                    self._clone()
                elif not (self._folder / SEEN).exists():
                    self._named()  # of an engine that did not remember
                git.run("fetch", "--progress", "--prune", "--no-tags", "--", self._address, *_REFS, cwd=self._mirror)
                self._tags = list(self._named())
        except git.GitError as error:
            raise git.refuse(
                error, f"the template {self._shown()} cannot be reached: check the address and your access to it",
                Exit.TEMPLATE,
            ) from None  # fmt: skip
        except OSError as error:
            raise FleetError(f"the cache cannot be written: {error}; set XDG_CACHE_HOME to another folder") from None

    def _named(self) -> dict[str, str]:
        """What each tag names, which is remembered: a tag that is moved is noticed."""
        form = "%(refname:lstrip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
        lines = git.text("for-each-ref", f"--format={form}", "refs/tags", cwd=self._mirror).splitlines()
        now = {}
        for name, kind, key, inner, peeled in (line.split("\0") for line in lines):
            now[name] = peeled or key
            if "commit" in (kind, inner):
                self._commits[name] = now[name]
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((self._folder / SEEN).read_text())
            self._seen = found if isinstance(found, dict) else {}
        if not self._seen.keys() >= now.keys():
            self._seen = {**now, **self._seen}
            partial = self._folder / f"{SEEN}.{os.getpid()}"
            partial.write_text(json.dumps(self._seen))
            partial.replace(self._folder / SEEN)
        return now

    def seen(self, tag: str) -> str:
        """Return what a tag named when this machine saw it first; empty where it has not seen it."""
        return str(self._seen.get(tag, ""))

    def _clone(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            staged = Path(folder, "mirror.git")
            git.run("init", "--quiet", "--bare", staged)
            git.run("fetch", "--progress", "--no-tags", "--", self._address, *_REFS, cwd=staged)
            staged.rename(self._mirror)

    def _shown(self) -> str:
        return address.shown(self.source)

    def named(self, source: str) -> Template:
        """Return this template as a service's answers file names it; what is fetched and known stays the same."""
        if source == self.source:
            return self
        other = copy.copy(self)
        other.source = source
        return other

    @property
    def tags(self) -> list[str]:
        """All tags."""
        return self._tags

    def newest(self, *, prereleases: bool = False) -> str:
        """Return the newest release.

        Args:
            prereleases: or pre-release.

        Raises:
            FleetError: it has none.
        """
        known = versions.releases(self._tags, prereleases=prereleases)
        if not known:
            raise FleetError(f"the template {self._shown()} has no tag that is a version", Exit.TEMPLATE)
        return known[-1]

    def commit(self, version: str) -> str:
        """Return the commit of a version.

        Args:
            version: a tag, or what ``git describe`` said of a commit.

        Raises:
            FleetError: the template has no such version.
        """
        if version not in self._commits:
            for form in (f"refs/tags/{version}", version):
                if form.startswith("-") or not version:
                    continue
                found = git.text("rev-parse", "--verify", "--quiet", f"{form}^{{commit}}", cwd=self._mirror,
                                 codes=(0, 1, 128))  # fmt: skip
                if found:
                    self._commits[version] = found
                    break
            else:
                newest = ", ".join(versions.releases(self._tags)[-3:]) or "none"
                raise FleetError(
                    f"the template {self._shown()} has no version {version!r}; the newest are {newest}", Exit.TEMPLATE
                )
        return self._commits[version]

    def contains(self, commit: str, other: str) -> bool:
        """Whether a commit has another one in its history."""
        if (commit, other) not in self._inside:
            base = git.text("merge-base", other, commit, cwd=self._mirror, codes=(0, 1))
            self._inside[commit, other] = base == other
        return self._inside[commit, other]

    def export(self, version: str) -> Path:
        """Return a checkout of a version, which stays in the cache.

        Args:
            version: as for ``commit``.

        Raises:
            FleetError: there is no such version, or it cannot be checked out.
        """
        commit = self.commit(version)
        if commit not in self._exports:
            # With what git calls it, which is what Copier will write as the version: a tag may have come since.
            called = git.text("describe", "--tags", "--always", commit, cwd=self._mirror)
            target = self._folder / EXPORTS / f"{commit}-{hashlib.sha256(called.encode()).hexdigest()[:8]}"
            try:
                with cache.locked(self._folder, wait=True):
                    if not target.exists():
                        self._check_out(commit, target)
            except git.GitError as error:
                raise git.refuse(
                    error, f"version {version} of the template cannot be checked out", Exit.TEMPLATE
                ) from None
            self._exports[commit] = target
        return self._exports[commit]

    def _check_out(self, commit: str, target: Path) -> None:
        target.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            staged = Path(folder, "template")
            git.run("clone", "--quiet", "--shared", "--no-checkout", "--", self._mirror, staged)
            git.run("remote", "set-url", "origin", self._address, cwd=staged)  # submodules may be relative to it
            git.run("checkout", "--quiet", "--force", "--detach", commit, cwd=staged)
            if (staged / ".gitmodules").exists():
                git.run("submodule", "update", "--progress", "--init", "--recursive", "--force", cwd=staged)
            staged.rename(target)

    def at(self, version: str) -> Release:
        """Return a version of this template.

        Args:
            version: as for ``commit``.

        Raises:
            FleetError: there is no such version.
        """
        return Release(self, version, self._read.setdefault(self.commit(version), Read()))

    def subjects(self, old: str, new: str) -> list[str]:
        """Return the first lines of the commits after one version up to another, newest first."""
        between = self.commit(old), self.commit(new)
        if between not in self._subjects:
            self._subjects[between] = git.text(
                "log", "--no-merges", "--format=%s", "..".join(between), cwd=self._mirror
            ).splitlines()
        return self._subjects[between]


class Templates:
    """The templates of a run, each brought up to date once.

    Args:
        only: the template of a fleet: no other one is fetched, whatever a service's answers name; empty for any.
    """

    def __init__(self, only: str = "") -> None:
        self._only = only
        self._known: dict[str, Template | FleetError] = {}
        self._turn = threading.Lock()

    def get(self, source: str) -> Template:
        """Return a template.

        Args:
            source: ``_src_path`` of an answers file.

        Raises:
            FleetError: it cannot be reached, or is not the fleet's.
        """
        if self._only and not address.same(source, self._only):
            names = address.shown(source), address.shown(self._only)
            raise FleetError(
                "its template is {}, the fleet's is {}: give it a fleet.yaml of its own".format(*names), Exit.ANSWERS
            )
        with self._turn:
            found = self._fetched(self._only or source)
        return found.named(source) if self._only and switch.wanted() else found

    def _fetched(self, source: str) -> Template:
        if source not in self._known:
            fresh = Template(source)
            try:
                fresh.refresh()
            except FleetError as error:  # who waits for a server that is silent does so once
                self._known[source] = error
            else:
                self._known[source] = fresh
        found = self._known[source]
        if isinstance(found, FleetError):
            raise found
        return found
