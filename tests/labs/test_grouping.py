"""The tests of a language run in one of the processes that run tests side by side."""

from __future__ import annotations

from tests.grouping import group, rank

GROUPS = {
    "tests/services/test_check.py::test_lint[java]": "java",
    "tests/services/conformance/test_api.py::test_bad_value[image-go-UPSTREAM_URL-ftp://node]": "go",
    "tests/cluster/test_manifests.py::test_every_environment_is_accepted[python-blue-green]": "python",
    "tests/cluster/test_canary.py::test_a_good_version_is_promoted[go]": "rollouts",
    "tests/workflows/test_ci.py::test_pull_request_is_green[go]": "workflows",
    "tests/workflows/test_ci.py::test_pull_request_is_green[node]": "node",
    "tests/updates/test_rings.py::test_two_at_once": "tests/updates/test_rings.py",
    "tests/updates/test_rings.py::test_a_name[a-gopher]": "tests/updates/test_rings.py",
}


def test_groups() -> None:
    assert {one: group(one) for one in GROUPS} == GROUPS
    assert sorted(GROUPS, key=rank)[:2] == [list(GROUPS)[1], list(GROUPS)[3]]
