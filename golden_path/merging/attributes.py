"""How a service's ``.gitattributes`` wants files to be merged."""

from __future__ import annotations

from collections.abc import Collection

from golden_path.store.trees import Store, raw

MERGED = ("unspecified", "set", "text", "union")  # what git does by itself
NEVER = ("unset", "binary")
OURS = "ours"  # a driver that people define to keep their side; no definition is known here
# Words without which no rule is about merging; "binary" is git's own macro for "-diff -merge -text".
_ABOUT = (b"merge", b"binary")


def merging(store: Store, paths: Collection[str]) -> dict[str, str]:
    """Return the values of the attribute ``merge`` that ask for something else than a merge of lines, by path.

    Args:
        store: of the service.
        paths: that both sides changed.
    """
    if not paths or not any(word in store.attributes for word in _ABOUT):
        return {}
    asked = b"".join(raw(path) + b"\0" for path in sorted(paths))
    words = store.run("check-attr", "-z", "--stdin", "merge", data=asked).decode(errors="surrogateescape").split("\0")
    found = dict(zip(words[::3], words[2::3], strict=False))
    return {path: value for path, value in found.items() if value not in MERGED}
