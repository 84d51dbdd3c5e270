"""Packages of Debian 13, from the mirror that this machine's own apt uses, with the signatures checked by apt."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.labs.errors import LabError, run

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def architecture() -> str:
    """Return this machine's architecture as Debian and OCI name it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _sources() -> Iterator[tuple[str, list[str]]]:
    """Yield the addresses and suites of this machine's apt sources, in both of apt's formats."""
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if file.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", file.read_text(encoding="utf-8")):
                fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.MULTILINE))
                for address in fields.get("URIs", "").split():
                    yield address, fields.get("Suites", "").split()
        elif file.suffix == ".list" and file.exists():
            for address, suite in re.findall(
                r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE
            ):
                yield address, [suite]


@dataclass(frozen=True)
class Mirror:
    """Where Debian comes from.

    Attributes:
        main: address of the archive.
        security: address of the security updates, empty where there are none.
    """

    main: str
    security: str

    @classmethod
    def of_this_machine(cls) -> Mirror:
        """Find the mirror in the machine's apt sources, or take GOLDEN_PATH_DEBIAN_MIRROR.

        Raises:
            LabError: there is none, or no keyring to check it with.
        """
        if not KEYRING.exists():
            raise LabError(f"{KEYRING} is missing: install the package debian-archive-keyring")
        if address := os.environ.get("GOLDEN_PATH_DEBIAN_MIRROR"):
            return cls(address, "")
        release = Path("/etc/os-release").read_text(encoding="utf-8")
        codename = re.search(r"^VERSION_CODENAME=(\w+)", release, re.MULTILINE)
        if codename is None or not re.search(r"^ID=debian$", release, re.MULTILINE):
            raise LabError("this machine is not Debian: set GOLDEN_PATH_DEBIAN_MIRROR to a Debian mirror's address")
        main = security = ""
        for address, suites in _sources():
            if codename[1] in suites:
                main = main or address
            if f"{codename[1]}-security" in suites:
                security = security or address
        if not main:
            raise LabError(f"no apt source has the suite {codename[1]}: set GOLDEN_PATH_DEBIAN_MIRROR to a mirror")
        return cls(main, security)

    def lines(self) -> str:
        """Return the lines of an apt ``sources.list`` for Debian 13."""
        signed = f"deb [signed-by={KEYRING}]"
        lines = [f"{signed} {self.main} {SUITE} main", f"{signed} {self.main} {SUITE}-updates main"]
        if self.security:
            lines.append(f"{signed} {self.security} {SUITE}-security main")
        return "".join(f"{line}\n" for line in lines)


class Archive:
    """Debian's packages, through an apt that knows nothing of this machine's own packages."""

    def __init__(self, folder: Path) -> None:
        """Name the folder that this apt keeps its state in."""
        self._folder = folder
        self._updated = False

    def _apt(self, *arguments: str, cwd: Path) -> None:
        root = self._folder
        options = (
            f"Dir={root}", f"Dir::State::status={root}/status", f"APT::Architecture={architecture()}",
            "APT::Sandbox::User=root", "Acquire::Languages=none", "Acquire::Retries=3",
        )  # fmt: skip
        run(
            "apt-get", "--quiet", *(part for option in options for part in ("-o", option)), *arguments,
            failure=f"cannot get packages of Debian {SUITE}, check that apt can download",
            env={**os.environ, "APT_CONFIG": os.devnull}, cwd=cwd,
        )  # fmt: skip

    def _update(self) -> None:
        if self._updated:
            return
        folders = ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
                   "var/cache/apt/archives/partial", "debs")  # fmt: skip
        for folder in folders:
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        (self._folder / "etc/apt/sources.list").write_text(Mirror.of_this_machine().lines(), encoding="utf-8")
        self._apt("update", cwd=self._folder)
        self._updated = True

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Return the files of packages, which the next download removes.

        Args:
            packages: their names; what they depend on is not added.

        Raises:
            LabError: one cannot be had.
        """
        self._update()
        debs = self._folder / "debs"
        for old in debs.glob("*.deb"):
            old.unlink()
        self._apt("download", *packages, cwd=debs)
        return sorted(debs.glob("*.deb"))
