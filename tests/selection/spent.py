"""What the tests of a suite cost: seconds on the clock, and CPU seconds of the tests and of what they waited for.

What runs on, as the labs' programs do, is not in the CPU seconds.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Spent:
    """A sum for each suite.

    Attributes:
        tests: how many there were.
        wall: seconds on the clock.
        cpu: CPU seconds.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tests: Counter[str] = Counter()
        self.wall: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()

    @contextmanager
    def on(self, suite: str) -> Iterator[None]:
        """Add what a test in the block costs.

        Args:
            suite: of the test.
        """
        start, before = time.monotonic(), _cpu()
        try:
            yield
        finally:
            self.add({suite: (1, time.monotonic() - start, _cpu() - before)})

    def add(self, more: Mapping[str, tuple[int, float, float]]) -> None:
        """Add sums of another process.

        Args:
            more: number of tests, seconds and CPU seconds, by suite.
        """
        for suite, (tests, wall, cpu) in more.items():
            self.tests[suite] += tests
            self.wall[suite] += wall  # type: ignore[assignment] # a Counter holds any number
            self.cpu[suite] += cpu  # type: ignore[assignment]

    def sums(self) -> dict[str, tuple[int, float, float]]:
        """Return the sums by suite, as ``add`` takes them."""
        return {suite: (count, self.wall[suite], self.cpu[suite]) for suite, count in self.tests.items()}

    def lines(self) -> Iterator[str]:
        """Yield a line for each suite, the dearest first."""
        if self.tests:
            yield f"{'suite':<12} {'tests':>5} {'seconds':>8} {'CPU':>7}  (summed over the processes side by side)"
        for suite, _ in self.cpu.most_common():
            yield f"{suite:<12} {self.tests[suite]:5} {self.wall[suite]:8.1f} {self.cpu[suite]:7.1f}"
