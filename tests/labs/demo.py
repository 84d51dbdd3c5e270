"""Write a service with default answers, run it until ``/readyz`` answers, call it, stop it (``make demo``)."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from tests.labs import leftovers, toolchains
from tests.labs import template as lab
from tests.labs.service import await_ready, free_port

SECONDS = 900  # a cold start downloads and compiles everything


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write(language: str, folder: Path) -> None:
    """Write the service into an empty folder and commit it."""
    shutil.rmtree(folder, ignore_errors=True)
    snapshot = folder.with_name("template")
    shutil.rmtree(snapshot, ignore_errors=True)
    lab.write(lab.snapshot(snapshot), folder, {"language": language})
    lab.commit_all(folder)
    lab.git(folder, "tag", "v0.1.0")


def run(language: str, folder: Path) -> None:
    """Run ``make setup run`` until the service is ready, call it, and stop it.

    Raises:
        RuntimeError: it ended, or was not ready in time; its output was printed.
    """
    port = free_port()
    env = {**toolchains.environment(language), "PORT": str(port), "CI": "true"}
    process = subprocess.Popen(["make", "setup", "run"], cwd=folder, env=env)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await_ready(process, http, SECONDS)
            say(f"GET /readyz: {http.get('/readyz').text.strip()}")
            created = http.post("/v1/items", json={"name": "first", "quantity": 3})
            say(f"POST /v1/items: {created.status_code} {created.text.strip()}")
    finally:
        if process.poll() is None:
            process.terminate()  # make hands it on to the service
        process.wait(180)


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=toolchains.LANGUAGES, default="go")
    parser.add_argument("--folder", type=Path, default=toolchains.ROOT / "build" / "demo")
    arguments = parser.parse_args()
    folder = arguments.folder / f"hello-{arguments.language}"
    leftovers.end_with_this()
    try:
        toolchains.locate(arguments.language)
        write(arguments.language, folder)
        say(f"wrote {folder}")
        run(arguments.language, folder)
    except (toolchains.MissingToolchainError, RuntimeError) as error:
        sys.stderr.write(f"make demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("make demo: interrupted\n")
        return 130
    say(f"{folder.name} works. It is a complete repository: cd {folder} && make help")
    return 0


if __name__ == "__main__":
    sys.exit(main())
