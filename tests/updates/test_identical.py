"""An edit is in the file where its own went, whoever moved what, and however many files have the same content."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest

from golden_path.merging import merge
from golden_path.source.config import Config
from golden_path.source.ownership import Ownership
from golden_path.store import renames
from golden_path.store.trees import FILE, Entry, Store, Tree
from tests.labs.template import git

ANSWERS = ".copier-answers.yml"
SAME = b"replicas: 2\ncpu: 100m\nmemory: 64Mi\nlogs: info\ntimeout: 30\n"
MINE = SAME.replace(b"replicas: 2", b"replicas: 9")
THEIRS = SAME.replace(b"timeout: 30", b"timeout: 60")
BOTH = MINE.replace(b"timeout: 30", b"timeout: 60")
NOBODYS = Ownership(Config(frozenset(), (), (), {}, migrations=False), {})
COLOURS = ("blue", "green", "red")

Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    with Store(folder / ".git" / "objects") as one:
        yield one


def tree(store: Store, files: Files) -> Tree:
    return {path: Entry(f"{FILE}644", store.hash(content)) for path, content in {ANSWERS: b"", **files}.items()}


def merged(store: Store, base: Files, ours: Files, theirs: Files) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files afterwards, and the reasons of conflicts."""
    one, two, three = (tree(store, files) for files in (base, ours, theirs))
    done = merge.merge(store, one, two, three, NOBODYS, ANSWERS)
    files = {path: store.read(entry.blob) for path, entry in done.tree.items() if path != ANSWERS}
    return files, {path: one.reason for path, one in done.conflicts.items()}


def env(form: str, content: bytes = SAME, **others: bytes) -> dict[str, bytes]:
    return {form.format(colour): others.get(colour, content) for colour in COLOURS}


BASE = env("env/{}/limits.yaml")


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        # The template moves the folders, and changes what is in them.
        (env("env/{}/limits.yaml", red=MINE), env("deploy/zone-{}/limits.yaml"),
         env("deploy/zone-{}/limits.yaml", red=MINE)),
        (env("env/{}/limits.yaml", red=MINE), env("deploy/zone-{}/limits.yaml", THEIRS),
         env("deploy/zone-{}/limits.yaml", THEIRS, red=BOTH)),
        (env("env/{}/limits.yaml", blue=MINE), env("deploy/{}.yaml", green=THEIRS),
         env("deploy/{}.yaml", blue=MINE, green=THEIRS)),
        # The person does.
        (env("conf/{}Zone/limits.yaml"), env("env/{}/limits.yaml", green=THEIRS),
         env("conf/{}Zone/limits.yaml", green=THEIRS)),
        (env("conf/{}/limits.yaml", red=MINE), env("env/{}/limits.yaml", red=THEIRS),
         env("conf/{}/limits.yaml", red=BOTH)),
        # Both do, to the same place.
        (env("conf/{}/limits.yaml", red=MINE), env("conf/{}/limits.yaml", red=THEIRS),
         env("conf/{}/limits.yaml", red=BOTH)),
        # One is removed.
        (env("env/{}/limits.yaml", red=MINE), {"zone/red/limits.yaml": SAME, "zone/green/limits.yaml": SAME},
         {"zone/red/limits.yaml": MINE, "zone/green/limits.yaml": SAME}),
    ],
)  # fmt: skip
def test_edits_follow_their_own_file(ours: Files, theirs: Files, wanted: Files, store: Store) -> None:
    assert merged(store, BASE, ours, theirs) == (wanted, {})


def test_files_around_it_say_which_folder_it_is(store: Store) -> None:
    """The names have nothing in common, but each folder has a file of its own that says where it went."""
    own = {"one": b"1\n" * 9, "two": b"2\n" * 9}
    base = {f"{name}/{file}": text for name in own for file, text in (("x", SAME), ("y", own[name]))}
    went = {"one": "zeta", "two": "alpha"}
    theirs = {f"{went[path[:3]]}{path[3:]}": text for path, text in base.items()}
    files, conflicts = merged(store, base, {**base, "one/x": MINE}, theirs)
    assert (files["zeta/x"], files["alpha/x"], conflicts) == (MINE, SAME, {})


