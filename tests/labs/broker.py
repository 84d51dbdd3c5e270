"""A stand-in for a Pact broker, which cannot be had from the package registries: its HAL API, and what it concludes.

It holds contracts, results and deployments of one service, and answers /matrix from them. Paths are read as the broker
reads them: split at each slash, and what is not a resource is not found. That its documents are of the right form, the
real ``pact`` shows, which reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.labs.peers import Answer, Peer, Request

SERVICE = "orders"
ENVIRONMENTS = {"staging": "u1", "production": "u2"}
# Names of the broker's resources that stand where a version does.
RESERVED = "latest"


@dataclass(frozen=True)
class Result:
    """A verification that was published.

    Attributes:
        consumer: whose contract.
        version: the provider's.
        success: whether the provider keeps it.
    """

    consumer: str
    version: str
    success: bool


class Broker(Peer):
    """A broker on loopback; a context manager.

    Args:
        service: its provider.
        contracts: what consumers expect of it, by their name; each is of their version 5.
        there: consumers that run in each environment.
        pending: consumers whose contract the provider never kept: a failure does not count against it.
        deployed: environments in which the service is already, in version 0.
        token: what requests must have, if any.
        decoding: whether a proxy stands before it that decodes paths, as many do.

    Attributes:
        coming: results that are published after the next question.
    """

    def __init__(
        self,
        *,
        service: str = SERVICE,
        contracts: Mapping[str, Mapping[str, Any]] | None = None,
        there: Mapping[str, Sequence[str]] | None = None,
        pending: Sequence[str] = (),
        deployed: Sequence[str] = (),
        token: str = "",
        decoding: bool = False,
    ) -> None:
        super().__init__(self._answer)
        self.service, self.contracts, self.there = service, dict(contracts or {}), dict(there or {})
        self.pending, self.token, self.decoding = pending, token, decoding
        self.running = dict.fromkeys(deployed, "0")
        self.results: list[Result] = []
        self.coming: list[Result] = []
        self.branches: dict[str, str] = {}
        self.published: list[dict[str, Any]] = []

    def _answer(self, request: Request) -> Answer:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return self._document({"error": "unauthorized"}, 401)
        parts = urlsplit(request.path)
        if self.decoding:
            parts = parts._replace(path=unquote(parts.path))
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        sent = json.loads(request.body) if request.body else {}
        match request.method, *path:
            case "GET", "":
                return self._document({"_links": self._links()})
            case "POST", "contracts", "publish":
                self.published.append(sent)
                return self._document({"notices": [{"type": "success", "text": "published"}], "_links": {}})
            case "GET", "pacts", "provider", self.service, "for-verification":
                return self._document({"_links": {"self": {"href": f"{self.url}{parts.path}"}}})
            case "POST", "pacts", "provider", self.service, "for-verification":
                return self._document(self._for_verification())
            case "GET", "pacts", "provider", self.service, "consumer", consumer, "pact-version", _:
                return self._document({**self.contracts[consumer], "_links": self._pact_links(consumer)})
            case "POST", "pacts", "provider", self.service, "consumer", consumer, "pact-version", _, "results":
                self.results.append(Result(consumer, sent["providerApplicationVersion"], sent["success"]))
                return self._document({"_links": {}}, 201)
            case "GET", "pacticipants", self.service:
                return self._document({"name": self.service, "_links": self._pacticipant_links()})
            case "PUT", "pacticipants", self.service, "branches", branch, "versions", version:
                self.branches[version] = branch
                return self._document({"_links": {}})
            case "GET", "pacticipants", self.service, "versions", version if version != RESERVED:
                return self._document({"number": version, "_links": self._version_links(version)})
            case "POST", "pacticipants", self.service, "versions", version, "deployed", name if name in ENVIRONMENTS:
                self.running[name] = version
                return self._document({"uuid": "d1", "currentlyDeployed": True}, 201)
            case "GET", "matrix":
                asked = dict(parse_qsl(parts.query))
                if (name := asked["environment"]) not in ENVIRONMENTS:
                    return self._document({"errors": [f"Environment with name '{name}' not found"]}, 400)
                return self._document(self._matrix(asked))
            case "GET", "environments":
                return self._document({"_embedded": {"environments": self._environments()}})
            case "GET", "environments", uuid, "deployed-versions", "currently-deployed":
                return self._document({"_embedded": {"deployedVersions": self._deployed(uuid)}})
            case "GET", "environments", _, "released-versions", "currently-supported":
                return self._document({"_embedded": {"releasedVersions": []}})
        return self._document({"error": "not found"}, 404)

    def _document(self, content: object, status: int = 200) -> Answer:
        return Answer(status, json.dumps(content).encode(), "application/hal+json")

    def _links(self) -> dict[str, Any]:
        templates = {
            "pb:publish-contracts": "/contracts/publish",
            "pb:environments": "/environments",
            "pb:environment": "/environments/{uuid}",
            "pb:provider-pacts-for-verification": "/pacts/provider/{provider}/for-verification",
            "pb:pacticipant-branch-version": "/pacticipants/{pacticipant}/branches/{branch}/versions/{version}",
            "pb:pacticipant-version": "/pacticipants/{pacticipant}/versions/{version}",
        }
        return {name: {"href": f"{self.url}{path}", "templated": "{" in path} for name, path in templates.items()}

    def _pact(self, consumer: str) -> str:
        return f"{self.url}/pacts/provider/{self.service}/consumer/{consumer}/pact-version/{'5' * 40}"

    def _for_verification(self) -> dict[str, Any]:
        pacts = [
            {
                "shortDescription": "latest from main",
                "verificationProperties": {"pending": consumer in self.pending, "notices": []},
                "_links": {"self": {"href": self._pact(consumer), "name": f"Pact of {consumer}"}},
            }
            for consumer in self.contracts
        ]
        return {"_embedded": {"pacts": pacts}, "_links": {}}

    def _pact_links(self, consumer: str) -> dict[str, Any]:
        return {
            "self": {"href": self._pact(consumer)},
            "pb:publish-verification-results": {"href": f"{self._pact(consumer)}/results"},
            "pb:provider": {"href": f"{self.url}/pacticipants/{self.service}"},
        }

    def _pacticipant_links(self) -> dict[str, Any]:
        return {
            "self": {"href": f"{self.url}/pacticipants/{self.service}"},
            "pb:branch-version": {
                "href": f"{self.url}/pacticipants/{self.service}/branches/{{branch}}/versions/{{version}}",
                "templated": True,
            },
        }

    def _version_links(self, version: str) -> dict[str, Any]:
        links = [
            {
                "href": f"{self.url}/pacticipants/{self.service}/versions/{quote(version, safe='')}/deployed/{name}",
                "name": name,
            }
            for name in ENVIRONMENTS
        ]
        return {"pb:record-deployment": links}

    def _environments(self) -> list[dict[str, Any]]:
        return [
            {"uuid": uuid, "name": name, "displayName": name, "production": name == "production",
             "_links": {"self": {"href": f"{self.url}/environments/{uuid}", "name": name}}}
            for name, uuid in ENVIRONMENTS.items()
        ]  # fmt: skip

    def _deployed(self, uuid: str) -> list[dict[str, Any]]:
        return [
            {"uuid": "d1", "currentlyDeployed": True,
             "_embedded": {"version": {"number": version}, "pacticipant": {"name": self.service}}}
            for name, version in self.running.items() if ENVIRONMENTS[name] == uuid
        ]  # fmt: skip

    def _matrix(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Conclude from the results whether a version fits the consumers that are in an environment."""
        version, environment = asked["q[][version]"], asked["environment"]
        known = {result.consumer: result.success for result in self.results if result.version == version}
        self.results, self.coming = [*self.results, *self.coming], []
        found = {consumer: known.get(consumer) for consumer in self.there.get(environment, ())}
        rows = [
            {
                "consumer": {"name": consumer, "version": {"number": "5"}},
                "provider": {"name": self.service, "version": {"number": version}},
                "verificationResult": None if success is None else {"success": success},
            }
            for consumer, success in found.items()
        ]
        count = {answer: list(found.values()).count(answer) for answer in (True, False, None)}
        return {
            "summary": {
                "deployable": count[True] == len(found),
                "reason": "all fits" if count[True] == len(found) else "it does not fit",
                "success": count[True], "failed": count[False], "unknown": count[None],
            },
            "notices": [],
            "matrix": rows,
        }  # fmt: skip
