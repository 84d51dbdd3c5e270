"""The benchmarks of images run and measure what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import image_cache, image_run, images, report
from benchmarks.samples import Samples
from tests.labs import template as lab
from tests.labs.images import Lab, overrides
from tests.labs.toolchains import LANGUAGES
from tests.selection.plugin import chosen


def ignore(_: str) -> None:
    """Take a line about the progress."""


@pytest.fixture
def python(request: pytest.FixtureRequest) -> None:
    """Python's images are the cheapest to build, and in the others nothing but the Dockerfiles differs."""
    if "python" not in chosen(request.config):
        pytest.skip("--languages leaves Python out")


@pytest.mark.images
@pytest.mark.usefixtures("python")
def test_every_change_is_built_from_the_cache(
    template: Path, image_lab: Lab, own_registry: str, tmp_path: Path
) -> None:
    subjects = image_cache.prepare("python", template, tmp_path, own_registry, [images.OURS])
    result = image_cache.measure(subjects, image_lab, 1, ignore, extras=False)
    cpu = {change: samples.values for change, samples in result[images.OURS].items()}
    assert list(cpu) == [*image_cache.CHANGES]
    assert all(len(values) == 1 for values in cpu.values())
    # Far from a limit: only that the cache was found at all, and that a change of the lock is one.
    assert cpu[image_cache.NOTHING][0] < cpu[image_cache.COLD][0] / 3
    assert cpu[image_cache.SOURCE][0] < cpu[image_cache.COLD][0] / 1.5
    assert cpu[image_cache.DEPENDENCY][0] > cpu[image_cache.SOURCE][0]


@pytest.mark.images
@pytest.mark.usefixtures("python")
def test_images_are_run_side_by_side(template: Path, image_lab: Lab, own_registry: str, tmp_path: Path) -> None:
    subjects = image_run.prepare("python", template, tmp_path, image_lab, own_registry)
    try:
        result = image_run.measure("python", subjects, 1, ignore)
    finally:
        image_run.remove(subjects)
    assert list(result) == [images.OURS, images.DOCKER_INIT]
    for samples in result.values():
        assert [*samples] == [*image_run.MEASURES]
        assert all(len(one.values) == 1 and one.values[0] > 0 for one in samples.values())
    assert len(report.run_table({"python": result}).splitlines()) == 4


@pytest.mark.parametrize("kind", [images.CACHE_MOUNTS, images.DOCKER_INIT])
@pytest.mark.parametrize("name", LANGUAGES)
def test_dockerfiles_are_on_the_pinned_bases(name: str, kind: str) -> None:
    text = images.dockerfile(name, kind, Path("orders-api"))
    assert "[[" not in text
    assert overrides.contexts(text, "127.0.0.1:1")


def test_changes_are_real_ones(template: Path, tmp_path: Path) -> None:
    """The edits still find what they edit; that the locks follow is for the benchmark itself."""
    for name in LANGUAGES:
        folder = images.write_service(name, template, tmp_path / f"{name}-service")
        image_cache.change_source(folder, name)
        image_cache.edit_dependency(folder, name)
        changed = lab.git(folder, "diff", "--name-only", "HEAD~1").splitlines()
        assert len(changed) == 2, changed


def test_tables_show_shares_of_the_cold_build() -> None:
    def samples(*values: float) -> Samples:
        return Samples(image_cache.CPU, list(values))

    by = {
        image_cache.COLD: samples(40, 50, 60),
        image_cache.NOTHING: samples(1, 2, 3),
        image_cache.SOURCE: samples(10, 15, 11),
        image_cache.DEPENDENCY: samples(50, 50, 50),
    }
    table = report.cache_table({"go": {images.OURS: by}}).splitlines()
    assert table[2] == (
        "| Go | ours | 50 s (40 to 60) | 2 s (1 to 3): 4.0% | 11 s (10 to 15): 22.0% | 50 s (50 to 50): 100.0% | 78% |"
    )
    assert report.extras_table({"go": {images.OURS: by}}) == ""
    extras = {what: samples(number) for number, what in enumerate(image_cache.EXTRAS)}
    table = report.extras_table({"go": {images.OURS: by | extras}}).splitlines()
    assert table[2] == "| Go | ours | 40.0 s | 0.0 s | 1.0 s | 2.0 s | 3.0 s | 4.0 s |"


def test_a_dependency_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example\n")
    with pytest.raises(RuntimeError, match=r"go\.mod of the go service has nothing like"):
        image_cache.edit_dependency(tmp_path, "go")
