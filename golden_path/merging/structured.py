"""Merge a YAML, TOML or JSON file, or the includes of a Makefile, that git could not merge by lines without need.

Lines are taken from both sides as they stand, so comments and form stay. What makes it right is the data: a result
counts only if it parses, and if what it says is the three-way merge of what the three versions say.
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

from golden_path.merging import lines, threeway
from golden_path.rules import bounded
from golden_path.store import git
from golden_path.store.trees import Store

MARK = 37  # characters of a conflict marker, more than any file has
REASON = "merged by its keys: the same place, but not the same thing"
_INCLUDE = re.compile(r" *(-include|sinclude|include)\s+\S.*|\s*#.*|\s*")
_COMMA = re.compile(r",[ \t]*$")

Load = Callable[[str], Any]
Block = tuple[list[str], list[str], list[str]]


def merge(store: Store, path: str, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge one file.

    Args:
        store: in whose folder to work.
        path: of the file, whose name says what it is.
        base: before both changes.
        ours: the service's.
        theirs: the template's.

    Returns:
        The merged file; None where it is of no such kind, or a person has to decide.
    """
    load = _loader(path)
    sides = [_text(side) for side in (base, ours, theirs)]
    if load is None or None in sides:
        return None
    texts = [side for side in sides if side is not None]
    try:
        wanted = threeway.merge(*map(load, texts))
    except (threeway.ClashError, ValueError, yaml.YAMLError, RecursionError):
        return None
    end = lines.end(theirs) if lines.end(ours) == lines.end(base) else lines.end(ours)
    for candidate in _candidates(store, texts, json_=load is _json):
        if _says(load, candidate, wanted):
            return candidate.encode().replace(b"\n", end) if end else candidate.encode()
    if load is _json:
        written = _written(wanted, texts[1])
        return written.encode().replace(b"\n", end or b"\n") if _says(load, written, wanted) else None
    return None


def _loader(path: str) -> Load | None:
    name = path.rsplit("/", 1)[-1]
    if name.endswith((".yml", ".yaml")):
        return _yaml
    if name.endswith(".toml"):
        return _toml
    if name.endswith(".json"):
        return _json
    return _makefile if name == "Makefile" or name.endswith(".mk") else None


def _text(content: bytes) -> str | None:
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _says(load: Load, text: str, wanted: Any) -> bool:
    try:
        return bool(load(text) == wanted)
    except (ValueError, yaml.YAMLError, RecursionError):
        return False


# ---- Texts that could be the result --------------------------------------------------------------------------------
def _candidates(store: Store, texts: Sequence[str], *, json_: bool) -> Iterator[str]:
    if json_:  # a comma only says that something follows
        texts = ["\n".join(_COMMA.sub("", line) for line in text.split("\n")) for text in texts]
    parts = list(_parts(store, texts))
    for ours_first in (True, False):
        merged: list[str] = []
        for part in parts:
            block = [part] if isinstance(part, str) else _block(part, ours_first=ours_first)
            if block is None:
                return
            merged += block
        text = "".join(merged)
        yield _with_commas(text) if json_ else text


def _parts(store: Store, texts: Sequence[str]) -> Iterator[str | Block]:
    """What git merged, line by line, and what it could not: ours, base, theirs."""
    for name, text in zip(("base", "ours", "theirs"), texts, strict=True):
        (store.folder / name).write_text(text, encoding="utf-8", newline="")
    # The exit code is the number of conflicts.
    merged = git.run("merge-file", "-p", "--diff3", f"--marker-size={MARK}", "ours", "base", "theirs",
                     cwd=store.folder, codes=tuple(range(128))).decode()  # fmt: skip
    sides: Block = ([], [], [])
    at = -1
    for line in merged.splitlines(keepends=True):
        mark = line[0] * MARK
        if at < 0 and line.startswith("<" * MARK):
            sides, at = ([], [], []), 0
        elif at == 0 and mark == "|" * MARK and line.startswith(mark):
            at = 1
        elif at == 1 and mark == "=" * MARK and line.startswith(mark):
            at = 2
        elif at == 2 and line.startswith(">" * MARK):
            at = -1
            yield sides
        elif at < 0:
            yield line
        else:
            sides[at].append(line)


