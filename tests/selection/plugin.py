"""The choice of tests, as a plugin of pytest: by suite, by what did not change, by the languages that are there."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.labs import toolchains
from tests.labs.toolchains import LANGUAGES, MissingToolchainError
from tests.selection import inputs, stamps
from tests.selection.observed import Observer
from tests.selection.spent import Spent
from tests.selection.stamps import Stamp
from tests.selection.suites import SUITES, Suite, language_of, suite_of

CHOICES = ("quick", "rest", "all")
Group = tuple[str, str]  # suite and language


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the choice."""
    parser.addoption("--languages", default=",".join(LANGUAGES), help="languages to test, separated by commas")
    parser.addoption("--suites", choices=CHOICES, default="all", help="quick: what needs no lab; rest: all but that")
    parser.addoption(
        "--stamps", choices=("off", "write", "use"), default="off",
        help="use: leave out what was green with the same inputs; write: run it, and note what is green",
    )  # fmt: skip


def chosen(config: pytest.Config) -> list[str]:
    """Return the languages to test.

    Raises:
        pytest.UsageError: there is no such language.
    """
    names: list[str] = [name for name in config.getoption("--languages").split(",") if name]
    if unknown := sorted(set(names) - set(LANGUAGES)):
        raise pytest.UsageError(f"--languages: unknown {', '.join(unknown)}; there are {', '.join(LANGUAGES)}")
    return names


def leave_out_missing(config: pytest.Config, strict: bool) -> list[str]:
    """Take the languages away whose toolchain is missing.

    Args:
        config: of the run.
        strict: whether that is an error.

    Returns:
        A line for each.

    Raises:
        pytest.UsageError: one is missing, and that is an error.
    """
    there, lines = [], []
    for language in chosen(config):
        try:
            toolchains.environment(language)
            there.append(language)
        except MissingToolchainError as error:
            lines.append(f"left out: {language}, since {error}")
    if strict and lines:
        raise pytest.UsageError(f"{'; '.join(lines)} (in CI every language is tested)")
    config.option.languages = ",".join(there)
    return lines


@dataclass
class Chosen:
    """Tests of one suite and language that run.

    Attributes:
        suite: of the tests.
        language: that they run for; empty where they have none.
        key: the hash of their inputs.
        tests: their ids.
        inputs: the files that decide how they end.
        undeclared: files that they read besides.
    """

    suite: Suite
    language: str
    key: str
    tests: list[str]
    inputs: frozenset[str]
    undeclared: set[str] = field(default_factory=set)


