"""Identifiers of each language from one name."""

from __future__ import annotations

import keyword
import re

import pytest

from extensions import names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("order-service", "order-service"),
        ("Order Service", "order-service"),
        ("Größe_2", "groe-2"),
        ("2nd--try-", "nd-try"),
        ("___", "my-service"),
        ("", "my-service"),
        ("class", "class-service"),
        ("json", "json-service"),
        ("calendar", "calendar-service"),
        ("a" * 60, "a" * 40),
        ("a" * 39 + "-b", "a" * 39),
    ],
)
def test_service_name_from_any_text(text: str, name: str) -> None:
    assert names.service_name(text) == name
    assert re.fullmatch(r"[a-z](?:-?[a-z0-9])*", names.service_name(text))


def test_service_name_in_a_language() -> None:
    assert names.service_name("calendar", "go") == "calendar"
    assert names.service_name("calendar", "python") == "calendar-service"


def test_service_name_of_a_service_name_is_itself() -> None:
    for text in ("order-service", "a", "x9-y", "a" * 40):
        assert names.service_name(text) == text


@pytest.mark.parametrize(
    ("text", "segment"),
    [("order-service", "orderservice"), ("9-Lives", "_9lives"), ("new", "new_"), ("ne-w", "new_"), ("acme", "acme")],
)
def test_java_segment(text: str, segment: str) -> None:
    assert names.java_segment(text) == segment


def test_snake_case() -> None:
    assert names.snake_case("order-service") == "order_service"


@pytest.mark.parametrize(
    ("name", "word_of", "reserved"),
    [
        ("class", "java", True),
        ("class", "python", True),
        ("class", "go", False),
        ("func", "go", True),
        ("func", "java", False),
        ("instance-of", "java", True),  # the package segment drops the hyphen
        ("await", "node", True),
        ("http", "python", True),
        ("profile", "python", True),
        ("prometheus-client", "python", True),
        ("order-service", "java", False),
        ("class", "", False),
    ],
)
def test_is_reserved(name: str, word_of: str, reserved: bool) -> None:
    assert names.is_reserved(name, word_of) is reserved


@pytest.mark.parametrize(
    ("word_of", "called", "dependency"),
    [
        ("go", {"module": "github.com/google/uuid"}, "github.com/google/uuid"),
        ("go", {"module": "github.com/Google/UUID"}, "github.com/google/uuid"),
        ("go", {"module": "github.com/google/uuid-service"}, ""),
        ("java", {"package": "org.springframework"}, "org.springframework.boot"),
        ("java", {"package": "org.springframework.boot"}, "org.springframework.boot"),
        ("java", {"package": "org.springframework.boot.orders"}, ""),
        ("java", {"package": "org.spring"}, ""),
        ("java", {"package": "java.orders"}, "java"),
        ("java", {"package": "javanese.orders"}, ""),
        ("node", {}, ""),
    ],
)
def test_a_dependency_of_the_same_name(word_of: str, called: dict[str, str], dependency: str) -> None:
    assert names.dependency_called(word_of, **called) == dependency


def test_python_reserves_all_keywords() -> None:
    assert set(keyword.kwlist) <= names.PYTHON_RESERVED
    assert not {"order_service", "inventory"} & names.PYTHON_RESERVED
