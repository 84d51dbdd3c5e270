"""What a template's ``copier.yml`` says, as far as the engine has to know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.untrusted import inside

FILES = 100  # that a copier.yml may include, each time counted


@dataclass(frozen=True)
class Config:
    """Settings of a template.

    Attributes:
        questions: the names of its questions.
        skip_if_exists: patterns of files that belong to the service once they exist.
        exclude: patterns of files that it does not write.
        envops: settings of its Jinja environment.
        migrations: whether it has ``_migrations``.
        tasks: its ``_tasks``, as they stand there.
        external: paths of files of the service that it reads (``_external_data``); they may use answers.
        secrets: the questions whose answers are not kept, as they are asked, by name.
        choices: what can be answered, by question, the default first; those alone where that is a list in the file.
        answers_file: how it calls its answers file.
    """

    questions: frozenset[str]
    skip_if_exists: tuple[str, ...]
    exclude: tuple[str, ...]
    envops: dict[str, Any]
    migrations: bool
    tasks: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers_file: str = ".copier-answers.yml"
    choices: dict[str, list[Any]] = field(default_factory=dict)


def load(folder: Path) -> Config:
    """Read ``copier.yml``, with its ``!include`` and its several documents.

    Args:
        folder: a version of the template.

    Raises:
        FleetError: it cannot be read.
    """
    files = [path for path in sorted(folder.glob("copier.y*ml")) if path.suffix in (".yml", ".yaml")]
    merged: dict[str, Any] = {}
    try:
        read: list[Path] = []
        for part in (part for path in files for part in _parts(path, folder, read)):
            for name in ("_skip_if_exists", "_exclude"):
                if name in part:
                    part[name] = [*merged.get(name, ()), *part[name]]
            merged |= part
        return _config({str(name): value for name, value in merged.items()})
    except _WRONG as error:
        raise FleetError(f"the template's copier.yml cannot be read: {error}", Exit.TEMPLATE) from None


# What comes of values of another kind than Copier's documentation has; an include of everything is a RuntimeError.
_WRONG = (yaml.YAMLError, OSError, TypeError, ValueError, AttributeError, LookupError, RuntimeError)


def _config(merged: dict[str, Any]) -> Config:
    return Config(
        questions=frozenset(name for name in merged if not name.startswith("_")),
        skip_if_exists=tuple(map(str, merged.get("_skip_if_exists", ()))),
        exclude=tuple(map(str, merged.get("_exclude", ()))),
        envops=dict(merged.get("_envops") or {}),
        migrations=bool(merged.get("_migrations")),
        tasks=tuple(map(str, merged.get("_tasks") or ())),
        external=tuple(map(str, dict(merged.get("_external_data") or {}).values())),
        secrets=_secrets(merged),
        choices={name: _choices(asked) for name, asked in merged.items() if not name.startswith("_")},
        answers_file=str(merged.get("_answers_file") or Config.answers_file),
    )


def _secrets(merged: dict[str, Any]) -> dict[str, dict[str, Any]]:
    named = set(map(str, merged.get("_secret_questions") or ()))
    asked = {name: one if isinstance(one, dict) else {"default": one} for name, one in merged.items()}
    return {
        name: one for name, one in asked.items() if not name.startswith("_") and (name in named or one.get("secret"))
    }


def _choices(asked: Any) -> list[Any]:
    """The answers to one question; none where they are free, computed or not asked for."""
    if not isinstance(asked, dict) or asked.get("when") is False or asked.get("multiselect"):
        return []
    found = asked.get("choices")
    if asked.get("type") == "bool":
        found = [True, False]
    if isinstance(found, dict):
        found = list(found.values())
    if not isinstance(found, list):
        return []
    plain = [one["value"] if isinstance(one, dict) and "value" in one else one for one in found]
    plain = [one[1] if isinstance(one, list) and len(one) == 2 else one for one in plain]
    first = asked.get("default")
    return sorted(plain, key=lambda one: one != first) if all(not isinstance(one, dict | list) for one in plain) else []


def _parts(path: Path, root: Path, read: list[Path]) -> Iterable[dict[str, Any]]:
    read.append(path)
    if len(read) > FILES:
        raise ValueError(f"it includes more than {FILES} files")

    class Loader(yaml.SafeLoader):
        pass

    def include(_: yaml.Loader, node: yaml.Node) -> list[Any]:
        found = sorted(root.glob(str(node.value)))
        inside = [one for one in found if one.resolve().is_relative_to(root.resolve())]
        return [part for one in inside for part in _parts(one, root, read)]

    Loader.add_constructor("!include", include)
    content = inside.linked(root, path.relative_to(root).as_posix(), largest=bounded.LARGEST)
    for document in bounded.load_all(content, Loader):
        yield from _flat(document)


def _flat(document: Any) -> Iterable[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    elif isinstance(document, list):
        for part in document:
            yield from _flat(part)
