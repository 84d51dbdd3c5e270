"""A time-stamp authority on loopback, as Sigstore's is: RFC 3161, answered by OpenSSL."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.labs.errors import LabError, run
from tests.labs.peers import Answer, Peer, Request

_SETTINGS = """
[tsa]
serial = serial
signer_cert = stamps.pem
signer_key = stamps.key
signer_digest = sha256
ess_cert_id_alg = sha256
default_policy = 1.2.3.4
digests = sha256
"""


class Stamps(Peer):
    """The authority; a context manager that serves it.

    Args:
        folder: where its files go.

    Raises:
        LabError: OpenSSL is missing.
    """

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            raise LabError("openssl is missing: install OpenSSL 3, it makes time stamps")
        super().__init__(self._stamp)
        self._folder = folder
        self._one = threading.Lock()
        (folder / "stamps.cnf").write_text(_SETTINGS, encoding="utf-8")
        (folder / "serial").write_text("01\n", encoding="utf-8")
        self.chain = folder / "stamps-chain.pem"
        self._certify()

    def _certify(self) -> None:
        root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer, subject = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("stamps-root", "stamps")
        )
        now = dt.datetime.now(dt.UTC)

        def builder(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(issuer)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(minutes=5))
                .not_valid_after(now + dt.timedelta(hours=12))
            )

        authority = (
            builder(issuer, root.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(root, hashes.SHA256())
        )
        signer = (
            builder(subject, key.public_key())
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(root, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self._folder / "stamps.pem").write_bytes(signer.public_bytes(pem))
        self.chain.write_bytes(signer.public_bytes(pem) + authority.public_bytes(pem))
        plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self._folder / "stamps.key").write_bytes(plain)

    def _stamp(self, request: Request) -> Answer:
        query, reply = self._folder / "query.tsq", self._folder / "reply.tsr"
        with self._one:
            query.write_bytes(request.body)
            run(
                "openssl", "ts", "-reply", "-config", "stamps.cnf", "-section", "tsa",
                "-queryfile", query, "-out", reply,
                failure="cannot make a time stamp", cwd=self._folder, timeout=180,
            )  # fmt: skip
            return Answer(body=reply.read_bytes(), content_type="application/timestamp-reply")
