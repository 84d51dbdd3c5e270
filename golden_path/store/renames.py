"""Where files went between two trees: git's rename detection, but files with the same content are told by their paths.

git takes any of several equal candidates. Here the likeness of paths decides, and where that decides nothing, the
caller is told that it is unclear.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from golden_path.store.trees import Entry, Store, Tree

MOST = 20_000  # pairs of files that are compared; there are no so many that a person could tell apart
MOST_LIKELY = 1000  # files among which a likelier one is looked for
_SUBMODULE = "160"
_Change = tuple[str, str]
_Score = tuple[int, float, int]


@dataclass
class Renames:
    """What is gone from one tree and came in another.

    Attributes:
        moved: the new path by the old one.
        unclear: by old path, the new ones that it can have, where none is more likely than the others.
    """

    moved: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, list[str]] = field(default_factory=dict)


def find(store: Store, old: Tree, new: Tree) -> Renames:
    """Find out where files went.

    Args:
        store: that has the trees.
        old: the tree before.
        new: the tree after.
    """
    gone = {path: entry for path, entry in old.items() if path not in new and entry.kind != _SUBMODULE}
    came = {path: entry for path, entry in new.items() if path not in old and entry.kind != _SUBMODULE}
    found = Renames()
    if not gone or not came:
        return found
    nothing = store.hash(b"")
    groups: dict[tuple[str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, tree in enumerate((gone, came)):
        for path, entry in sorted(tree.items()):
            if entry.blob != nothing:
                groups[entry.kind, entry.blob][side].append(path)
    same = [group for group in groups.values() if all(group)]
    for sources, targets in sorted(same, key=lambda group: len(group[0]) * len(group[1])):  # the certain ones first
        _assign(sources, targets, found)
    _along(store, *_left(gone, came, found), found)
    _alike(store, *_left(gone, came, found), found)
    # Of those that are alike, some have shown the way.
    _along(store, *_left(gone, came, found), found)
    return found


def _left(gone: Tree, came: Tree, found: Renames) -> tuple[Tree, Tree]:
    """What of both trees is not paired."""
    taken = {*found.moved.values(), *(path for paths in found.unclear.values() for path in paths)}
    rest = {path: entry for path, entry in gone.items() if path not in found.moved and path not in found.unclear}
    return rest, {path: entry for path, entry in came.items() if path not in taken}


def _along(store: Store, gone: Tree, came: Tree, found: Renames) -> None:
    """Pair what went along with other files of its folder, if a quarter of its lines did; both trees lose it.

    Without the others it takes half of the lines: a file that is called the same may be another one.
    """
    ways = {way for way in (_change(old, new) for old, new in found.moved.items()) if all(way)}
    for path in sorted(gone):
        places = {f"{new}{path[len(old) :]}" for old, new in ways if path.startswith(f"{old}/")} & set(came)
        if len(places) == 1 and _share(store, gone[path], came[min(places)], 4):
            found.moved[path] = min(places)
            del gone[path], came[min(places)]


def _share(store: Store, one: Entry, other: Entry, part: int) -> bool:
    """Whether at least one in so many lines is alike; half of them are what makes two files one for git."""
    mine, theirs = (Counter(store.read(side.blob).splitlines()) for side in (one, other))
    return one.kind == other.kind and part * (mine & theirs).total() >= max(mine.total(), theirs.total())


def _alike(store: Store, gone: Tree, came: Tree, found: Renames) -> None:
    """Pair what is not the same any more: as git does, and among files that were or are the same, by their paths."""
    if not gone or not came:
        return
    trees = store.write(gone), store.write(came)
    output = store.run("diff-tree", "-r", "-z", "-M", "--no-rename-empty", "--diff-filter=R", "-l0", *trees)
    words = [word.decode(errors="surrogateescape") for word in output.split(b"\0")]
    pairs = dict(zip(words[1::3], words[2::3], strict=False))
    for tree, sides in ((gone, 0), (came, 1)):
        for entry in {tree[pair[sides]] for pair in pairs.items()}:
            group = [path for path in sorted(tree) if tree[path].blob == entry.blob]
            others = [pair for pair in pairs.items() if pair[sides] in group]
            if len(group) < 2:
                continue
            pairs = {one: other for one, other in pairs.items() if (one, other) not in others}
            if sides == 0:
                _assign(group, sorted(target for _, target in others), found)
            else:
                _assign(sorted(source for source, _ in others), group, found)
    for old, new in pairs.items():
        likelier = _likelier(store, old, new, gone, came, found)
        if likelier:
            found.unclear[old] = [new, *likelier]
        else:
            found.moved[old] = new


def _likelier(store: Store, old: str, new: str, gone: Tree, came: Tree, found: Renames) -> list[str]:
    """Other files that a file may be as well, by half of its lines, and whose path is more like its own."""
    if len(came) > MOST_LIKELY:
        return []
    votes = Counter(_change(one, other) for one, other in found.moved.items())
    score = _likeness(old, new, votes)
    return [path for path in sorted(came)
            if path != new and _likeness(old, path, votes) > score
            and _share(store, gone[old], came[path], 2)]  # fmt: skip


def _assign(sources: Collection[str], targets: Collection[str], found: Renames) -> None:
    """Pair paths, each with the one that is most like it, as long as there is one that is."""
    sources, targets = list(sources), list(targets)
    if len(sources) * len(targets) > MOST:
        found.unclear |= dict.fromkeys(sources, targets)
        return
    votes = Counter(_change(old, new) for old, new in found.moved.items())
    scores = {(old, new): _likeness(old, new, votes) for old in sources for new in targets}
    while sources and targets:
        best = {old: _only([(scores[old, new], new) for new in targets]) for old in sources}
        pairs = [(old, new) for old, new in best.items()
                 if new and _only([(scores[other, new], other) for other in sources]) == old]  # fmt: skip
        if not pairs:
            found.unclear |= dict.fromkeys(sources, targets)
            return
        for old, new in pairs:
            found.moved[old] = new
            sources.remove(old)
            targets.remove(new)


def _only(scored: list[tuple[_Score, str]]) -> str:
    """The path with the highest score; none where two have it."""
    highest = max(score for score, _ in scored)
    first, *more = [path for score, path in scored if score == highest]
    return "" if more else first


def _likeness(old: str, new: str, votes: Counter[_Change]) -> _Score:
    """How like two paths are: other files went the same way, words in common, and the parts at both ends."""
    mine, other = _words(old), _words(new)
    same = mine & other
    shared = float(same.total())
    rest = list((other - same).elements())
    for word in (mine - same).elements():
        if begun := next((one for one in rest if min(len(one), len(word)) > 1 and _begins(one, word)), None):
            rest.remove(begun)
            shared += 0.5
    one, two = old.split("/"), new.split("/")
    ends = _common(one, two) + _common(one[::-1], two[::-1])
    return votes[_change(old, new)], 2 * shared / max(mine.total() + other.total(), 1), ends


def _begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@functools.lru_cache(4096)
def _words(path: str) -> Counter[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path)
    return Counter(word.casefold() for word in re.findall(r"[^\W\d_]+|\d+", spaced))


def _common(one: Iterable[str], other: Iterable[str]) -> int:
    number = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        number += 1
    return number


def _change(old: str, new: str) -> _Change:
    """What of a path changed: the folder that was renamed, where the rest is the same."""
    one, two = old.split("/"), new.split("/")
    same = _common(one[::-1], two[::-1])
    return "/".join(one[: len(one) - same]), "/".join(two[: len(two) - same])
