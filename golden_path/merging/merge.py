"""Merge three trees: what the template wrote, what the service made of it, and what the template writes now.

git merges lines. What it does not know is decided before and after: where files went, which are the service's, that a
deleted file stays deleted, and that in a conflict the person's version stays.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Set

from golden_path.merging import attributes, lines, similar, structured
from golden_path.merging.locks import is_lock
from golden_path.merging.moves import BOTH_ADDED, CHANGED, REMOVED, Moves
from golden_path.merging.result import Conflict, Result
from golden_path.source import adoption_rules
from golden_path.source.adoption_rules import NO_RULES, Rules
from golden_path.source.ownership import Ownership
from golden_path.source.patterns import matcher
from golden_path.store import renames
from golden_path.store.trees import FILE, Entry, Store, Tree, parents

LOCK = "a lock is not merged: make it anew from the merged manifest, for example with 'make lock'"


def merge(
    store: Store,
    base: Tree,
    ours: Tree,
    theirs: Tree,
    owner: Ownership,
    answers_file: str,
    rules: Rules = NO_RULES,
) -> Result:
    """Merge.

    Args:
        store: where trees are made.
        base: the rendering of the version that the service has.
        ours: the service.
        theirs: the rendering of the version that it gets.
        owner: which files are the service's.
        answers_file: the file that is always the template's.
        rules: of the template on adopting: of what a service has its own, and which parts it may not have taken.
    """
    return _Merge(store, base, ours, theirs).run(owner, answers_file, rules)


class _Merge:
    def __init__(self, store: Store, base: Tree, ours: Tree, theirs: Tree) -> None:
        self.store = store
        self.whole, self.whole_base = ours, base
        self.base, self.ours, self.theirs = dict(base), dict(ours), dict(theirs)
        self.result = Result({})
        self.aside: Tree = {}  # decided before git merges the rest

    def run(self, owner: Ownership, answers_file: str, rules: Rules) -> Result:
        answers = self.theirs.get(answers_file)
        self.take_out(answers_file, answers)
        self.seeded_files(owner)
        self.locks()
        self.template = renames.find(self.store, self.base, self.theirs)
        self.person = renames.find(self.store, self.base, self.ours)
        self.deleted_files()
        self.strangers()
        self.left_out(rules)
        self.other_kinds()
        self.files_and_folders(set(self.person.moved))
        moves = Moves(
            self.base, self.ours, self.theirs, self.template, self.person, self.conflict, self.take_out
        )  # fmt: skip
        moves.follow()
        self.files_and_folders(set(self.ours))
        self.as_attributes_say()
        if not self.simple():
            self.with_git()
        for path, to in moves.differently.items():
            if path not in self.result.conflicts:
                reason = f"you moved it here, and the template to {to}"
                self.conflict(path, reason, self.result.tree.get(path), self.result.tree.get(path))
        self.nothing_lost()
        self.result.tree |= self.aside
        self.result.moved = {new: old for old, new in self.template.moved.items() if new in self.result.tree}
        return self.result

    def take_out(self, path: str, decided: Entry | None) -> None:
        for tree in (self.base, self.ours, self.theirs):
            tree.pop(path, None)
        if decided:
            self.aside[path] = decided

    def conflict(self, path: str, reason: str, ours: Entry | None, theirs: Entry | None) -> None:
        self.result.conflicts[path] = Conflict(path, reason, ours, theirs)

    def seeded_files(self, owner: Ownership) -> None:
        for path in sorted({*self.base, *self.theirs}):
            excluded = owner.excluded(path)
            if not excluded and not owner.seeded(path):
                continue
            base, ours, theirs = self.base.get(path), self.ours.get(path), self.theirs.get(path)
            if ours is None and base is None and not excluded:
                continue  # new: it is written once
            if theirs not in (base, ours) and not excluded:
                self.result.kept[path] = "it is yours" if ours else "you deleted it"
            self.take_out(path, ours)

    def locks(self) -> None:
        """A lock that both sides changed: lines of two locks are none, so the service's stays until it is made anew."""
        for path in sorted(set(self.base) & set(self.ours) & set(self.theirs)):
            base, ours, theirs = self.base[path], self.ours[path], self.theirs[path]
            if base in (ours, theirs) or ours == theirs or {ours.kind, theirs.kind} != {FILE}:
                continue
            if is_lock(path, functools.partial(self.store.read, ours.blob)):
                self.conflict(path, LOCK, ours, theirs)
                self.take_out(path, ours)

    def deleted_files(self) -> None:
        """What the service deleted stays deleted, also where the template moves it."""
        gone = set(self.base) - set(self.ours)
        if not gone:
            return
        for path in sorted(gone - set(self.person.moved) - set(self.person.unclear)):
            new = self.template.moved.pop(path, "")
            if new and new not in self.ours:
                self.result.kept[new] = f"you deleted it when it was {path}"
                self.take_out(new, None)
            elif self.theirs.get(path) not in (None, self.base[path]):
                self.result.kept[path] = "you deleted it"
            self.take_out(path, None)

    def strangers(self) -> None:
        """What only shares its name with the template's file stays: merging lines would make neither of it."""
        for path in sorted(set(self.base) & set(self.ours)):
            base, ours, theirs = self.base[path], self.ours[path], self.theirs.get(path)
            if base.blob == ours.blob or theirs in (base, ours) or not base.kind == ours.kind == FILE:
                continue
            if not similar.stranger(self.store.read(base.blob), self.store.read(ours.blob)):
                continue
            self.result.kept[path] = "yours is another file than the template's"
            new = self.template.moved.pop(path, "")
            if new and new not in self.ours:
                self.result.kept[new] = f"yours was another file when it was {path}"
                self.take_out(new, None)
            self.take_out(path, ours)

    def left_out(self, rules: Rules) -> None:
        """New files do not go where the service has its own in place of those before, or has not taken their part."""
        arrived = set(self.theirs) - set(self.base) - set(self.whole) - set(self.template.moved.values())
        there = set(self.whole)
        own = [((pattern,), "you have your own in place of the template's") for pattern in rules.leave_out]
        parts = [(part.files, f"you have not taken the part {name}") for name, part in rules.parts.items()]
        for patterns, reason in (*own, *parts) if arrived else ():
            new = sorted(filter(matcher(patterns), arrived))
            missing = new and adoption_rules.missing(patterns, self.whole_base, there)
            if missing:
                there |= set(renames.find(self.store, self.whole_base, self.whole).moved)  # moved is not gone
            if missing and adoption_rules.missing(patterns, self.whole_base, there):
                for path in new:
                    self.result.kept[path] = reason
                    self.take_out(path, None)

    def other_kinds(self) -> None:
        """A file that became a link, or a link that became a file, while the other side changed it too."""
        for path in sorted(set(self.ours) & set(self.theirs)):
            base, ours, theirs = self.base.get(path), self.ours[path], self.theirs[path]
            if ours.kind != theirs.kind and base not in (ours, theirs):
                self.conflict(path, "one side made it a link or a file, and both changed it", ours, theirs)
                self.take_out(path, ours)

    def files_and_folders(self, known: Set[str]) -> None:
        """A folder of the template's where the service has a file, or the other way round; known paths are no fault."""
        folders = {parent for path in self.whole for parent in parents(path)}
        for path in sorted(set(self.theirs) - known):
            in_the_way = [one for one in parents(path) if one in self.whole]
            if path in folders:
                in_the_way += [one for one in self.whole if one.startswith(f"{path}/")]
            if any(
                one in self.aside or one in self.theirs or self.base.get(one) != self.whole[one] for one in in_the_way
            ):
                reason = f"your {in_the_way[0]} stands where the template puts it"
                self.conflict(path, reason, None, self.theirs[path])
                self.take_out(path, None)

    def as_attributes_say(self) -> None:
        """What the service's ``.gitattributes`` wants not to be merged stays, or is a question to a person."""
        sides = {
            path: (self.base.get(path), self.ours[path], self.theirs[path])
            for path in set(self.ours) & set(self.theirs)
        }
        both = [path for path, (base, ours, theirs) in sides.items() if len({base, ours, theirs}) == 3]
        for path, value in sorted(attributes.merging(self.store, both).items()):
            _, ours, theirs = sides[path]
            said = "-merge" if value in attributes.NEVER else f"merge={value}"
            if value == attributes.OURS:
                self.result.kept[path] = f"your .gitattributes keeps yours ({said})"
                self.result.missed[path] = theirs
            else:
                self.conflict(path, f"your .gitattributes does not let git merge it ({said})", ours, theirs)
            self.take_out(path, ours)

    def simple(self) -> bool:
        """Merge without git where each file was changed by one side at most."""
        base, ours, theirs = self.base, self.ours, self.theirs
        tree = {}
        for path in {*base, *ours, *theirs}:
            sides = base.get(path), ours.get(path), theirs.get(path)
            if sides[0] == sides[1]:
                chosen = sides[2]
            elif sides[2] in sides[:2]:
                chosen = sides[1]
            else:
                return False
            if chosen:
                tree[path] = chosen
        self.result.tree = tree
        return True

    def with_git(self) -> None:
        base = self.store.commit(self.store.write(self.base))
        sides = [self.store.commit(self.store.write(tree), base) for tree in (self.ours, self.theirs)]
        settings = ("-c", "merge.directoryRenames=false", "-c", "merge.renames=false")
        output = self.store.run(*settings, "merge-tree", "--write-tree", "-z", "--no-messages", *sides, codes=(0, 1))
        first, *facts = output.split(b"\0")
        known = {*self.base, *self.ours, *self.theirs}
        merged = self.store.list(first.decode())
        self.result.tree = {path: entry for path, entry in merged.items() if path in known}
        stages: dict[str, dict[str, Entry]] = {}
        for fact in filter(None, facts):
            words, name = fact.split(b"\t", 1)
            mode, blob, stage = words.decode().split()
            stages.setdefault(name.decode(errors="surrogateescape"), {})[stage] = Entry(mode, blob)
        for path, by in sorted(stages.items()):
            self.decide(path, by.get("1"), by.get("2"), by.get("3"))

    def decide(self, path: str, base: Entry | None, ours: Entry | None, theirs: Entry | None) -> None:
        """Keep the person's version of what git could not merge, by lines where there are lines."""
        tree = self.result.tree
        if path not in self.whole and ours is None:
            tree.pop(path, None)
            self.conflict(path, "you moved or deleted what the template has here now", None, theirs)
            return
        if ours is None:
            tree.pop(path, None)
            self.conflict(path, CHANGED, None, theirs)
            return
        tree[path] = ours
        if theirs is None:
            self.conflict(path, REMOVED, ours, None)
            return
        mode = theirs.mode if base and base.mode == ours.mode else ours.mode
        reason = "you and the template changed the same lines" if base else BOTH_ADDED
        merged = None
        if ours.kind == theirs.kind == FILE:
            content = [self.store.read(side.blob) if side else b"" for side in (base, ours, theirs)]
            merged = lines.merge(self.store, content[0], content[1], content[2])
        if merged is None:
            self.conflict(path, "you and the template changed it, and it is no text", ours, theirs)
            return
        by_keys = None
        if base and merged.ours != merged.theirs:
            by_keys = structured.merge(self.store, path, content[0], content[1], content[2])
        if by_keys is not None:
            tree[path] = Entry(mode, self.store.hash(by_keys))
            self.result.by_keys.add(path)
            return
        tree[path] = Entry(mode, self.store.hash(merged.ours))
        if merged.ours != merged.theirs:
            self.conflict(path, reason, tree[path], Entry(mode, self.store.hash(merged.theirs)))

    def nothing_lost(self) -> None:
        """Whatever the merge did: what a person wrote is in the file where its own went, or it is a conflict."""
        tree = self.result.tree
        for path, entry in self.ours.items():
            base, theirs = self.base.get(path), self.theirs.get(path)
            if entry == base or path in self.result.conflicts:
                continue
            if path not in tree:
                tree[path] = entry
                self.conflict(path, "the template removed it, and you changed it", entry, theirs)
            elif tree[path] != entry and not (base and self.arrived(base, entry, tree[path], path)):
                merged, tree[path] = tree[path], entry
                self.conflict(path, "your change did not come through the merge", entry, merged)

    def arrived(self, base: Entry, ours: Entry, merged: Entry, path: str) -> bool:
        """Whether each line that a person added is in a merged file; of merged data, its own check says so."""
        if base.blob == ours.blob or path in self.result.by_keys:
            return True
        old, new, now = (Counter(self.store.read(one.blob).splitlines()) for one in (base, ours, merged))
        return new - old <= now
