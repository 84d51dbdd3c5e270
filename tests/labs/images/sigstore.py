"""A Sigstore of the tests' own, as far as a verifier looks at one: a TUF repository on loopback with a trusted root."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from tests.labs.peers import Answer, Peer, Request

_TARGET = "trusted_root.json"


class Sigstore(Peer):
    """The repository; a context manager that serves it.

    Args:
        trusted_root: whom to trust, as ``cosign trusted-root create`` writes it.
    """

    def __init__(self, trusted_root: bytes) -> None:
        super().__init__(self._get)
        signer = CryptoSigner.generate_ed25519()
        expires = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=12)
        target = TargetFile.from_data(_TARGET, trusted_root, ["sha256"])
        root = Root(expires=expires, consistent_snapshot=True)
        for role in root.roles:
            root.add_key(signer.public_key, role)

        def signed(what: Root | Snapshot | Targets | Timestamp) -> bytes:
            metadata: Metadata[Any] = Metadata(what)
            metadata.sign(signer)
            return metadata.to_bytes()

        self._root = signed(root)
        self._files = {
            "1.root.json": self._root,
            "timestamp.json": signed(Timestamp(expires=expires, snapshot_meta=MetaFile(1))),
            "1.snapshot.json": signed(Snapshot(expires=expires, meta={"targets.json": MetaFile(1)})),
            "1.targets.json": signed(Targets(expires=expires, targets={_TARGET: target})),
            f"targets/{target.hashes['sha256']}.{_TARGET}": trusted_root,
        }

    def _get(self, request: Request) -> Answer:
        body = self._files.get(request.path.lstrip("/"))
        return Answer(404) if body is None else Answer(body=body)

    @property
    def tuf(self) -> dict[str, object]:
        """What a policy of Kyverno's says to trust it."""
        return {"mirror": self.url, "root": {"data": base64.b64encode(self._root).decode()}}