def test_where_nothing_says_which_a_person_decides(store: Store) -> None:
    base = {"one/x": SAME, "two/x": SAME}
    moved = {"alpha/x": SAME, "beta/x": SAME}
    assert renames.find(store, tree(store, base), tree(store, moved)).unclear.keys() == base.keys()
    files, conflicts = merged(store, base, {**base, "one/x": MINE}, moved)
    assert conflicts == {"one/x": "the template moved one/x to alpha/x or beta/x"}
    assert files == {**moved, "one/x": MINE}
    assert merged(store, base, base, moved) == (moved, {})
    files, conflicts = merged(store, base, moved, {**base, "one/x": THEIRS})
    assert conflicts == {"one/x": "you moved one/x to alpha/x or beta/x, and the template changed or moved it"}
    assert files == moved
    files, conflicts = merged(store, base, moved, {"gamma/one/x": THEIRS, "gamma/two/x": SAME})
    assert set(conflicts) == {"gamma/one/x", "gamma/two/x"}
    assert files == moved


def test_a_new_file_that_looks_like_it_gets_no_edit(store: Store) -> None:
    """The template moves the folder, changes a file on the way, and adds one that is more like the old file."""
    alike = SAME + b"more: 1\n"
    edited = env("env/{}/limits.yaml", red=MINE)
    theirs = {**env("zone/{}/limits.yaml", red=THEIRS), "zone/default.yaml": alike}
    files, conflicts = merged(store, BASE, edited, theirs)
    assert (files, conflicts) == ({**env("zone/{}/limits.yaml", red=BOTH), "zone/default.yaml": alike}, {})
    # Without others that show the way, the likelier path makes it a question.
    theirs = {"new/red/limit.yaml": THEIRS, "default.yaml": alike}
    files, conflicts = merged(store, {"env/red/limits.yaml": SAME}, {"env/red/limits.yaml": MINE}, theirs)
    assert files == {**theirs, "env/red/limits.yaml": MINE}
    assert conflicts == {
        "env/red/limits.yaml": "the template moved env/red/limits.yaml to default.yaml or new/red/limit.yaml"
    }


def test_both_move_it_elsewhere(store: Store) -> None:
    ours, theirs = env("mine/{}/limits.yaml", red=MINE), env("zone/{}/limits.yaml", red=THEIRS)
    files, conflicts = merged(store, BASE, ours, theirs)
    assert files == env("mine/{}/limits.yaml", red=BOTH)
    assert conflicts["mine/red/limits.yaml"] == "you moved it here, and the template to zone/red/limits.yaml"


def test_what_stands_where_it_goes(store: Store) -> None:
    """A file of the person's where the template moves one to, and the other way round."""
    taken = {**env("env/{}/limits.yaml", red=MINE), "zone/red/limits.yaml": b"own\n"}
    files, conflicts = merged(store, BASE, taken, env("zone/{}/limits.yaml", THEIRS))
    assert files == {**env("zone/{}/limits.yaml", THEIRS, red=b"own\n"), "env/red/limits.yaml": MINE}
    assert set(conflicts) == {"env/red/limits.yaml", "zone/red/limits.yaml"}
    files, conflicts = merged(store, BASE, env("mine/{}.yaml"), {**env("env/{}/limits.yaml", red=THEIRS),
                                                                 "mine/red.yaml": b"new\n"})  # fmt: skip
    assert files == env("mine/{}.yaml")
    assert set(conflicts) == {"env/red/limits.yaml", "mine/red.yaml"}


