"""A stand-in for the part of GitHub that Argo CD asks for pull requests, as a GitHub App."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.labs.peers import Answer, Peer, Request

_TOKEN = "ghs_of-the-installation"


class GitHub(Peer):
    """A server on loopback; a context manager.

    Attributes:
        labels: of each open pull request, by its number.
    """

    def __init__(self, repository: str) -> None:
        """Choose the repository, ``owner/name``."""
        super().__init__(self._answer)
        self.labels: dict[int, list[str]] = {}
        self._repository = repository

    def _answer(self, request: Request) -> Answer:
        path = request.path.partition("?")[0].removeprefix("/api/v3")
        if (request.method, path) == ("POST", "/app/installations/2/access_tokens"):
            return Answer(201, _json({"token": _TOKEN, "expires_at": "2099-01-01T00:00:00Z"}))
        if (request.method, path) != ("GET", f"/repos/{self._repository}/pulls"):
            return Answer(404, _json({"message": "Not Found"}))
        if request.headers.get("authorization") != f"token {_TOKEN}":
            return Answer(401, _json({"message": "Bad credentials"}))
        return Answer(body=_json([self._pull(number) for number in sorted(self.labels)]))

    def _pull(self, number: int) -> dict[str, Any]:
        return {
            "number": number,
            "title": "A change",
            "head": {"ref": "topic", "sha": "1" * 40},
            "base": {"ref": "main"},
            "labels": [{"name": name} for name in self.labels[number]],
            "user": {"login": "somebody"},
        }

    def app(self) -> dict[str, Any]:
        """Return the Secret ``github-app`` of an App of this server."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        content: Mapping[str, str] = {
            "type": "git",
            "url": f"https://github.com/{self._repository.partition('/')[0]}",
            "githubAppID": "1",
            "githubAppInstallationID": "2",
            "githubAppEnterpriseBaseUrl": self.url,
            "githubAppPrivateKey": key.decode(),
        }
        labels = {"argocd.argoproj.io/secret-type": "repo-creds"}
        metadata = {"name": "github-app", "labels": labels}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(content)}


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
