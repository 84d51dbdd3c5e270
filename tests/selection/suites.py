"""The suites: which tests belong together, what they need, and what besides their own imports decides how they end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.labs.toolchains import KINDS, LANGUAGES

# What a service is rendered from; overlays of other languages do not count where ``Suite.one_language`` says so.
RENDERED = ("copier.yml", "pins.yaml", "partials", "extensions", "hooks", "golden_path/rendering/worker.py", "template")
# What decides which packages the tests run with, and how they are chosen and set up.
ALWAYS = ("pyproject.toml", "requirements.txt", "tests/conftest.py", "tests/grouping.py", "tests/selection")


@dataclass(frozen=True)
class Suite:
    """Tests that are judged together, in each language on their own where they have one.

    Attributes:
        name: of the suite.
        files: patterns of its test files, relative to the checkout.
        quick: whether ``make test`` runs it; it needs no lab and no root then.
        without: tests with one of these markers belong to a later suite.
        one_language: whether a test of one language renders and builds services of that language only.
        reads: files and folders that its tests read, or that programs read which they start.
    """

    name: str
    files: tuple[str, ...]
    quick: bool = False
    without: tuple[str, ...] = ()
    one_language: bool = False
    reads: tuple[str, ...] = ()

    def takes(self, file: str, markers: Collection[str]) -> bool:
        """Return whether a test belongs to the suite, if it does to none before.

        Args:
            file: of the test, relative to the checkout.
            markers: the names of its markers.
        """
        return any(fnmatchcase(file, pattern) for pattern in self.files) and not set(self.without) & set(markers)


ENGINE = (
    "golden_path", "adopt.yml", "docs/reference", "Makefile", "README.md", "CHANGELOG.md", "tests/updates", *RENDERED,
)  # fmt: skip
LABS = ("images", "cluster")
# A test belongs to the first that takes it.
SUITES = (
    Suite("labs", ("tests/labs/*", "tests/selection/*", "tests/docs/*"), quick=True,
          reads=("template", "golden_path", "docs", "adopt.yml", "Makefile", "README.md", "CONTRIBUTING.md", ".ci",
                 "tests", ".pre-commit-config.yaml", "CHANGELOG.md", "LICENSE", "SECURITY.md",
                 *RENDERED)),
    Suite("render", ("tests/render/*",), quick=True, reads=("tests/render/golden", "adopt.yml", "docs", *RENDERED)),
    # What is odd or hostile: much, and seldom what a change is about.
    Suite("hostile", tuple(f"tests/updates/test_{name}.py" for name in (
        "adopt_builds", "adopt_truth", "clones", "collect*", "copier_range", "doctor_truth", "fuzz", "github", "guard",
        "hostile*", "identical", "links", "secrets", "servers", "settings", "surroundings",
        "uncommitted*", "unprompted", "whose_template", "yaml_patches")), reads=ENGINE),
    Suite("engine", ("tests/updates/*",), quick=True, reads=ENGINE),
    Suite("service", ("tests/services/test_check.py", "tests/services/test_jdk.py", "tests/services/conformance/*"),
          quick=True, without=("images",), one_language=True, reads=RENDERED),
    Suite("rules", ("tests/workflows/test_files.py", "tests/workflows/test_lint.py", "tests/workflows/test_policy.py",
                    "tests/cluster/test_offline.py", "tests/cluster/test_objectives.py", "tests/cluster/test_drift.py",
                    "tests/cluster/test_policies_local.py", "tests/deploy/*"),
          quick=True, without=LABS, reads=(".github", "docs/reference", "adopt.yml", "tests/cluster", *RENDERED)),
    Suite("contracts", ("tests/services/test_contracts.py",), reads=RENDERED),
    Suite("adopted", ("tests/services/test_adopted.py",), one_language=True, reads=ENGINE),
    Suite("services", ("tests/services/*",), without=LABS, one_language=True,
          reads=("tests/services/holding.py", "CHANGELOG.md", "adopt.yml", *RENDERED)),
    Suite("images", ("tests/services/*", "tests/images/*"), one_language=True,
          reads=("tests/images", "docs/tutorials", *RENDERED)),
    Suite("workflows", ("tests/workflows/*", "tests/deploy/*"), without=("cluster",),
          reads=(".github", "golden_path", "docs/reference", "adopt.yml", "Makefile", "tests/workflows",
                 "tests/labs/release.py", *RENDERED)),
    Suite("cluster", ("tests/cluster/*", "tests/deploy/*", "tests/workflows/*"),
          reads=("docs/reference", ".github", "tests/cluster", "golden_path/platform", *RENDERED)),
    Suite("benchmarks", ("tests/benchmarks/*",), reads=("benchmarks", "golden_path", *RENDERED)),
)  # fmt: skip


def suite_of(file: str, markers: Collection[str], suites: Sequence[Suite] = SUITES) -> Suite:
    """Return the suite of a test.

    Args:
        file: of the test, relative to the checkout.
        markers: the names of its markers.
        suites: to choose from.

    Raises:
        LookupError: it has none; the message says where to add one.
    """
    for suite in suites:
        if suite.takes(file, markers):
            return suite
    raise LookupError(f"{file} belongs to no suite: add it to tests/selection/suites.py")


def language_of(parameters: object) -> str:
    """Return the language, or the kind, that a test is run for; empty where it has none.

    Args:
        parameters: of the test, by name.
    """
    language = parameters.get("language", "") if isinstance(parameters, dict) else ""
    return language if language in {*LANGUAGES, *KINDS} else ""
