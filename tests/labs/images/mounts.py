"""Mounts below a folder, which a program that was killed may leave; and folders in memory."""

from __future__ import annotations

from pathlib import Path

from tests.labs.errors import run

_GIB = 2**20  # kibibytes, the unit of /proc/meminfo
# A build of the largest service needs 3 GiB, and its compilers some beside.
NEEDED = 10 * _GIB
_LIMIT = 8 * _GIB


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


def in_memory(folder: Path) -> bool:
    """Put an empty folder into memory, where the machine has enough of it.

    How much CPU a file system on a disk takes for a new file depends on how full it is: the same 12,000 files took
    ext4 between 0.5 and 12 seconds, and memory 0.3 seconds every time.

    Args:
        folder: there, and empty.

    Returns:
        Whether it is in memory now.

    Raises:
        LabError: it cannot be mounted.
    """
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    if sizes["MemAvailable"] < NEEDED:
        return False
    run("mount", "-t", "tmpfs", "-o", f"size={_LIMIT}k", "tmpfs", folder, failure=f"cannot mount {folder} in memory")
    return True
