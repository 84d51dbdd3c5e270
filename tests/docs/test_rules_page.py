"""The page of rules is what the book says."""

from __future__ import annotations

from tests.docs import rules_page


def test_the_page_is_up_to_date() -> None:
    assert rules_page.PAGE.read_text(encoding="utf-8") == rules_page.page(), "make golden writes it"
