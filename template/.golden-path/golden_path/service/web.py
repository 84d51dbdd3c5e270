"""Requests to addresses that a repository sets: NAME_URL, NAME_TOKEN (a bearer token), NAME_TIMEOUT (seconds each)."""

import os
import re
import signal
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.parse import urlsplit

from golden_path.service.errors import NoAnswerError, WrongInputError

ATTEMPTS = 3
# Another attempt may succeed after these; every other answer but 2xx is final.
BUSY = {408, 425, 429, 500, 502, 503, 504}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def read(name: str, pattern: str, what: str, *, optional: bool = False) -> str:
    """A variable of the environment; raises WrongInputError."""
    value = os.environ.get(name, "")
    if (value or not optional) and not re.fullmatch(pattern, value):
        raise WrongInputError(f"{name} must be {what}, not {value[:100]!r}" if value else f"set {name} to {what}")
    return value


def receiver(name: str, token: str = "") -> tuple[str, dict[str, str], int]:
    """The address of this name, or nothing, the headers, and the limit of one attempt; raises WrongInputError.

    Args:
        name: of the variables, without their ends.
        token: the name of the one with the token, where it is not called like the others.
    """
    secret = token or f"{name}_TOKEN"
    url, token = os.environ.get(f"{name}_URL", ""), os.environ.get(secret, "")
    what = "a number of seconds from 1 to 999"
    seconds = int(read(f"{name}_TIMEOUT", r"[1-9]\d{0,2}", what, optional=True) or 10)
    if not url:
        return "", {}, seconds
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        right = False
    if not right or re.search(r"[^\x21-\x7e]", url):
        raise WrongInputError(
            f"{name}_URL must be an absolute http or https URL without user"
        )  # it may hold a secret: not shown
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise WrongInputError(f"{secret} must be a token, without spaces and line ends")
    if token and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise WrongInputError(f"{name}_URL must be an https URL: {secret} is not sent in the clear")
    return url, {"Authorization": f"Bearer {token}"} if token else {}, seconds


def host(url: str) -> str:
    """What may be shown of an address."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would lose the body, and take the token elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(
    url: str, headers: dict[str, str], body: bytes | None, seconds: int, *, limit: int = 0, method: str | None = None
) -> bytes:
    """POST the body, or GET where it is None, in up to three attempts; returns up to `limit` bytes of the answer.

    Another method is told by its name.

    Raises:
        NoAnswerError: there was no answer, or another than 2xx.
    """
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - receiver takes http and https only

    def stop(*_: Any) -> NoReturn:
        raise TimeoutError(f"no answer within {seconds} s")

    # The timeout of a socket would begin anew with each byte.
    signal.signal(signal.SIGALRM, stop)
    for attempt in range(1, ATTEMPTS + 1):
        signal.alarm(seconds)
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=seconds) as answer:
                return answer.read(limit) if limit else b""
        except urllib.error.HTTPError as error:
            reason, final = f"{host(url)} answers {error.code}{_said(error)}", error.code not in BUSY
        except (OSError, HTTPException, UnicodeError) as error:
            why = getattr(error, "reason", error)
            reason, final = f"{host(url)} cannot be reached: {why or type(error).__name__}", False
        finally:
            signal.alarm(0)
        if final:
            raise NoAnswerError(reason)
        if attempt < ATTEMPTS:
            time.sleep(attempt)
    raise NoAnswerError(f"{reason} ({ATTEMPTS} attempts)")


def _said(error: urllib.error.HTTPError) -> str:
    """The begin of a refusal's body, in one line."""
    try:
        text = error.read(500).decode(errors="replace")
    except (OSError, HTTPException):
        text = ""
    said = " ".join(re.sub(r"[^ -~]", " ", text).split())[:200]
    return f": {said}" if said else ""
