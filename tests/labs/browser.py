"""A real browser: Chromium's headless shell from an npm package, driven through its debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import io
import json
import os
import select
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.labs import toolchains
from tests.labs.errors import LabError, run
from tests.labs.places import once, remove

VERSION = "153.0.0"
INTEGRITY = "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
# Programs of Node.js's, which can unpack brotli; Python's standard library cannot.
_UNPACK = """
const fs = require("fs"), zlib = require("zlib");
for (const file of fs.readdirSync(".").filter((name) => name.endsWith(".br")))
  fs.writeFileSync(file.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync(file)));
"""


def program() -> Path:
    """Return the browser's program, from the cache or installed there.

    Raises:
        LabError: it cannot be had.
        MissingToolchainError: Node.js is missing.
    """
    return once(toolchains.cache_folder() / "browser" / VERSION, _install) / "chromium"


def _install(target: Path) -> None:
    place = target / "npm"
    place.mkdir(parents=True)
    env = toolchains.environment("node")
    told = run("npm", "pack", "--json", "--silent", f"@sparticuz/chromium@{VERSION}", cwd=place, env=env, timeout=900,
               failure="the browser cannot be had, check that npm can download")  # fmt: skip
    [facts] = json.loads(told)
    if facts["integrity"] != INTEGRITY:
        raise LabError(f"the browser's package is another one than was pinned: {facts['integrity']}")
    with tarfile.open(place / facts["filename"]) as package:
        package.extractall(place, filter="data")
    for one in (place / "package" / "bin").iterdir():
        one.rename(target / one.name)
    remove(place)
    run("node", "-e", _UNPACK, cwd=target, env=env, timeout=300, failure="the browser cannot be unpacked")
    for one in target.glob("*.tar"):
        with tarfile.open(fileobj=io.BytesIO(one.read_bytes())) as inner:
            inner.extractall(target, filter="data")
    for one in (*target.glob("*.br"), *target.glob("*.tar")):
        one.unlink()
    (target / "chromium").chmod(0o755)


class Browser:
    """A browser with one page.

    Args:
        width: of its window, in pixels.
        height: of its window.

    Attributes:
        problems: what the page complained of: exceptions, and what its policy or the network refused.
    """

    def __init__(self, width: int = 1400, height: int = 900) -> None:
        self._size = f"{width},{height}"
        self._number = 0
        self._session = ""
        self._buffer = b""
        self.problems: list[str] = []
        self._requests: dict[str, str] = {}

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, without those that its policy refused."""
        return list(self._requests.values())

    def __enter__(self) -> Self:
        path = program()
        self._profile = tempfile.TemporaryDirectory()
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        # High, so that 3 and 4, which the browser reads and writes, are free in the child.
        inner = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (read, write)]
        os.close(read)
        os.close(write)
        command = [str(path), "--headless=shell", "--no-sandbox", "--no-zygote", "--disable-gpu",
                   f"--user-data-dir={self._profile.name}", f"--window-size={self._size}", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--remote-debugging-pipe"]  # fmt: skip
        env = {**os.environ, "LD_LIBRARY_PATH": str(path.parent / "lib"), "HOME": self._profile.name}
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{inner[0]} 4>&{inner[1]}', "bash", *command],
            env=env, pass_fds=inner, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for one in inner:
            os.close(one)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)
        with contextlib.suppress(OSError):
            self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol, and return its result.

        Raises:
            LabError: the browser refused it, ended, or did not answer within three minutes.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 180
        while True:
            answer = self._message(deadline)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise LabError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._read, 1 << 16) if ready else b""
            if not part:
                raise LabError("the browser ended" if ready else "the browser did not answer within three minutes")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"]["exceptionDetails"]))
            case "Log.entryAdded":
                self.problems.append(message["params"]["entry"]["text"])
            case "Network.requestWillBeSent":
                self._requests[message["params"]["requestId"]] = message["params"]["request"]["url"]
            case "Network.loadingFailed" if message["params"].get("blockedReason") == "csp":
                del self._requests[message["params"]["requestId"]]
        return message

    def open(self, file: Path) -> None:
        """Show a file, and wait until it is there."""
        self.call("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + 180
        while self.value("document.readyState") != "complete" or self.value("location.protocol") != "file:":
            if time.monotonic() > deadline:
                raise LabError(f"{file} is not shown after a minute")
            time.sleep(0.02)

    def value(self, script: str) -> Any:
        """Return what an expression is in the page.

        Raises:
            LabError: it throws.
        """
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise LabError(f"{script}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse."""
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        script = f"JSON.stringify(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        box = json.loads(self.value(script))
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key, for example ``Tab``, 9."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def type(self, selector: str, text: str) -> None:
        """Type into a field, in the place of what is there."""
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def screenshot(self, file: Path) -> None:
        """Write what the window shows as PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
