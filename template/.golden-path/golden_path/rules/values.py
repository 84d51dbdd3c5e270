"""Values of secrets in manifests: by the names of variables, keys, arguments and lines of files, never the value."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from golden_path.rules import secrets
from golden_path.rules.documents import items, line, maps
from golden_path.rules.objects import Object, containers

_PROGRAMS = (".py", ".sh", ".js", ".mjs", ".ts", ".lua", ".rb", ".pl", ".go", ".java", ".html", ".css", ".md", ".tpl")
_LINE = re.compile(
    r"(?:^|[{,])[ \t]*(?:export[ \t]+)?[\"']?([\w.-]{1,100})[\"']?[ \t]*[:=][ \t]*(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;#}]+)",
    re.MULTILINE,
)
_FLAG = re.compile(r"-{1,2}([\w.-]+)")
_GIVEN = re.compile(r"(?:^|\s)(?:-{1,2}|)([\w.-]{1,100})=(\"[^\"]*\"|'[^']*'|\S+)")
_TRUTH = re.compile(r"true|false|yes|no|on|off|null|none|\d+", re.IGNORECASE)


class Value(NamedTuple):
    """Something that holds a secret.

    Attributes:
        line: in its file.
        what: it is.
    """

    line: int
    what: str


def values(one: Object) -> Iterator[Value]:
    """Yield what holds a secret in an object, in the order of the file."""
    yield from sorted({*_of_secret(one), *_of_config(one), *_of_pods(one)})


def generated(kustomization: dict[str, Any]) -> Iterator[Value]:
    """Yield what holds a secret among the literals of a kustomization."""
    for field in ("secretGenerator", "configMapGenerator"):
        for generator in maps(kustomization.get(field)):
            literals = items(generator.get("literals"))
            for number, literal in enumerate(literals):
                name, _, value = str(literal).partition("=")
                if secrets.written(value) and (field == "secretGenerator" or secrets.called(name)):
                    yield Value(line(literals, number), f"a value for {name}")


def _of_secret(one: Object) -> Iterator[Value]:
    if one.kind == "Secret" and "sops" not in one.data:
        for field in ("data", "stringData"):
            given = one.data.get(field)
            if isinstance(given, dict) and any(secrets.written(value) for value in given.values()):
                yield Value(line(one.data, field), field)


def _of_config(one: Object) -> Iterator[Value]:
    if one.kind != "ConfigMap":
        return
    for field in ("data", "binaryData"):
        given = one.data.get(field)
        for key, value in given.items() if isinstance(given, dict) else ():
            text = _decoded(value) if field == "binaryData" else str(value or "")
            if secrets.called(str(key)) and secrets.written(text):
                yield Value(line(given, key), f"a value for {key}")
            elif not str(key).endswith(_PROGRAMS):
                yield from (Value(line(given, key), f"a value for {name} in {key}") for name in _assigned(text))


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value)).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _assigned(text: str) -> list[str]:
    """The names that a file of settings gives a secret to."""
    found = (
        name for name, value in _LINE.findall(text)
        if secrets.called(name) and secrets.written(_bare(value)) and not _computed(value)
    )  # fmt: skip
    return list(dict.fromkeys(found))


def _of_pods(one: Object) -> Iterator[Value]:
    for pod in one.pods():
        for container in containers(pod):
            for variable in maps(container.get("env")):
                name = str(variable.get("name", ""))
                if secrets.called(name) and secrets.written(variable.get("value")):
                    yield Value(line(variable, "value"), f"a value for {name}")
            for field in ("command", "args"):
                given = items(container.get(field))
                yield from (Value(line(given, at_), f"a value for {name} in {field}") for at_, name in _passed(given))


def _passed(arguments: list[Any]) -> Iterator[tuple[int, str]]:
    """The names that arguments give a secret to, by position: --name=value, --name value, NAME=value in a script."""
    for number, argument in enumerate(map(str, arguments)):
        for name, value in _GIVEN.findall(argument):
            if secrets.called(name) and secrets.written(_bare(value)) and not _computed(value):
                yield number, name
        flag = _FLAG.fullmatch(argument)
        after = str(arguments[number + 1]) if number + 1 < len(arguments) else ""
        if flag and secrets.called(flag[1]) and secrets.written(after) and not after.startswith("-"):
            yield number, flag[1]


def _computed(value: str) -> bool:
    """Whether it is a switch, or what a program computes."""
    return bool(_TRUTH.fullmatch(value)) or value[0] in "$([{|>&*!" or "(" in value


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def anywhere(one: Object) -> Iterator[str]:
    """Yield the forms of secrets that a string of an object has, wherever it stands."""
    texts = list(_strings(one.data))
    yield from (look.what for look in secrets.LOOKS if any(look.pattern.search(text) for text in texts))


def _strings(value: Any) -> Iterator[str]:
    """All strings, and what the values of a field binaryData stand for."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "binaryData" and isinstance(one, dict):
                yield from map(_decoded, one.values())
            else:
                yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value
