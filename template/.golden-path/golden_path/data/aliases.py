"""Aliases in an MLflow registry that say what git says: the champion is the model that staging runs, and the challenger
the one that the open pull request offers it.

usage: aliases NAME      of the registered model. MLFLOW_URL is the server, MLFLOW_TOKEN a bearer token,
                         MLFLOW_TIMEOUT the seconds of an attempt; GH_TOKEN may read pull requests

Whatever happened before, it makes the aliases what they must be: after a merge, a revert, a pull request that was
opened or closed. A model is registered by its digest, once; the registry of images keeps its bytes. Exit code 1: it
could not.
"""

import json
import os
import re
import sys
from typing import Any, NamedTuple
from urllib.parse import urlencode

from golden_path.service.automation import git, run
from golden_path.service.errors import NoAnswerError, RefusedError, WrongInputError
from golden_path.service.promote import LINE, MODEL, NAME, NOTHING, read, shown
from golden_path.service.web import receiver, send

BRANCH = "release/staging-model"
ENVIRONMENT = "staging"
LARGEST = 2**20


class Model(NamedTuple):
    """A model in the registry of images: its reference by digest, and its version."""

    reference: str
    version: str


def main(name: str) -> int:
    """Make the aliases what they must be; returns the exit code."""
    try:
        if not re.fullmatch("[a-z0-9-]+", name):
            raise WrongInputError(f"the name of a model has letters, digits and hyphens, not {name!r}")
        registry = Registry(name)
        if not registry.there:
            how = "gh variable set MLFLOW_TRACKING_URI --body https://..."
            sys.stdout.write(f"  skip  aliases: MLFLOW_URL is not set ({how})\n")
            return 0
        champion = running()
        challenger = offered(champion)
        for alias, model in (("champion", champion), ("challenger", challenger)):
            sys.stdout.write(f"  ok    {alias}: {registry.point(alias, model)}\n")
    except (RefusedError, NoAnswerError, WrongInputError) as reason:
        sys.stderr.write(f"  FAIL  aliases: {reason}\n")
        return 1
    return 0


def running() -> Model | None:
    """The model that staging runs; None where that is the one of its image."""
    _, _, line = read(ENVIRONMENT, MODEL)
    reference = shown(ENVIRONMENT, MODEL)
    return Model(reference, line["version"] or "") if reference else None


def offered(champion: Model | None) -> Model | None:
    """The model that an open pull request offers; None if there is none."""
    asked = run("gh", "pr", "list", "--head", BRANCH, "--state", "open", "--json", "number")
    if not json.loads(asked or "[]") or not git("ls-remote", "origin", f"refs/heads/{BRANCH}"):
        return None
    git("fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{BRANCH}")
    file, text, _ = read(ENVIRONMENT, MODEL)
    found = LINE.search(git("show", f"FETCH_HEAD:{file}"))
    if found is None or found["digest"] == NOTHING:
        return None
    model = Model(f"{NAME.findall(text)[-1]}@{found['digest']}", found["version"] or "")
    return None if champion and champion.reference == model.reference else model


class Registry:
    """A registered model of an MLflow server.

    Args:
        name: of the model.

    Raises:
        WrongInputError: MLFLOW_URL, MLFLOW_TOKEN or MLFLOW_TIMEOUT is wrong.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._url, self._headers, self._seconds = receiver("MLFLOW")
        self.there = bool(self._url)

    def point(self, alias: str, model: Model | None) -> str:
        """Give a model an alias, or nobody; returns what it stands for now.

        Args:
            alias: its name.
            model: that has it from now on, and no other.

        Raises:
            NoAnswerError: the server does not do it.
        """
        self._create()
        if model is None:
            self._ask("DELETE", "registered-models/alias", {"name": self._name, "alias": alias})
            return "no model"
        number = self._number(model)
        self._ask("POST", "registered-models/alias", {"name": self._name, "alias": alias, "version": number})
        return f"version {number}, {model.reference}"

    def _create(self) -> None:
        try:
            self._ask("POST", "registered-models/create", {"name": self._name})
        except NoAnswerError as error:
            if "RESOURCE_ALREADY_EXISTS" not in str(error):
                raise

    def _number(self, model: Model) -> str:
        """The version of a model in the registry, made if it is not there."""
        digest = model.reference.partition("@")[2]
        wanted = urlencode({"filter": f"name='{self._name}' and tags.digest='{digest}'"})
        found = self._ask("GET", f"model-versions/search?{wanted}").get("model_versions", [])
        # Two, if an answer was lost on the way: the first stays it.
        if numbers := sorted(int(one["version"]) for one in found):
            return str(numbers[0])
        tags = {"digest": digest, "version": model.version, "repository": os.environ.get("GITHUB_REPOSITORY", "")}
        made = self._ask("POST", "model-versions/create", {
            "name": self._name,
            "source": f"oci://{model.reference}",
            "tags": [{"key": key, "value": value} for key, value in tags.items() if value],
        })  # fmt: skip
        return str(made["model_version"]["version"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._headers}
        url = f"{self._url.rstrip('/')}/api/2.0/mlflow/{path}"
        answer = send(url, headers, content, self._seconds, limit=LARGEST, method=method)
        try:
            found = json.loads(answer or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoAnswerError(f"{path.partition('?')[0]} answers what no MLflow does: is MLFLOW_URL right?")
        return found
