"""A stand-in for a Pact broker, which cannot be had from the package registries: answers in the form of its HAL API."""

from __future__ import annotations

import json

from tests.labs.peers import Answer, Peer, Request

SERVICE = "orders"


class Broker(Peer):
    """The part of a Pact broker that the verbs use.

    Args:
        deployable: what it says of every version.
        failed: how many verifications failed.
        deployed: whether the service is in the environment already.
    """

    def __init__(self, *, deployable: bool = False, failed: int = 0, deployed: bool = False) -> None:
        super().__init__(self._answer)
        self.deployable, self.failed, self.deployed = deployable, failed, deployed

    def _answer(self, request: Request) -> Answer:
        path = request.path.split("?")[0]
        staging = {"uuid": "u1", "name": "staging", "displayName": "Staging", "production": False}
        embedded = {"version": {"number": "0"}, "pacticipant": {"name": SERVICE}}
        deployed = {"uuid": "d1", "currentlyDeployed": True, "_embedded": embedded}
        documents: dict[tuple[str, str], object] = {
            ("GET", "/"): {"_links": self._links()},
            ("POST", "/contracts/publish"): {"notices": [{"type": "success", "text": "published"}], "_links": {}},
            ("GET", "/matrix"): {
                "summary": {
                    "deployable": self.deployable,
                    "reason": "all fits" if self.deployable else "it does not fit",
                    "success": 0,
                    "failed": self.failed,
                    "unknown": 0,
                },
                "notices": [],
                "matrix": [],
            },
            ("GET", "/environments"): {"_embedded": {"environments": [staging]}},
            ("GET", "/environments/u1/deployed-versions/currently-deployed"): {
                "_embedded": {"deployedVersions": [deployed] if self.deployed else []}
            },
            ("GET", "/environments/u1/released-versions/currently-supported"): {"_embedded": {"releasedVersions": []}},
        }
        document = documents.get((request.method, path))
        if document is None:
            return Answer(404, b'{"error": "not found"}', "application/hal+json")
        return Answer(body=json.dumps(document).encode(), content_type="application/hal+json")

    def _links(self) -> dict[str, object]:
        return {
            "pb:publish-contracts": {"href": f"{self.url}/contracts/publish"},
            "pb:environments": {"href": f"{self.url}/environments"},
            "pb:environment": {"href": f"{self.url}/environments/{{uuid}}", "templated": True},
        }
