"""How many CPUs this container may use: a runtime that asks the machine gets those of the host."""

import os
from collections.abc import Iterable
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def threads(cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """Return how many threads can compute at once: the whole CPUs of the quota, at least one.

    Args:
        cgroups: where the kernel shows control groups, of version 1 or 2.
        own: the file that says in which ones this process is.
    """
    allowed = os.process_cpu_count() or 1
    quotas = [quota for group in _groups(cgroups, own) for quota in _quota(group)]
    return max(1, min([allowed, *map(int, quotas)]))


def _groups(cgroups: Path, own: Path) -> Iterable[Path]:
    """The groups of this process and those above them, any of which may have a quota."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    # A container sees its own group as the root, or, without a namespace of groups, under the path that the host has.
    for line in [*lines, "0::/", "0:cpu:/"]:
        _, controllers, path = line.split(":", 2)
        root = cgroups / "cpu" if controllers else cgroups
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = root / path.lstrip("/")
        yield from (one for one in (group, *group.parents) if one == root or root in one.parents)


def _quota(group: Path) -> Iterable[float]:
    """The CPUs of a group, where it has a quota."""
    try:
        quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period"))
        except OSError:
            return
    if quota.strip() != "max" and int(quota) > 0 and int(period) > 0:
        yield int(quota) / int(period)
