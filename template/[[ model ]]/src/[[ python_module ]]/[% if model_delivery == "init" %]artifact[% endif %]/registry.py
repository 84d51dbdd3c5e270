"""A container registry, as much of it as it takes to read what has a digest (the OCI distribution specification).

It is not trusted: what it sends counts only with the digest and within the limit that was asked for. Nor is what it
redirects to, which is never sent credentials.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

_NAME = r"(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_REFERENCE = re.compile(rf"{_NAME}@(?P<digest>sha256:[0-9a-f]{{64}})")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_ACCEPTED = "application/vnd.oci.image.manifest.v1+json"
_ATTEMPTS = 3
# Another attempt may succeed after these.
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_SILENCE = 10.0  # seconds in which it sends nothing
_ANSWER = 64 * 1024  # the most that an answer with a token may have


class RegistryError(Exception):
    """It cannot be read, or is not what was asked for; the text says why, in one line."""


class _BusyError(RegistryError):
    """It may be read a little later."""


class Reference(NamedTuple):
    host: str
    repository: str
    digest: str

    @property
    def address(self) -> str:
        """Where the repository is; without TLS on loopback only."""
        scheme = "http" if self.host.partition(":")[0] in _LOOPBACK else "https"
        return f"{scheme}://{self.host}/v2/{self.repository}"


def reference_of(text: str) -> Reference:
    """Return the parts of HOST/REPOSITORY@sha256:...; raises RegistryError for anything else, as a tag."""
    if not (found := _REFERENCE.fullmatch(text)):
        raise RegistryError("must be HOST/REPOSITORY@sha256:... with 64 hex digits; a tag can be moved")
    return Reference(**found.groupdict())


def credentials_of(folder: Path, reference: Reference) -> str:
    """Return who pulls, as the header Authorization has it; empty where nobody is known for this repository.

    Args:
        folder: has a config.json as that of Docker, such as the one of a Secret kubernetes.io/dockerconfigjson.
        reference: what is pulled. The entry with the longest path before it counts.

    Raises:
        RegistryError: the file is there and cannot be read.
    """
    try:
        entries = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("auths", {}).items()
        known = {re.sub("^https?://", "", name).rstrip("/"): entry for name, entry in entries}
        name = f"{reference.host}/{reference.repository}/"
        if not (matching := [one for one in known if name.startswith(f"{one}/")]):
            return ""
        entry = known[max(matching, key=len)]
        pair = entry.get("auth") or base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode()
        base64.b64decode(pair, validate=True)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RegistryError(f"the credentials in {folder} must be those of a Secret dockerconfigjson") from None
    return f"Basic {pair}"


def _wait(seconds: int) -> None:
    time.sleep(seconds)


class Registry:
    """The registry of one repository.

    Args:
        reference: what is read from it.
        credentials: a header Authorization, or nothing.
        seconds: in which all must be read.
    """

    def __init__(self, reference: Reference, credentials: str, seconds: float) -> None:
        self._reference = reference
        self._credentials = credentials
        self._authorization = ""
        self._ends = time.monotonic() + seconds
        self._seconds = seconds
        self._client = httpx.Client(timeout=_SILENCE, follow_redirects=True, max_redirects=5)

    def manifest(self, limit: int) -> dict[str, Any]:
        """Return the manifest that the reference names; raises RegistryError."""
        digest = self._reference.digest
        content = self._retried(lambda: b"".join(self._stream("manifests", digest, limit)))
        _check(hashlib.sha256(content), digest, "manifest")
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RegistryError("the manifest is no JSON object")
        return found

    def blob(self, digest: str, size: int, target: Path) -> None:
        """Write a blob into a file, which is there afterwards only if it has this digest; raises RegistryError."""
        part = target.with_name(f".{target.name}.part")
        try:
            self._retried(lambda: self._download(digest, size, part))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def _download(self, digest: str, size: int, part: Path) -> None:
        summed = hashlib.sha256()
        with part.open("wb") as file:
            for chunk in self._stream("blobs", digest, size):
                summed.update(chunk)
                file.write(chunk)
        _check(summed, digest, "layer")

    def _retried[Result](self, read: Callable[[], Result]) -> Result:
        for attempt in range(1, _ATTEMPTS):
            try:
                return read()
            except _BusyError:
                _wait(attempt)
        return read()

    def _stream(self, kind: str, digest: str, limit: int) -> Iterator[bytes]:
        """The body of an answer, piece by piece, and no more than the limit."""
        address, left = f"{self._reference.address}/{kind}/{digest}", limit
        try:
            with self._opened(address) as answer:
                for chunk in answer.iter_raw():
                    left -= len(chunk)
                    if left < 0:
                        raise RegistryError(f"{digest} has more than {limit} bytes")
                    self._in_time()
                    yield chunk
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _BusyError(f"{self._reference.host} cannot be reached: {_reason(error)}") from None

    def _opened(self, address: str) -> AbstractContextManager[httpx.Response]:
        """The answer to a request; with who pulls, where it asks for that."""
        self._in_time()
        answer = self._get(address, self._authorization)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer.close()
            self._authorization = self._asked(answer.headers.get("WWW-Authenticate", ""))
            answer = self._get(address, self._authorization)
        if answer.status_code != httpx.codes.OK:
            answer.close()
            failed = _BusyError if answer.status_code in _BUSY else RegistryError
            raise failed(f"{self._reference.host} answers {answer.status_code}{_HINTS.get(answer.status_code, '')}")
        return closing(answer)

    def _get(self, address: str, authorization: str, **more: Any) -> httpx.Response:
        # As it is: what is compressed on the way has another digest.
        headers = {"Accept": f"{_ACCEPTED}, */*", "Accept-Encoding": "identity"}
        headers |= {"Authorization": authorization} if authorization else {}
        return self._client.send(self._client.build_request("GET", address, headers=headers, **more), stream=True)

    def _asked(self, challenge: str) -> str:
        """What the registry wants to see in the header Authorization."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self._credentials
        told = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = urlsplit(told.get("realm", ""))
        # As safe as the registry itself: it gets the credentials.
        if scheme.lower() != "bearer" or realm.scheme not in {"https", urlsplit(self._reference.address).scheme}:
            raise RegistryError(f"{self._reference.host} asks for an authorization that is not understood")
        asked = {name: told[name] for name in ("service", "scope") if name in told}
        with closing(self._get(realm.geturl(), self._credentials, params=asked)) as answer:
            if answer.status_code != httpx.codes.OK:
                raise RegistryError(f"{realm.netloc} answers {answer.status_code}{_HINTS[401]}")
            return f"Bearer {_token(answer)}"

    def _in_time(self) -> None:
        if time.monotonic() > self._ends:
            raise RegistryError(f"{self._reference.host} has not sent it within {self._seconds:g} s")


_HINTS = {
    401: ": has the namespace a Secret registry, of somebody who may pull?",
    403: ": may whoever is in the Secret registry pull?",
    404: ": it is not there, or whoever pulls may not see it",
}


def _token(answer: httpx.Response) -> str:
    body = b""
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > _ANSWER:
            break
    try:
        told = json.loads(body)
        token = str(told.get("token") or told["access_token"])
    except (ValueError, KeyError, TypeError, AttributeError):
        token = ""
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise RegistryError(f"{answer.url.host} gives no token that is one")
    return token


def _check(summed: Any, digest: str, what: str) -> None:
    if f"sha256:{summed.hexdigest()}" != digest:
        raise RegistryError(f"what came as the {what} {digest} has another digest: it was tampered with on the way")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
