"""Templates write ``uses:`` lines from the pins."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from extensions import pins
from extensions.pins import Actions, PinsExtension

SHA = "0123456789abcdef0123456789abcdef01234567"
ACTION = Actions({"acme/tool": f"{SHA} # v1.2.3"})


def test_action_is_pinned_by_commit_with_its_version() -> None:
    assert ACTION("acme/tool") == f"acme/tool@{SHA} # v1.2.3"


def test_action_in_a_folder_has_the_pin_of_its_repository() -> None:
    assert ACTION("acme/tool/sub/path") == f"acme/tool/sub/path@{SHA} # v1.2.3"


@pytest.mark.parametrize("name", ["acme/other", "acme/tool2", "acme", ""])
def test_unknown_action_is_refused_by_name(name: str) -> None:
    with pytest.raises(KeyError, match=rf"pins\.yaml has no action {name}"):
        ACTION(name)


@pytest.mark.parametrize("pin", [SHA, f"{SHA} # v1", f"{SHA[1:]} # v1.2.3", "v1.2.3"])
def test_pin_of_another_form_is_refused(pin: str) -> None:
    with pytest.raises(ValueError, match=r"actions\.acme/tool must be '<40 hex digits> # vX\.Y\.Z'"):
        Actions({"acme/tool": pin})


def test_templates_reach_every_pinned_action() -> None:
    environment = Environment(extensions=[PinsExtension], autoescape=False)
    pinned = pins.load()["actions"]
    assert len(pinned) >= 18
    for name, pin in pinned.items():
        assert environment.from_string("uses: {{ action(name) }}").render(name=name) == f"uses: {name}@{pin}"
