"""``fleet.yaml``: the template, the rings and the services (docs/reference/fleet-file.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_path.rollout import nodes
from golden_path.rollout.nodes import Node
from golden_path.untrusted import credentials

GITHUB, NONE = "github", "none"
MERGED, CHECKED = "merged", "checked"
REQUIRED, OPTIONAL = "required", "optional"

_RING = ("require", "max_red", "soak", "green")
_SERVICE = ("forge", "checks", "check", "environment", "answers_file", "data", "team")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DIGITS = 6
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://|[\w.-]+@[\w.-]+:(?!//)")
_SCHEME = re.compile(r"[\w+.-]+::|[\w+.-]+://")
_GITHUB = re.compile(r"(?:https://|ssh://(?:[\w.-]+@)?|[\w.-]+@)github\.com[:/]")


@dataclass(frozen=True)
class Member:
    """A service of the fleet.

    Attributes:
        name: unique in the fleet.
        git: address or absolute path of its repository.
        ring: the name of its ring.
        forge: ``github``, or ``none``: branches without pull requests.
        checks: whether green needs the result of a check: ``required`` or ``optional``.
        check: a command that is run where no forge has checks; empty for none.
        environment: names of the caller's variables that it sees besides those that every program needs.
        answers_file: which, where there are several.
        data: answers, for questions without a default.
        team: that owns it; empty if nobody says.
    """

    name: str
    git: str
    ring: str
    forge: str = NONE
    checks: str = REQUIRED
    check: str = ""
    environment: tuple[str, ...] = ()
    answers_file: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    team: str = ""


@dataclass(frozen=True)
class Ring:
    """Services that get an upgrade at the same time.

    Attributes:
        name: unique in the fleet.
        members: its services.
        require: the share of them that must be green before the next ring starts, 0 to 1.
        max_red: the share that may be red before the rollout is stopped.
        soak: how long enough must have been green, in seconds.
        green: what counts as green: ``merged`` and checked, or ``checked`` before the merge.
    """

    name: str
    members: tuple[Member, ...]
    require: float = 1.0
    max_red: float = 0.0
    soak: int = 0
    green: str = MERGED


@dataclass(frozen=True)
class Fleet:
    """What ``fleet.yaml`` says.

    Attributes:
        file: its path.
        template: as the services' answers files name it.
        rings: in their order.
    """

    file: Path
    template: str
    rings: tuple[Ring, ...]

    @property
    def members(self) -> list[Member]:
        """All services, ring by ring."""
        return [member for ring in self.rings for member in ring.members]


def load(file: Path) -> Fleet:
    """Read and check a fleet.

    Args:
        file: the path of ``fleet.yaml``.

    Raises:
        FleetError: it cannot be read, or something in it is wrong.
    """
    top = nodes.load(file).mapping(("template", "defaults", "rings", "services"), ("template", "rings", "services"))
    defaults = top["defaults"].mapping((*_RING, *_SERVICE)) if "defaults" in top else {}
    for key, node in defaults.items():  # wrong ones are refused also where every ring or service has its own
        (_ring_value if key in _RING else _service_value)(key, node)
    template = _template(top["template"])
    order: dict[str, tuple[Node, dict[str, Any]]] = {}
    for node in top["rings"].list():
        keys = node.mapping(("name", *_RING), ("name",))
        name = _name(keys["name"], order)
        order[name] = (node, _settings(_RING, _ring_value, defaults, keys))
    found: dict[str, list[Member]] = {name: [] for name in order}
    names: dict[str, Node] = {}
    for node in top["services"].list():
        member = _member(node, defaults, names, list(order), file)
        names[member.name] = node
        found[member.ring].append(member)
    rings = []
    for name, (node, settings) in order.items():
        if not found[name]:
            node.wrong(f"the ring {name} has no services")
        settings.setdefault("max_red", round(1 - settings.get("require", 1.0), 9))
        rings.append(Ring(name, tuple(found[name]), **settings))
    return Fleet(file, template, tuple(rings))


def _settings(keys: tuple[str, ...], read: Any, *places: Mapping[str, Node]) -> dict[str, Any]:
    return {key: read(key, place[key]) for place in places for key in keys if key in place}


def _member(
    node: Node, defaults: Mapping[str, Node], names: Mapping[str, Node], rings: list[str], file: Path
) -> Member:
    keys = node.mapping(("name", "git", "ring", *_SERVICE), ("name", "git", "ring"))
    name, ring = _name(keys["name"], names), keys["ring"].text()
    if ring not in rings:
        keys["ring"].wrong(f"there is no ring {ring!r}; there are {', '.join(rings)}")
    address = _address(keys["git"], file)
    settings = _settings(_SERVICE, _service_value, defaults, keys)
    settings.setdefault("forge", GITHUB if _GITHUB.match(address) else NONE)
    if settings["forge"] == GITHUB and not (_ADDRESS.match(address) and re.search(r"[:/][\w.-]+/[\w.-]+$", address)):
        keys["git"].wrong("is no address of a repository of GitHub's: HOST/OWNER/NAME")
    if settings["forge"] == GITHUB and "check" in keys:
        keys["check"].wrong("is only for services without a forge: GitHub has checks of its own")
    if settings["forge"] == GITHUB:
        settings.pop("check", None)
    return Member(name, address, ring, **settings)


def _name(node: Node, known: Mapping[str, Any]) -> str:
    name = node.text()
    if not _NAME.fullmatch(name):
        node.wrong(f"must be letters, digits, '.', '_' and '-', not {name!r}")
    if name in known:
        node.wrong(f"there is another {name!r}")
    return name


def _template(node: Node) -> str:
    text = node.text()
    _no_credentials(node, text)
    if not (_ADDRESS.match(text) or text.startswith(("/", "~", "gh:", "gl:", "git+"))):
        node.wrong(f"must be an address or an absolute path, as _src_path in the services' answers, not {text!r}")
    return text


def _no_credentials(node: Node, address: str) -> None:
    if reason := credentials.reason(address):
        node.wrong(reason)


def _address(node: Node, file: Path) -> str:
    text = node.text()
    _no_credentials(node, text)
    if _ADDRESS.match(text):
        return text
    if _SCHEME.match(text) or text.startswith("-"):
        node.wrong(f"must be https://, ssh://, git://, file://, USER@HOST:PATH or a path, not {text!r}")
    return str((file.resolve().parent / Path(text).expanduser()).resolve())


def _ring_value(key: str, node: Node) -> Any:
    if key == "soak":
        return node.read(_duration)
    return node.choice(MERGED, CHECKED) if key == "green" else node.read(_share)


def _service_value(key: str, node: Node) -> Any:
    if key == "forge":
        return node.choice(GITHUB, NONE)
    if key == "checks":
        return node.choice(REQUIRED, OPTIONAL)
    if key == "environment":
        return tuple(one.read(_variable) for one in node.list())
    if key == "data":
        return {name: value.text() for name, value in node.mapping(None).items()}
    return node.text()


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the name of a variable")
    return text


def _share(text: str) -> float:
    number = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text)
    value = float(number[1]) / (100 if number[2] else 1) if number else -1
    if not 0 <= value <= 1:
        raise ValueError("must be a share, from 0% to 100% or from 0 to 1")
    return value


def _duration(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise ValueError("must be a number with s, m, h or d, such as 2h")
    if len(found[1]) > DIGITS:
        raise ValueError(f"must be a number of at most {DIGITS} digits")
    return int(found[1]) * _SECONDS[found[2]]
