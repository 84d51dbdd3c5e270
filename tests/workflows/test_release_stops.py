"""release.yml in every language: an image that is not verified is not promoted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.labs.service import make
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, VERSION, Release, pushed_diff

pytestmark = pytest.mark.images


def test_only_what_is_verified_is_promoted(runner: Lab, released: Callable[[str], Release], language: str) -> None:
    """The service's own image, pushed as ``build`` pushes it; ``sign`` ends at once, first without a signature."""
    release = released("ghcr.io/acme")
    pushed = make(release.folder, language, "image", "PUSH=digest", env=release.env)
    assert pushed.returncode == 0, pushed.stdout
    reference = (release.folder / "build/image-ref").read_text().strip()
    repository = f"acme/{language}-orders"

    def run() -> Result:
        return runner.run(
            release.folder, "push", {"repository": {"full_name": repository, "private": False}}, "release.yml",
            env=release.env, recorders={"gh": GITHUB}, secrets=SECRETS, variables=VARIABLES,
            ended={"build": Ended("success"), "sign": Ended("success", {"image": reference})},
        )  # fmt: skip

    stopped = run()
    assert stopped.code != 0
    assert (stopped.result("verify"), stopped.result("promote")) == ("failure", "skipped")
    assert "FAIL  verify: cosign verify: no signatures found" in stopped.jobs["verify"].output
    assert not stopped.called("gh")

    signed = make(release.folder, language, "sign", f"IMAGE_REF={reference}", env=release.env)
    assert signed.returncode == 0, signed.stdout
    result = run()
    assert (result.result("verify"), result.result("promote")) == ("success", "success"), result.stdout[-5000:]
    _, _, added = pushed_diff(result, repository, "release/staging")
    assert added == f"    digest: {reference.partition('@')[2]} # {VERSION}"
