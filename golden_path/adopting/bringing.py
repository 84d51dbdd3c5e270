"""Compute what an adoption brings to a repository: answers, the version, and what becomes of each file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from golden_path.adopting import adopt_text, flat_layout, lost, parts
from golden_path.adopting.adoption import (
    DEFAULT,
    DIFFERS,
    LEFT_OUT,
    NEW,
    SAME,
    YOURS,
    Adoption,
    File,
)
from golden_path.adopting.standing import InTheWay
from golden_path.errors import Exit, FleetError
from golden_path.merging import similar
from golden_path.rendering.render import Renderer
from golden_path.source import infer, versions
from golden_path.source.infer import Found
from golden_path.source.ownership import Ownership
from golden_path.source.template import Template
from golden_path.store import answers, ignored
from golden_path.store.answers import Answers
from golden_path.store.service import Service
from golden_path.store.trees import FILE, Entry, Store, Tree
from golden_path.untrusted import foreign


class Bringing:
    """What an adoption is computed from."""

    def __init__(
        self,
        opened: Service,
        template: Template,
        renderer: Renderer,
        store: Store,
        data: Mapping[str, str],
        before: Answers | None,
        wanted: Sequence[str],
        only: Sequence[str],
    ) -> None:
        self.opened, self.template, self.renderer, self.store = opened, template, renderer, store
        self.data, self.before, self.wanted, self.only = data, before, wanted, only
        renderer.lend(store)
        self.ours = store.list(opened.head)
        self.contents = similar.Contents(store)
        self.notes: list[str] = []
        self.rendered: dict[str, Tree] = {}
        self.refused: dict[str, list[str]] = {}  # by version, found answers that it does not accept

    def run(self, to: str) -> Adoption:
        target = self.opened.answers.version
        if unknown := sorted(set(self.data) - self.template.at(target).config.questions):
            raise FleetError(f"version {target} of the template asks no {', '.join(unknown)}", Exit.ANSWERS)
        self.look(target)
        self.found = self.all_found()
        version, generated = self.base(to)
        tree = self.render(version)
        files = sorted(self.files(version, tree, generated=generated), key=lambda one: one.path)
        name = self.opened.answers.path
        added = {one.path: one.theirs for one in files if one.status == NEW}
        if not generated and (text := flat_layout.named(self.ours, added, self.repository.read)):
            named = Entry("100644", self.store.hash(text.encode()))
            files = sorted(
                [*files, File(flat_layout.NAME, NEW, flat_layout.WHY, None, named)], key=lambda one: one.path
            )
            added[flat_layout.NAME] = named
        if name not in tree:
            raise FleetError(f"version {version} of the template does not write {name}", Exit.TEMPLATE)
        values = answers.parse(name, self.store.read(tree[name].blob)).values
        told = {key: self.told(key, value, version) for key, value in sorted(values.items())}
        return Adoption(
            source=self.template.source,
            version=version,
            answers_file=name,
            generated=generated,
            answers=told,
            notes=[*self.notes, *map(self.note, self.refused[version]), *self.parts.notes()],
            asked={}
            if generated
            else {key: words for key, words in self.rules.ask.items() if key in told and told[key].where == DEFAULT},
            warnings=[] if generated else self.warnings(added),
            next="" if generated else adopt_text.checklist(self.rules.next, values),
            files=files,
            tree={**self.ours, **added, name: tree[name]},
            parts=self.parts.asked,
        )

    def look(self, version: str) -> None:
        self.rules = self.template.at(version).rules
        self.repository = self.as_repository()
        self.parts = parts.Chosen(self.rules.parts, self.only)

    def more(self) -> Adoption:
        """Bring parts of the version that the repository has, with the answers that it has."""
        had = self.opened.answers
        self.look(had.version)
        self.found = {name: Found(value, had.path) for name, value in had.values.items()}
        files = sorted(self.files(had.version, self.render(had.version), generated=False), key=lambda one: one.path)
        gone = parts.deleted(self.opened, [one.path for one in files if one.status == NEW])
        files = [
            replace(one, status=LEFT_OUT, reason="you deleted it; --with adds it all the same")
            if one.path in gone and not infer.matches(self.wanted, one.path) else one
            for one in files
        ]  # fmt: skip
        added = {one.path: one.theirs for one in files if one.status == NEW}
        return Adoption(
            source=self.template.source,
            version=had.version,
            answers_file=had.path,
            generated=False,
            answers=self.found,
            notes=self.parts.notes(),
            asked={},
            warnings=self.warnings(added),
            next="",
            files=files,
            tree={**self.ours, **added},
            parts=self.parts.asked,
        )

    def as_repository(self) -> infer.Repository:
        ours = self.ours

        def read(path: str) -> bytes:
            return self.store.read(ours[path].blob) if path in ours and ours[path].kind == FILE else b""

        return infer.Repository(sorted(ours), read, lost.remote(self.opened), self.opened.name)

    def all_found(self) -> dict[str, Found]:
        before = self.before.values if self.before else {}
        found = infer.answers(self.rules, self.repository, {**before, **self.data})
        if self.before:
            where = f"the {self.before.path} in the history"
            found |= {name: Found(value, where) for name, value in before.items()}
        return found | {name: Found(value, "--data") for name, value in self.data.items()}

    def told(self, name: str, value: Any, version: str) -> Found:
        here = name in self.found and name not in self.refused[version]
        return Found(value, self.found[name].where if here else DEFAULT)

    def note(self, name: str) -> str:
        one = self.found[name]
        return f"{name} is not {one.value!r}, as {one.where} has it, since the template refuses it"

    def warnings(self, added: Collection[str]) -> list[str]:
        """What the repository has that the files which are added may break, or leave without a use."""
        found = []
        for case in self.rules.warn:
            concerns = not case.files or any(infer.matches(case.files, path) for path in added)
            if concerns and (where := infer.holds(case, self.repository)):
                found.append(f"{foreign.code(where)}: {foreign.prose(case.say).strip()}")
        return found

    def base(self, to: str) -> tuple[str, bool]:
        """Choose the version, and say whether it wrote the repository once, so that what is missing was deleted."""
        nearest, generated = self.nearest()
        if to in ("", nearest):
            return nearest, generated
        if generated:
            self.notes.append(f"the repository is most like {nearest}: what is new since looks like what you deleted, "
                              "so better adopt without --to, and go on with golden-path apply")  # fmt: skip
        return to, False

    def nearest(self) -> tuple[str, bool]:
        """Find the version that the repository is most like; the newest where that is none."""
        if self.before:
            with suppress(FleetError):
                self.template.commit(self.before.version)
                return self.before.version, True
        known = versions.releases(self.template.tags)
        if max(self.likeness(one) for one in dict.fromkeys((known[-1], known[0]))) < similar.HALF:
            return known[-1], False
        for version in known:
            with suppress(FleetError):  # one that cannot be rendered did not write it
                self.render(version)
        far = similar.distances(self.rendered, self.ours, self.contents)
        return min(reversed([one for one in known if one in far]), key=lambda one: far[one]), True

    def likeness(self, version: str) -> float:
        try:
            tree = self.render(version)
        except FleetError:
            if version == self.opened.answers.version:
                raise
            return 0.0
        owner = Ownership(self.template.at(version).config, {name: one.value for name, one in self.found.items()})
        return similar.likeness(tree, self.ours, owner, self.contents)

    def render(self, version: str) -> Tree:
        """Render a version; a found answer that it does not accept is left to its default."""
        refused = self.refused.setdefault(version, [])
        questions = self.template.at(version).config.questions
        while version not in self.rendered:
            given = {name: one.value for name, one in self.found.items() if name in questions and name not in refused}
            folder = self.store.folder / "adopt" / self.opened.name
            folder.mkdir(parents=True)
            try:
                name = self.opened.answers.path
                release = self.template.at(version)
                self.rendered[version], _ = self.renderer.tree(release, folder, name, given, self.store)
            except FleetError as error:
                refused.append(self.to_blame(error, set(given) - set(self.data)))
            finally:
                shutil.rmtree(folder.parent)
        return self.rendered[version]

    def to_blame(self, error: FleetError, found: set[str]) -> str:
        """Return the answer that a failure names; it goes on without one that was found, not without a given one."""
        named = sorted(
            name for name in found if re.search(rf"(?: {re.escape(name)}: |'{re.escape(name)}:?')", str(error))
        )
        if not named or error.code not in (Exit.ANSWERS, Exit.TEMPLATE):
            raise error
        return named[0]

    def files(self, version: str, tree: Tree, *, generated: bool) -> Iterator[File]:
        """Say what becomes of each file of the template's; nothing of theirs is overwritten."""
        owner = Ownership(self.template.at(version).config, {name: one.value for name, one in self.found.items()})
        standing = InTheWay(self.ours)
        self.parts.look(self.repository, tree)
        unknown = ignored.ignored(self.store, {**tree, **self.ours}, set(tree) - set(self.ours))
        for path, entry in tree.items():
            has = self.ours.get(path)
            kept_out = self.parts.left_out(path) if not generated else ""
            if path == self.opened.answers.path or (kept_out is None and not infer.matches(self.wanted, path)):
                continue
            if has == entry:
                yield File(path, SAME, "", has, entry)
            elif has:
                theirs = owner.seeded(path) or (not generated and self.application(path))
                yield File(path, YOURS if theirs else DIFFERS, "", has, entry)
            elif other := standing(path):
                yield File(path, DIFFERS, f"your {other} stands where the template puts it", None, entry)
            elif path in unknown and (generated or not self.parts.has(path)):
                yield File(path, LEFT_OUT, f"{ignored.NAME} names it", None, entry)
            elif reason := self.not_needed(path, owner, kept_out or "", generated=generated):
                yield File(path, LEFT_OUT, reason, None, entry)
            else:  # a part without some of its files is broken
                yield File(path, NEW, f"though {ignored.NAME} names it" if path in unknown else "", None, entry)

    def application(self, path: str) -> bool:
        return infer.matches(self.rules.leave_out, path)

    def not_needed(self, path: str, owner: Ownership, kept_out: str, *, generated: bool) -> str:
        if generated:
            return "the template wrote it, and you deleted it"
        if infer.matches(self.wanted, path):
            return ""
        if path.rpartition("/")[2] == ".gitattributes":
            return "it would change how git reads your files"
        if kept_out:
            return kept_out
        if owner.excluded(path):
            return "the template writes it into new repositories only"
        if self.application(path) or (not self.rules.shipped and owner.seeded(path)):
            return "it is part of an application, and you have one"
        for case in self.rules.only:
            if infer.matches(case.files, path) and not infer.holds(case, self.repository):
                return case.say
        found = infer.first(self.rules.instead.get(path, ()), self.repository)
        return f"you have {found.where}" if found else ""
