"""Mounts below a folder, which a program that was killed may leave."""

from __future__ import annotations

from pathlib import Path

from tests.labs.errors import run


def below(folder: Path) -> list[Path]:
    """Return the mount points below a folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return sorted((point for point in points if point.is_relative_to(folder)), reverse=True)


def unmount(folder: Path) -> None:
    """Unmount everything below a folder.

    Raises:
        LabError: something uses it.
    """
    for point in below(folder):
        run("umount", "--lazy", point, failure=f"cannot unmount {point}")
