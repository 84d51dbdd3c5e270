"""What is wrong with rendered manifests that no schema tells: read as Kustomize writes them, two spaces a level."""

import re
from collections.abc import Iterator

# What is called like a secret; what says where one is (TOKEN_FILE, TOKEN_URL) is not.
NAME = r"[A-Z0-9_.-]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)"
VALUE = r"(?!(?:\"\"|'')$)\S.*"
ENV = re.compile(rf"^ +- name: ({NAME})\n +value: {VALUE}$", re.MULTILINE | re.IGNORECASE)
CONFIG = re.compile(rf"^  ({NAME}): {VALUE}$", re.MULTILINE | re.IGNORECASE)
LOOKS_LIKE = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "an AWS secret key": re.compile(
        r"(?i:aws_?)?(?i:secret_?(?:access_?)?key)\b[\"']?\s*[:=]\s*[\"']?[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])"
    ),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})"),
    "a GitLab token": re.compile(r"\bgl(?:pat|dt|rt|ft)-[\w-]{20,}"),
    "a Slack token": re.compile(r"\b(?:xox[abeoprs]-[0-9A-Za-z]{6,}|xapp-\d-[0-9A-Z]+)-[0-9A-Za-z-]{10,}"),
    "a Slack address to post to": re.compile(r"https://hooks\.slack\.com/services/T\w+/B\w+/[0-9A-Za-z]{20,}"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@\"']+:[^\s/@\"']+@"),
}


def problems(manifests: str) -> Iterator[str]:
    """One line each."""
    documents = [text for text in re.split(r"^---\n", manifests, flags=re.MULTILINE) if text.strip()]
    stores = {named(text, "metadata") for text in documents if kind(text) == "SecretStore"}
    written = {
        named(text, "  target") or named(text, "metadata") for text in documents if kind(text) == "ExternalSecret"
    }
    for text in documents:
        what = f"{kind(text)} {named(text, 'metadata')}"
        if kind(text) == "Rollout":
            # What a strategic merge patch leaves.
            for needed in ("image", "resources"):
                if not re.search(rf"^ +(- )?{needed}:", text, re.MULTILINE):
                    yield f"the Rollout has no {needed}: patch it with JSON 6902 (op, path, value) only"
            for name in references(text, "secretRef|secretKeyRef"):
                if name not in written:
                    yield f"{what} reads the Secret {name}, which no ExternalSecret of the overlay writes"
        if kind(text) == "ExternalSecret":
            for name in references(text, "secretStoreRef|storeRef"):
                if name not in stores:
                    there = ", ".join(sorted(stores)) or "none"
                    yield f"{what} names the SecretStore {name}, which the overlay lacks; it has {there}"
        for secret in secrets(text):
            yield f"{what} holds {secret}: keep it in the environment's store, for an ExternalSecret to read"


def secrets(text: str) -> Iterator[str]:
    """What looks like a secret, without the secret itself."""
    if kind(text) == "Secret" and re.search(r"^(?:data|stringData):(?! \{\}$)", text, re.MULTILINE):
        yield "data"
    found = CONFIG.findall(text) if kind(text) == "ConfigMap" else ENV.findall(text)
    yield from (f"a value for {name}" for name in found)
    yield from (f"what looks like {what}" for what, pattern in LOOKS_LIKE.items() if pattern.search(text))


def kind(text: str) -> str:
    found = re.search(r"^kind: (\S+)$", text, re.MULTILINE)
    return found[1] if found else ""


def named(text: str, field: str) -> str:
    """The name that stands in a field, as a key of its own."""
    indent = " " * (len(field) - len(field.lstrip()) + 2)
    found = re.search(rf"^{field}:\n(?:{indent}.*\n)*?{indent}name: (\S+)$", text, re.MULTILINE)
    return found[1] if found else ""


def references(text: str, fields: str) -> list[str]:
    """The names in such fields, but for what belongs to the whole cluster, and what may be missing."""
    found = []
    for block in re.finditer(rf"^( *)((?:- )?)(?:{fields}):\n((?:\1 +\S.*\n?)+)", text, re.MULTILINE):
        inner = block[1] + "  " * (2 if block[2] else 1)
        # Up to the next field beside it.
        beside = re.match(rf"(?:{inner}.*\n?)*", block[3])
        lines = beside[0].splitlines() if beside else []
        values = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
        if values.get("kind") != "ClusterSecretStore" and values.get("optional") != "true" and "name" in values:
            found.append(values["name"])
    return found
