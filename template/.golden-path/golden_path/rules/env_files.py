"""Rules on files of variables, `config.env`: Kustomize takes each line as it stands, other programs do not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from golden_path.rules.book import ERROR, Found, rule
from golden_path.rules.documents import items, maps
from golden_path.rules.files import Files, folder
from golden_path.rules.objects import KUSTOMIZATIONS

# What a container takes, also before Kubernetes 1.34, and what a shell's programs can read.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Of a longer line Kustomize reads nothing, nor of those after it, and says nothing.
_LONGEST = 65_535
_BLANK = " \t\v\f\r\u0085\u00a0"


@rule(
    "GP407", ERROR, "A file of variables says what the service gets.", "quotes and comments become part of the value",
)  # fmt: skip
def read_as_meant(files: Files) -> Iterator[Found]:
    """Lines of the files that generators of kustomizations read, which Kustomize takes otherwise than they look."""
    for path in _read_by_kustomize(files):
        names: dict[str, int] = {}
        for number, line in enumerate(_lines(files.content(path) or b""), 1):
            if said := _wrong(line, names, number):
                yield Found(path, number, said)


def _read_by_kustomize(files: Files) -> list[str]:
    """The files that `envs` of a generator name, and the repository has."""
    found: dict[str, None] = {}
    for path in files.shipped(*KUSTOMIZATIONS):
        for field in ("configMapGenerator", "secretGenerator"):
            for generator in maps(files.mapping(path).get(field)):
                for name in [*items(generator.get("envs")), generator.get("env")]:
                    found[posixpath.normpath(folder(path) + str(name or ""))] = None
    return [path for path in found if files.has(path)]


def _lines(content: bytes) -> list[bytes]:
    """As Kustomize cuts them: at line feeds, without a carriage return before one and a byte order mark in front."""
    return [line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]


def _wrong(raw: bytes, names: dict[str, int], number: int) -> str:
    """What to do about a line; nothing if it means what it says. Never the value: it may be a secret."""
    if len(raw) > _LONGEST:
        return "is longer than Kustomize reads, which leaves it and all lines after it out: shorten it"
    try:
        line = raw.decode().lstrip()
    except UnicodeDecodeError:
        return "is not UTF-8: save the file as UTF-8"
    if not line or line.startswith("#"):
        return ""
    name, equals, value = line.partition("=")
    if said := _name(name, equals):
        return said
    if first := names.setdefault(name, number) - number:
        return f"{name} is set in line {number + first} already: keep one of the two"
    return _value(name, value)


def _name(name: str, equals: str) -> str:
    bare = name.strip(_BLANK).removeprefix("export ").removeprefix("set ").strip(_BLANK)
    if _NAME.fullmatch(name):
        return "" if equals else f"{name} has no =, and is set to nothing: write {name}= or {name}=value"
    if not equals:
        return "is no NAME=value; Kustomize knows neither values of several lines nor other comments than those of #"
    if _NAME.fullmatch(bare):
        return f"is no NAME=value, Kustomize takes all before the = for the name: write {bare}=value"
    return "has no name that a variable can have: write letters, digits and _ before the ="


def _value(name: str, value: str) -> str:
    if value != value.strip(_BLANK):
        return f"the value of {name} has spaces around it, which the service gets, too: remove them"
    if value[:1] in ("'", '"'):
        return f"the quotes become part of the value of {name}: write {name}=value without them, in one line"
    if re.search(r"[ \t]#", value):
        return f"the comment becomes part of the value of {name}: write it in a line of its own, above"
    if value.endswith("\\"):
        return f"no value goes on in the next line, and the \\ becomes part of that of {name}: write it in one line"
    if re.search(r"[\0-\x08\x0a-\x1f\x7f]", value):
        return f"the value of {name} has a control character: remove it"
    return ""