def test_a_merge_that_loses_a_line_is_a_conflict(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever merged the lines: the check is of what came out."""
    ours, theirs = {**BASE, "env/red/limits.yaml": MINE}, {**BASE, "env/red/limits.yaml": THEIRS}
    assert merged(store, BASE, ours, theirs) == ({**BASE, "env/red/limits.yaml": BOTH}, {})
    original = merge._Merge.with_git

    def lossy(self: merge._Merge) -> None:
        original(self)
        self.result.tree["env/red/limits.yaml"] = self.theirs["env/red/limits.yaml"]

    monkeypatch.setattr(merge._Merge, "with_git", lossy)
    files, conflicts = merged(store, BASE, ours, theirs)
    assert files == ours
    assert conflicts == {"env/red/limits.yaml": "your change did not come through the merge"}


@pytest.mark.parametrize(("number", "most"), [(120, renames.MOST), (12, 100)])
def test_very_many_files_take_no_longer(number: int, most: int, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as they can be compared they are told apart; more are left to a person, in a short line."""
    monkeypatch.setattr(renames, "MOST", most)
    base = {f"env/e{one}/x": SAME for one in range(number)}
    files, conflicts = merged(
        store, base, {**base, "env/e7/x": MINE}, {f"zone/e{one}/x": SAME for one in range(number)}
    )
    if number**2 <= most:
        assert (files["zone/e7/x"], conflicts) == (MINE, {})
    else:
        assert files["env/e7/x"] == MINE
        assert conflicts["env/e7/x"].endswith(f"or {number - 4} other places")


def moved(rng: random.Random, paths: list[str]) -> dict[str, str]:
    """Rename folders as people do: where each file goes, by its path."""
    old, new = rng.choice([("env/", "deploy/"), ("env/", "deploy/env/"), ("/", "/zone-"), (".yaml", ".yml"), ("", "")])
    some = rng.choice([paths, [path for path in paths if rng.random() < 0.6]])
    return {path: path.replace(old, new, 1) if old and path in some else path for path in paths}


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_moved(seed: int, store: Store) -> None:
    """Each edit has a mark of its own: it is in its own file, or that is a conflict; it is in no other file."""
    rng = random.Random(seed)
    paths = [f"env/{colour}/{name}.yaml" for colour in COLOURS for name in ("a", "b")]
    base = dict.fromkeys(paths, SAME)
    theirs_at, ours_at = moved(rng, paths), moved(rng, paths)
    edited = [path for path in paths if rng.random() < 0.5]
    theirs = {theirs_at[path]: THEIRS if rng.random() < 0.5 else SAME for path in paths}
    ours = {ours_at[path]: SAME.replace(b"replicas: 2", f"replicas: {path}".encode()) if path in edited else SAME
            for path in paths}  # fmt: skip
    files, conflicts = merged(store, base, ours, theirs)
    for path in edited:
        places = [name for name, text in files.items() if f"replicas: {path}".encode() in text]
        assert len(places) == 1, (path, places)
        assert places[0] in {theirs_at[path], ours_at[path]}, (path, places)
    for path in paths:
        if theirs[theirs_at[path]] == THEIRS and not conflicts:
            assert b"timeout: 60" in files[ours_at[path] if ours_at[path] != path else theirs_at[path]], path


def test_a_file_that_went_along_and_changed_much_is_still_that_file(store: Store) -> None:
    """A quarter of its lines is enough where others of the folder went the same way, and half without them."""
    lines = [f"line {number}\n".encode() for number in range(40)]
    much = [b"new %d\n" % number for number in range(28)]
    base = {"make/a.py": b"".join(lines), "make/b.py": b"".join(line.upper() for line in lines)}
    moved = {
        "core/service/a.py": b"".join(lines[:12] + much),
        "core/service/b.py": b"".join(line.upper() for line in lines[:39]),
    }
    assert renames.find(store, tree(store, base), tree(store, moved)).moved == {
        "make/a.py": "core/service/a.py",
        "make/b.py": "core/service/b.py",
    }
    alone = {path: {one: text for one, text in side.items() if one.endswith("a.py")}
             for path, side in (("old", base), ("new", moved))}  # fmt: skip
    assert not renames.find(store, tree(store, alone["old"]), tree(store, alone["new"])).moved
    other = {**moved, "core/service/a.py": b"".join(lines[:5] + much + much[:7])}
    assert "make/a.py" not in renames.find(store, tree(store, base), tree(store, other)).moved
