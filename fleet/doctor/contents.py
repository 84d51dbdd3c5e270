"""Rules on dependencies and on secrets."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fleet.doctor.repository import Repository
from fleet.doctor.rules import ERROR, WARNING, Found, rule

_LOCKS = {
    "package.json": ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"),
    "go.mod": ("go.sum",),
    "pyproject.toml": ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "requirements.txt", "Pipfile.lock"),
}
_NPM = ("dependencies", "devDependencies", "optionalDependencies")
# As make/manifest_rules.py of a service looks for them in manifests.
LOOKS_LIKE = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@\"']+:[^\s/@\"']+@"),
}
_ADDRESS = "a password in an address"
# What documents and tests are full of: places to fill in, and hosts that are nobody's.
_PLACEHOLDER = re.compile(r"[$<{%*]|\.\.\.|://[^@]*@(?:localhost|127\.|[\w.-]*example\b|[\w.-]+\.(?:test|invalid)\b)")
_TESTS = re.compile(r"(?:^|/)(?:tests?|testdata)/|_test\.\w+$|(?:^|/)test_[^/]*$|Tests?\.java$|\.(?:test|spec)\.\w+$")
_VALUE = re.compile(r"^\s*(?:export )?\w*(?:PASS|SECRET|TOKEN|KEY|CREDENTIAL)\w*\s*=\s*[^\s#]", re.MULTILINE)


@rule("GP301", ERROR, "The dependencies are locked.", "the next build may get others", policy="R004")
def locked(repository: Repository) -> Iterator[Found]:
    """A manifest with dependencies and no lock file."""
    for manifest, locks in _LOCKS.items():
        if manifest in repository.tree and _wanted(repository, manifest) and not set(locks) & set(repository.tree):
            yield Found(manifest, 1, f"has dependencies and no lock file ({', '.join(locks[:3])}): make one, commit it")


@rule("GP302", ERROR, "The lock file is of this manifest.", "a build stops, or takes what nobody chose")
def lock_matches(repository: Repository) -> Iterator[Found]:
    """Dependencies that the lock file does not know."""
    for lock, (manifest, known) in _MATCHES.items():
        if lock == "requirements.txt" and _other_python_locks(repository):
            continue  # then it is an export, for something else
        if repository.text(lock) is not None and manifest in repository.tree:
            missing = [name for name in _wanted(repository, manifest).items() if not known(repository, *name)]
            if missing:
                names = ", ".join(name for name, _ in missing[:3]) + (" and more" if len(missing) > 3 else "")
                yield Found(lock, 0, f"does not have what {manifest} wants ({names}): lock again")


@rule("GP303", WARNING, "A lock of Python's has hashes.", "without them a mirror can send another file")
def hashed(repository: Repository) -> Iterator[Found]:
    """Requirements without a hash, in a requirements.txt that is the only lock."""
    text = repository.text("requirements.txt")
    if text is None or _other_python_locks(repository):
        return
    lines = re.sub(r"\\\r?\n", lambda _: " ", text).splitlines()
    bare = [line.split(";")[0].strip() for line in lines if re.match(r"\s*[A-Za-z0-9]", line) and "--hash=" not in line]
    if bare:
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        number = text[: text.find(bare[0])].count("\n") + 1
        yield Found("requirements.txt", number, f"{bare[0]}{more} has no hash: lock with hashes (uv pip compile)")


@rule("GP304", ERROR, "No secret is in the repository.", "whoever reads it has it, and history does not forget")
def no_secrets(repository: Repository) -> Iterator[Found]:
    """What looks like a secret, without the secret itself; and a committed .env."""
    for path, text in repository.texts():
        for what, pattern in LOOKS_LIKE.items():
            if what == _ADDRESS and _TESTS.search(path):
                continue
            found = next((one for one in pattern.finditer(text) if what != _ADDRESS or _real(text, one)), None)
            if found:
                number = text[: found.start()].count("\n") + 1
                yield Found(path, number, f"has what looks like {what}: revoke it, and keep it in a store of secrets")
    for path in repository.own(".env", ".env.local", ".env.production"):
        if _VALUE.search(repository.text(path) or ""):
            yield Found(path, 0, "is committed, with values of secrets: remove it, revoke them, and ignore the file")


def _other_python_locks(repository: Repository) -> set[str]:
    return (set(_LOCKS["pyproject.toml"]) - {"requirements.txt"}) & set(repository.tree)


def _real(text: str, found: re.Match[str]) -> bool:
    return not _PLACEHOLDER.search(text[found.start() : found.end() + 40].split()[0])


def _wanted(repository: Repository, manifest: str) -> Mapping[str, str]:
    """What a manifest wants, the wanted version by name; empty where it cannot be read."""
    text = repository.text(manifest) or ""
    try:
        if manifest == "package.json":
            data = json.loads(text)
            return {name: str(spec) for part in _NPM for name, spec in (data.get(part) or {}).items()}
        if manifest == "pyproject.toml":
            return _python(tomllib.loads(text))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}
    replaced = set(re.findall(r"^(?:replace\s+|\s+)(\S+)(?:\s+v\S+)?\s+=>", text, re.MULTILINE))
    found = re.findall(r"^(?:require\s+|\s+)([\w.~-]+(?:/[\w.~-]+)*)\s+(v\S+)", text, re.MULTILINE)
    excluded = set(re.findall(r"^exclude\s+(\S+)\s", text, re.MULTILINE))
    return {name: version for name, version in found if name not in replaced | excluded}


def _python(data: Mapping[str, Any]) -> dict[str, str]:
    wanted = {}
    for requirement in data.get("project", {}).get("dependencies", ()):
        if name := re.match(r"[A-Za-z0-9][\w.-]*", requirement):
            wanted[_normal(name[0])] = requirement
    for name, spec in data.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name != "python":
            wanted[_normal(name)] = str(spec)
    return wanted


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower().rstrip("-")


def _in_go_sum(repository: Repository, name: str, version: str) -> bool:
    return (
        re.search(rf"^{re.escape(f'{name} {version}')}(?:/go\.mod)? ", repository.text("go.sum") or "", re.M)
        is not None
    )


def _in_npm_lock(repository: Repository, name: str, version: str) -> bool:
    lock = repository.mapping("package-lock.json")
    return any(_at(lock, "packages", "", part, name) == version for part in _NPM)


def _in_pnpm_lock(repository: Repository, name: str, version: str) -> bool:
    lock = next((one for one in reversed(repository.documents("pnpm-lock.yaml")) if isinstance(one, dict)), {})
    root = _at(lock, "importers", ".") or lock
    found = next(filter(None, (_at(root, part, name) for part in _NPM)), None)
    catalog = version.startswith(("catalog:", "workspace:"))
    return found is not None and (catalog or not isinstance(found, dict) or found.get("specifier") == version)


def _at(data: Any, *keys: str) -> Any:
    """The value at a place of a document; None where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _in_yarn_lock(repository: Repository, name: str, version: str) -> bool:
    text = repository.text("yarn.lock") or ""
    return any(f"{name}@{form}{version}" in text for form in ("", "npm:"))


def _in_packages(lock: str) -> Callable[[Repository, str, str], bool]:
    def known(repository: Repository, name: str, _: str) -> bool:
        names = re.findall(r'^name = "(.+?)"$', repository.text(lock) or "", re.MULTILINE)
        return name in map(_normal, names)

    return known


def _in_requirements(repository: Repository, name: str, _: str) -> bool:
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)", repository.text("requirements.txt") or "", re.MULTILINE)
    return name in map(_normal, names)


_MATCHES = {
    "go.sum": ("go.mod", _in_go_sum),
    "package-lock.json": ("package.json", _in_npm_lock),
    "pnpm-lock.yaml": ("package.json", _in_pnpm_lock),
    "yarn.lock": ("package.json", _in_yarn_lock),
    "uv.lock": ("pyproject.toml", _in_packages("uv.lock")),
    "poetry.lock": ("pyproject.toml", _in_packages("poetry.lock")),
    "requirements.txt": ("pyproject.toml", _in_requirements),
}