def _block(block: Block, *, ours_first: bool) -> list[str] | None:
    """Merge lines without the distance between changes that git asks for; None where both changed a line."""
    ours, base, theirs = block
    changes = [_changes(base, side) for side in (ours, theirs)]
    merged: list[str] = []
    for number in range(len(base) + 1):
        added = [side.get((number, number), []) for side in changes]
        merged += added[0] if added[0] == added[1] else added[not ours_first] + added[ours_first]
        if number == len(base):
            return merged
        replaced = [side.get((number, number + 1)) for side in changes]
        if None not in replaced and replaced[0] != replaced[1]:
            return None
        chosen = replaced[0] if replaced[0] is not None else replaced[1]
        merged += [base[number]] if chosen is None else chosen
    return merged


def _changes(old: Sequence[str], new: Sequence[str]) -> dict[tuple[int, int], list[str]]:
    """What stands between the lines ``(n, n)`` and in the place of a line ``(n, n + 1)``."""
    found: dict[tuple[int, int], list[str]] = {}
    for kind, first, last, start, stop in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "insert":
            found[first, first] = list(new[start:stop])
        elif kind != "equal":
            for number in range(first, last):
                found[number, number + 1] = list(new[start + number - first : start + number - first + 1])
                if start + number - first >= stop:
                    found[number, number + 1] = []
            rest = list(new[start + last - first : stop])
            if rest:
                found[last, last] = rest
    return found


# ---- Kinds of files ------------------------------------------------------------------------------------------------
class _Loader(yaml.SafeLoader):
    """Tags are kept with the value, and a key that stands twice is an error."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    merges = [key for key, _ in node.value if key.tag == "tag:yaml.org,2002:merge"]
    pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value if key not in merges]
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str | int | float | bool | tuple | None) or key in found:
            raise ValueError(f"{key!r} stands twice")
        found[key] = loader.construct_object(value, deep=True)
    for key, value in node.value:
        if key in merges:
            found.setdefault(("merge", "<<"), []).append(loader.construct_object(value, deep=True))
    return found


def _unknown(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {("tag", "!"): suffix, **_mapping(loader, node)}
    if isinstance(node, yaml.SequenceNode):
        return [("tag", suffix), *loader.construct_sequence(node, deep=True)]
    return ("tag", suffix, str(node.value))


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A scalar with its type, since 1, 1.0 and true are not the same."""
    return (node.tag.rsplit(":", 1)[-1], loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _kind in ("bool", "int", "float", "null", "timestamp", "binary"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _scalar)
_Loader.add_multi_constructor("", _unknown)


def _yaml(text: str) -> Any:
    documents = bounded.load_all(text, _Loader, largest=8 << 20)
    return documents[0] if len(documents) == 1 else dict(enumerate(documents))


def _toml(text: str) -> Any:
    return _typed(tomllib.loads(text))


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    return _typed(json.loads(text, object_pairs_hook=once))


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return value if isinstance(value, str) else (type(value).__name__, value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value[1] if isinstance(value, tuple) else value


def _makefile(text: str) -> dict[str, Any]:
    """A Makefile's includes, in order, and all that may not be touched."""
    rows = text.split("\n")
    found = [row.strip() for row in rows if _INCLUDE.fullmatch(row) and row.strip() and not row.strip().startswith("#")]
    rest = [row for row in rows if not _INCLUDE.fullmatch(row)]
    return {"includes": found, "rest": "\n".join(rest)}


def _with_commas(text: str) -> str:
    """Put a comma where something follows."""
    rows = text.split("\n")
    filled = [number for number, row in enumerate(rows) if row.strip()]
    for number, following in itertools.pairwise(filled):
        row, after = rows[number].rstrip(), rows[following].strip()
        if not row.endswith(("{", "[", ":")) and not after.startswith(("}", "]")):
            rows[number] = f"{row},"
    return "\n".join(rows)


def _written(data: Any, like: str) -> str:
    """JSON with the indentation and the end of another text."""
    found = re.search(r"^([ \t]+)\S", like, re.MULTILINE)
    indent = found[1] if found else None
    text = json.dumps(_plain(data), indent=indent, ensure_ascii=like.isascii())
    return text + ("\n" if like.endswith("\n") else "")
