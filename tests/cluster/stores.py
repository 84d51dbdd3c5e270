"""Stand-ins for what the External Secrets Operator reads: each lets one account of the cluster read one entry."""

from __future__ import annotations

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from urllib.parse import parse_qs

from tests.labs.cluster import Lab
from tests.labs.peers import Answer, Peer, Request


class Store(Peer, ABC):
    """A server on loopback; a context manager.

    Attributes:
        entries: what is in it, by name.
        granted: what an account that asks as a role may read: by role, the account and the entry.
        env: what the operator is started with to find it.
    """

    env: Mapping[str, str] = {}

    def __init__(self, lab: Lab) -> None:
        """Have nothing and let nobody in.

        Args:
            lab: the cluster whose API server says whose a token is.
        """
        super().__init__(self._answer)
        self.entries: dict[str, dict[str, str]] = {}
        self.granted: dict[str, tuple[str, str]] = {}
        self._lab = lab
        self._readable: dict[str, str] = {}

    @abstractmethod
    def role(self, name: str, environment: str) -> str:
        """Return the role that the template writes for an environment of a service."""

    @abstractmethod
    def reached(self, text: str) -> str:
        """Return a ``secretstore.yaml`` of the template, made this store's, as its people do."""

    @abstractmethod
    def _answer(self, request: Request) -> Answer:
        """Return what it says."""

    def grant(self, name: str, environment: str, namespace: str) -> None:
        """Let the account of a service in a namespace read the entry of an environment."""
        account = f"system:serviceaccount:{namespace}:{name}-secrets"
        self.granted[self.role(name, environment)] = (account, f"{name}/{environment}")

    def _enter(self, role: str, token: str, *audiences: str) -> str:
        """Return a ticket for the entry that an account may read as a role; nothing if it may not."""
        spec = {"token": token, "audiences": list(audiences)}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        said = json.loads(self._lab.kubectl("create", "--output=json", "--filename", "-", input=json.dumps(review)))
        account, entry = self.granted.get(role, ("", ""))
        if not account or said["status"].get("user", {}).get("username") != account:
            return ""
        ticket = uuid.uuid4().hex
        self._readable[ticket] = entry
        return ticket


class Vault(Store):
    """The KV engine at ``secret`` of a Vault, and its auth method at ``kubernetes``."""

    def role(self, name: str, environment: str) -> str:
        return f"{name}-{environment}"

    def reached(self, text: str) -> str:
        return text.replace("https://vault.vault:8200", self.url)

    def _answer(self, request: Request) -> Answer:
        path = request.path.partition("?")[0].removeprefix("/v1/")
        if path == "auth/kubernetes/login":
            asked = json.loads(request.body)
            if ticket := self._enter(asked["role"], asked["jwt"]):
                return _json({"auth": {"client_token": ticket, "lease_duration": 3600, "renewable": True}})
            return _json({"errors": ["service account name not authorized"]}, 403)
        token = request.headers.get("x-vault-token", "")
        if token not in self._readable:
            return _json({"errors": ["permission denied"]}, 403)
        if path == "auth/token/lookup-self":
            return _json({"data": {"id": token, "type": "service", "ttl": 3600, "expire_time": "2099-01-01T00:00:00Z"}})
        if path == "auth/token/revoke-self":
            del self._readable[token]
            return Answer(204, b"")
        entry = path.removeprefix("secret/data/")
        if entry != self._readable[token]:
            return _json({"errors": ["1 error occurred:\n\t* permission denied\n\n"]}, 403)
        if entry not in self.entries:
            return _json({"errors": []}, 404)
        return _json({"data": {"data": self.entries[entry], "metadata": {"version": 1, "destroyed": False}}})


_ASSUMED = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{ticket}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>
<SessionToken>x</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
_DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>
</ErrorResponse>"""


class Aws(Store):
    """The Secrets Manager of AWS, and its STS, which lets accounts of the cluster take roles (IRSA)."""

    @property
    def env(self) -> Mapping[str, str]:  # type: ignore[override] # each has its own address
        return {f"AWS_{name}_ENDPOINT": self.url for name in ("STS", "SECRETSMANAGER")}

    def role(self, name: str, environment: str) -> str:
        return f"arn:aws:iam::000000000000:role/{name}-{environment}-secrets"

    def reached(self, text: str) -> str:
        return text

    def _answer(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        if not target:
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            assert form["Action"] == "AssumeRoleWithWebIdentity", form
            ticket = self._enter(form["RoleArn"], form["WebIdentityToken"], "sts.amazonaws.com")
            text, code = (_ASSUMED.format(ticket=ticket), 200) if ticket else (_DENIED, 403)
            return Answer(code, text.encode(), content_type="text/xml")
        assert target == "secretsmanager.GetSecretValue", target
        entry = json.loads(request.body)["SecretId"]
        ticket = request.headers["authorization"].partition("Credential=")[2].partition("/")[0]
        if entry != self._readable.get(ticket):
            return _json({"__type": "AccessDeniedException", "Message": "not authorized"}, 400)
        if entry not in self.entries:
            said = "Secrets Manager can't find the specified secret."
            return _json({"__type": "ResourceNotFoundException", "Message": said}, 400)
        return _json({"Name": entry, "VersionId": "1", "SecretString": json.dumps(self.entries[entry])})


def _json(content: object, code: int = 200) -> Answer:
    return Answer(code, json.dumps(content).encode())
