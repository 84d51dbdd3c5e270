"""What two versions of the template write for a service, with Copier's public API, in temporary folders."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hooks import git


@contextlib.contextmanager
def both(
    service: Path, template: Path, version: str, answers_file: str, data: Mapping[str, Any]
) -> Iterator[tuple[Path, Path]]:
    """Render the version that a service has and the one that is checked out.

    Args:
        service: its root; the name of the folder counts.
        template: a clone of the template, with the new version checked out.
        version: the one that the service has.
        answers_file: its name; as it is committed.
        data: new answers.

    Yields:
        The folders of the old and of the new rendering.

    Raises:
        GitError: the clone does not have the version.
        ValueError: an answer is missing or not accepted.
    """
    import copier

    answers = git.run(service, "cat-file", "blob", f"HEAD:./{answers_file}")
    with tempfile.TemporaryDirectory(prefix="golden-path-") as place:
        written = []
        for side, reference, given in (("old", version, {}), ("new", "HEAD", data)):
            source, target = Path(place, f"{side}-template"), Path(place, side, service.name)
            _check_out(template, reference, source)
            target.mkdir(parents=True)
            (target / answers_file).parent.mkdir(parents=True, exist_ok=True)
            (target / answers_file).write_bytes(answers)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                copier.run_copy(
                    str(source), target, data=dict(given), answers_file=answers_file,
                    defaults=True, overwrite=True, quiet=True, unsafe=True,
                )  # fmt: skip
            (target / answers_file).unlink()
            written.append(target)
        yield written[0], written[1]


def _check_out(template: Path, version: str, folder: Path) -> None:
    """Write a version's files; a clone without blobs fetches those that it lacks."""
    folder.mkdir()
    # As it is committed, whatever line ends a person's work trees have.
    plain = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.autocrlf", "GIT_CONFIG_VALUE_0": "false"}
    index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index")), **plain}
    git.run(template, "read-tree", version, env=index)
    git.run(template, "checkout-index", "--all", f"--prefix={folder}/", env=index)
