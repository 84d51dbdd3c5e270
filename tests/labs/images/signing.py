"""Keys, a certificate authority of the test's own, and cosign set up to work without the public Sigstore."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.labs.images.stamps import Stamps

# What Fulcio writes into its certificates: github.com/sigstore/fulcio, docs/oid-info.md.
ISSUER_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
SHA_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.57264.1.3")
REPOSITORY_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.57264.1.5")
REF_EXTENSION = ObjectIdentifier("1.3.6.1.4.1.57264.1.6")
ISSUER = "https://token.actions.githubusercontent.com"

_SIGNS = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
    False,
)


class Authority:
    """A certificate authority that makes certificates as Fulcio does, and cosign's settings to trust it.

    Args:
        folder: where its files go.
        env: the environment in which ``cosign`` is found.
        stamps: who stamps the time of each signature; nobody by default. With it, signatures are as keyless ones of the
            public Sigstore: the certificate of the signer comes alone, and Kyverno reads no others.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], stamps: Stamps | None = None) -> None:
        self.folder = folder
        self.env = {**env, "COSIGN_PASSWORD": ""}
        self._stamped = stamps is not None
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = dt.datetime.now(dt.UTC)
        self._identities = 0
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        self._certificate = (
            self._builder(name, name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **_SIGNS), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        (folder / "ca.pem").write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self._since = f"start-time={self._now - dt.timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
        signs, self._trusts = [], ["--fulcio", "url=https://ca.test,certificate-chain=ca.pem"]
        if stamps:
            signs = ["--tsa", f"url={stamps.url},api-version=1,{self._since},operator=test", "--tsa-config", "ANY"]
            self._trusts += ["--tsa", f"url={stamps.url},certificate-chain={stamps.chain}"]
        self._cosign("signing-config", "create", *signs, "--out", "signing.json")
        self._cosign("trusted-root", "create", *self._trusts, "--out", "root.json")

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - dt.timedelta(minutes=5))
            .not_valid_after(self._now + dt.timedelta(hours=12))
        )

    def _cosign(self, *arguments: str) -> None:
        subprocess.run(["cosign", *arguments], cwd=self.folder, env=self.env, capture_output=True, check=True)

    def key_pair(self, name: str) -> tuple[Path, Path]:
        """Make a key pair; return the files of the private and of the public key."""
        self._cosign("generate-key-pair", "--output-key-prefix", name)
        return self.folder / f"{name}.key", self.folder / f"{name}.pub"

    def identity(
        self, workflow: str, *, repository: str = "", ref: str = "", sha: str = "", issuer: str = ISSUER
    ) -> dict[str, str]:
        """Return the variables with which ``make sign`` signs as this workflow would.

        Args:
            workflow: the identity in the certificate, ``https://github.com/OWNER/NAME/PATH@REF``.
            repository: for which one it ran, ``OWNER/NAME``; not in the certificate where it is empty.
            ref: for which branch or tag of it.
            sha: at which commit of it.
            issuer: who said that it is this workflow.
        """
        self._identities += 1
        name = f"identity-{self._identities}"
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self._builder(x509.Name([]), self._certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(workflow)]), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **_SIGNS), critical=True
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.UnrecognizedExtension(ISSUER_EXTENSION, issuer.encode()), critical=False)
        )
        extensions = {SHA_EXTENSION: sha, REPOSITORY_EXTENSION: repository, REF_EXTENSION: ref}
        for extension, value in extensions.items():
            if value:
                builder = builder.add_extension(x509.UnrecognizedExtension(extension, value.encode()), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pem = self.folder / f"{name}.pem"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = self.folder / f"{name}.plain"
        form = serialization.PrivateFormat.PKCS8
        plain.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        self._cosign("import-key-pair", "--key", plain.name, "--output-key-prefix", name)
        flags = f"{self.sign_flags} --certificate {pem}"
        if not self._stamped:
            flags += f" --certificate-chain {self.folder / 'ca.pem'}"
        return {"COSIGN_KEY": str(self.folder / f"{name}.key"), "COSIGN_PASSWORD": "", "COSIGN_FLAGS": flags}

    def trusted_root(self) -> bytes:
        """Return a trusted root for verifiers that ask for logs: it has the keys of two that nothing was written to."""
        for log in ("rekor", "ctfe"):
            public = ec.generate_private_key(ec.SECP256R1()).public_key()
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            (self.folder / f"{log}.pub").write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
        logs = [
            part
            for log in ("rekor", "ctfe")
            for part in (f"--{log}", f"url=https://{log}.test,public-key={log}.pub,{self._since}")
        ]
        self._cosign("trusted-root", "create", *self._trusts, *logs, "--out", "root-with-logs.json")
        return (self.folder / "root-with-logs.json").read_bytes()

    @property
    def sign_flags(self) -> str:
        """Flags for signing without a transparency log, and without a time stamp where nobody stamps."""
        return f"--signing-config {self.folder / 'signing.json'}"

    @property
    def verify_flags(self) -> str:
        """Flags for verifying what this authority's certificates signed, without a transparency log."""
        return (
            f"--trusted-root {self.folder / 'root.json'} --allow-certificate-chain "
            "--insecure-ignore-tlog=true --insecure-ignore-sct=true"
        )
