"""Services to test: written, committed and built once a session and language."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.service import make

UPSTREAM = "inventory"


class Built:
    """A service of one language in a folder of its own, checked and built.

    Attributes:
        language: its language.
        folder: where it is.
        check: how ``make check`` ended, in a folder where nothing had run before.
    """

    def __init__(self, language: str, folder: Path, check: subprocess.CompletedProcess[str]) -> None:
        self.language = language
        self.folder = folder
        self.check = check


@pytest.fixture(scope="session")
def build(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Write the service of a language and run ``make check`` in it, once a session."""
    done: dict[str, Built] = {}

    def once(language: str) -> Built:
        if language not in done:
            folder = tmp_path_factory.mktemp("services") / f"{language}-orders"
            answers = {"language": language, "service_name": f"{language}-orders", "upstream": UPSTREAM}
            lab.render(template, folder, answers)
            lab.commit_all(folder)
            lab.git(folder, "tag", "v1.2.3")
            done[language] = Built(language, folder, make(folder, language, "check", env={"CI": "true"}))
        return done[language]

    return once


@pytest.fixture(scope="session")
def checked(language: str, build: Callable[[str], Built]) -> Built:
    """The service, with ``make check`` run; whether it succeeded is for the test of that to say."""
    return build(language)


@pytest.fixture(scope="session")
def built(checked: Built) -> Built:
    """The service, built; every test of its behaviour is an error where it does not build."""
    if checked.check.returncode != 0:
        pytest.fail(f"make check failed, so there is no service to test:\n{checked.check.stdout[-3000:]}")
    return checked