class Selection:
    """Chooses the tests, and keeps which were green.

    With xdist, this process looks at the machine and at the stamps, so that all workers choose alike; they say which
    groups there are, and this process, which sees how each test ends, writes the stamps.
    """

    def __init__(
        self,
        config: pytest.Config,
        root: Path,
        suites: Sequence[Suite] = SUITES,
        missing: Sequence[str] = (),
        strict: bool = False,
    ) -> None:
        """Look at the machine.

        Args:
            config: of the run.
            root: the checkout.
            suites: of its tests.
            missing: lines about what is not there, for the end.
            strict: whether a test fails for a toolchain that is missing; else it is skipped.
        """
        self._suites, self._config = suites, config
        self._checkout = inputs.Checkout(root)
        self._folder = toolchains.cache_folder() / "green"
        self._stamps: str = config.getoption("--stamps")
        self._worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._chosen: dict[Group, Chosen] = {}
        self._group: dict[str, Group] = {}
        self._suite: dict[str, str] = {}
        self._spent = Spent()
        self._left_out: Counter[str] = Counter()
        self._green: list[Stamp] = []
        self._missing = list(missing)
        self._strict = strict
        self._passed: set[str] = set()
        self._not_green: set[str] = set()
        self._observer = Observer(root) if self._stamps != "off" else None
        if self._worker is not None:
            self._machine, self._known = self._worker["machine"], [Stamp(**one) for one in self._worker["stamps"]]
            self._strict = self._worker["strict"]
        else:
            self._machine = inputs.tools(chosen(config)) if self._stamps != "off" else {}
            self._known = list(stamps.load(self._folder).values()) if self._stamps == "use" else []

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what this process has seen."""
        node.workerinput["machine"] = self._machine
        node.workerinput["strict"] = self._strict
        node.workerinput["languages"] = self._config.option.languages
        node.workerinput["stamps"] = [vars(one) for one in self._known]

    @pytest.hookimpl(trylast=True)  # after -k and -m
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what another command runs, and what was green with the same inputs."""
        groups: dict[Group, list[pytest.Item]] = defaultdict(list)
        wanted = self._config.getoption("--suites")
        for item in items:
            file = Path(item.nodeid.partition("::")[0]).as_posix()
            suite = suite_of(file, [mark.name for mark in item.iter_markers()], self._suites)
            if wanted != "all" and suite.quick != (wanted == "quick"):
                self._left_out[suite.name] += 1
                continue
            self._suite[item.nodeid] = suite.name
            call = getattr(item, "callspec", None)
            groups[suite.name, language_of(call.params if call else {})].append(item)
        kept = {item.nodeid for group, tests in groups.items() if self._runs(group, tests) for item in tests}
        if dropped := [item for item in items if item.nodeid not in kept]:
            self._config.hook.pytest_deselected(items=dropped)
            items[:] = [item for item in items if item.nodeid in kept]

    def _runs(self, group: Group, items: Sequence[pytest.Item]) -> bool:
        if self._stamps == "off":
            return True
        [suite] = [one for one in self._suites if one.name == group[0]]
        tests = [item.nodeid for item in items]
        files = inputs.files_of(self._checkout, suite, group[1], sorted({one.partition("::")[0] for one in tests}))
        key = inputs.key(self._checkout, files, tests, self._machine, group[1])
        for stamp in self._known:
            if (stamp.suite, stamp.language, stamp.key) == (*group, key):
                self._green.append(stamp)
                return False
        self._chosen[group] = Chosen(suite, group[1], key, tests, files)
        self._group.update(dict.fromkeys(tests, group))
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Look at what a test costs, and what it reads."""
        with self._spent.on(self._suite[item.nodeid]):
            group = self._group.get(item.nodeid)
            if group is None or self._observer is None:
                return (yield)
            self._observer.start()
            try:
                return (yield)
            finally:
                self._observer.stop()
                self._note(self._chosen[group], self._observer)

    def _note(self, chosen: Chosen, observer: Observer) -> None:
        """Note what a test has read that its suite does not declare."""
        chosen.undeclared |= observer.undeclared(chosen.inputs, self._checkout.files)
        if chosen.suite.one_language and chosen.language:
            others = observer.rendered - {chosen.language}
            chosen.undeclared |= {f"a service in {other}" for other in others}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Skip what needs a toolchain besides that of its language, for example Go for a lab, where it is missing."""
        report = yield
        if call.excinfo and call.excinfo.errisinstance(MissingToolchainError) and not self._strict:
            path, line, _ = item.reportinfo()
            report.outcome = "skipped"
            report.longrepr = (str(path), line or 0, f"Skipped: {call.excinfo.value}")
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; with xdist, in the process that starts the workers."""
        if report.outcome != "passed":
            self._not_green.add(report.nodeid)
        elif report.when == "call":
            self._passed.add(report.nodeid)

    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker chose."""
        output = getattr(node, "workeroutput", {})
        self._spent.add({suite: tuple(sums) for suite, sums in output.get("spent", {}).items()})
        self._left_out = Counter(output.get("left_out", {})) or self._left_out
        self._green = [Stamp(**one) for one in output.get("green", [])] or self._green
        for one in output.get("chosen", []):
            [suite] = [suite for suite in self._suites if suite.name == one["suite"]]
            group = (suite.name, one["language"])
            chosen = self._chosen.setdefault(
                group, Chosen(suite, one["language"], one["key"], one["tests"], frozenset())
            )
            chosen.undeclared |= set(one["undeclared"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was chosen; to run nothing since all was green is no error."""
        if self._worker is None and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._green:
            session.exitstatus = pytest.ExitCode.OK
        if self._worker is not None:
            session.config.workeroutput.update(  # type: ignore[attr-defined] # xdist's
                spent=self._spent.sums(),
                left_out=dict(self._left_out),
                green=[vars(one) for one in self._green],
                chosen=[
                    {"suite": one.suite.name, "language": one.language, "key": one.key, "tests": one.tests,
                     "undeclared": sorted(one.undeclared)}
                    for one in self._chosen.values()
                ],
            )  # fmt: skip

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the stamps of what is green; say what did not run, and with which command it does."""
        for chosen in self._chosen.values():
            if chosen.undeclared:
                names = ", ".join(sorted(chosen.undeclared)[:5])
                terminalreporter.write_line(
                    f"not stamped: {chosen.suite.name} reads {names}; add it to tests/selection/suites.py", red=True
                )
            elif set(chosen.tests) <= self._passed - self._not_green:
                stamp = Stamp(chosen.suite.name, chosen.language, chosen.key, stamps.now(), len(chosen.tests))
                stamps.save(self._folder, stamp)
        for line in self._spent.lines():
            terminalreporter.write_line(line)
        for stamp in self._green:
            terminalreporter.write_line(
                f"not run again: {stamp.title}, {stamp.tests} tests, green at {stamp.when} with the same inputs"
                f" ({stamp.key}); ALL=1 runs them"
            )
        for line in self._missing:
            terminalreporter.write_line(line)
        if self._left_out:
            parts = ", ".join(f"{name} ({count})" for name, count in self._left_out.items())
            command = {"quick": "make test-all", "rest": "make test"}[self._config.getoption("--suites")]
            terminalreporter.write_line(f"left out: {parts} tests: run {command}")


def set_up(config: pytest.Config, root: Path, suites: Sequence[Suite] = SUITES) -> None:
    """Choose the languages, and register the choice of tests.

    Args:
        config: of the run.
        root: the checkout.
        suites: of its tests.

    Raises:
        pytest.UsageError: a language is unknown, or a toolchain is missing in CI.
    """
    missing: list[str] = []
    # A test is the same in CI and elsewhere, so CI is for this only.
    strict = bool(os.environ.pop("CI", ""))
    if not hasattr(config, "workerinput"):
        missing = leave_out_missing(config, strict)
    else:
        config.option.languages = config.workerinput["languages"]
    config.pluginmanager.register(Selection(config, root, suites, missing, strict), "golden-path-selection")
