"""Whether an event is what the specification of CDEvents says: asked of its SDK in Rust."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from tests.labs import costs
from tests.labs.errors import run
from tests.labs.images.places import lab_folder
from tests.labs.places import digest, once
from tests.labs.toolchains.probe import choose, home, on_path

SOURCE = Path(__file__).resolve().parent / "validator"


def folder() -> Path:
    """Return the folder of the validator, whether it is there or not."""
    files = (SOURCE / "Cargo.toml", SOURCE / "crates.lock", SOURCE / "src" / "main.rs")
    return lab_folder() / f"events-{digest(*files)}"


def version() -> str:
    """Return the version of the SDK that it is built with."""
    manifest = tomllib.loads((SOURCE / "Cargo.toml").read_text(encoding="utf-8"))
    return str(manifest["dependencies"]["cdevents-sdk"]).strip("=")


def validator() -> Path:
    """Build the validator, once.

    Returns:
        The program: it reads a CloudEvent, and takes the version of CDEvents as its argument.

    Raises:
        LabError: a download is missing.
        MissingToolchainError: Rust is missing.
    """
    return once(folder(), _build) / "validator"


def _advice() -> str:
    """Return what to do where there is no Rust: rustup looks for it below HOME, which may not be the user's own."""
    install = "install Rust 1.94 or newer (rustup default stable), the SDK of CDEvents is compiled with it"
    own = Path(pwd.getpwuid(os.geteuid()).pw_dir, ".rustup")
    looked = Path(os.environ.get("RUSTUP_HOME") or home() / ".rustup")
    if looked == own or not any(own.glob("toolchains/*")):
        return install
    return f"set RUSTUP_HOME={own}, where there are toolchains, or {install}"


def _build(target: Path) -> None:
    choose("Rust 1.94", on_path("cargo"), r"^cargo 1\.(9[4-9]|\d{3,})\.", ["--version"], _advice())
    work = target / "work"
    shutil.copytree(SOURCE, work)
    with costs.measured(target):
        _compile(work)
    shutil.move(work / "target" / "debug" / "validator", target)
    shutil.rmtree(work)


def _compile(work: Path) -> None:
    # The lock names no registry; cargo says what the one that it is set up for is called.
    failure = "cannot build the validator of events, check that cargo can download crates"
    run("cargo", "generate-lockfile", "--quiet", failure=failure, cwd=work, timeout=1800)
    made = re.search(r'^source = "(.+)"', (work / "Cargo.lock").read_text(encoding="utf-8"), re.MULTILINE)
    lock = (SOURCE / "crates.lock").read_text(encoding="utf-8")
    (work / "Cargo.lock").write_text(lock.replace("REGISTRY", made[1] if made else ""), encoding="utf-8")
    env = {**os.environ, "CARGO_TARGET_DIR": str(work / "target")}
    run("cargo", "build", "--quiet", "--locked", failure=failure, cwd=work, env=env, timeout=1800)


def problem(event: object, version: str) -> str:
    """Return what is wrong with an event; empty where nothing is.

    Args:
        event: a CloudEvent with a CDEvent in it.
        version: of CDEvents.

    Raises:
        LabError: the validator cannot be built.
        MissingToolchainError: Rust is missing.
    """
    command = [str(validator()), version]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, check=False, timeout=180)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
