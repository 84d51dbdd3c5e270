"""A version goes through the rings of a fleet, stops where one turns red, and is taken back; twice is once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import cases, fleets
from tests.updates.commands import as_process, command, environment, golden_path
from tests.updates.fleets import BRANCH, REVERT, Fleet
from tests.updates.foreign import NEW, OLD


def rings(told: dict[str, object]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in told["rings"]}  # type: ignore[attr-defined]


def states(told: dict[str, object]) -> set[str]:
    return {one["state"] for one in told["services"]}  # type: ignore[attr-defined]


def test_sixty_services_of_which_the_second_ring_turns_red(tmp_path: Path, renderer: Renderer) -> None:
    """The rollout stops before the third ring, and takes back what was merged."""
    fleet = fleets.make(tmp_path, renderer, {"first": 5, "second": 20, "third": 35})
    fleet.write(ring={"second": ", require: 80%, max_red: 10%"})
    first, second, third = fleet.rings.values()
    start = git(first[0], "rev-parse", "main^{tree}")
    untouched = [fleets.refs(one) for one in third]

    told = fleet.told("advance")
    assert (told["version"], told["state"]) == (NEW, "running")
    assert rings(told) == {"first": "running", "second": "waiting", "third": "waiting"}
    assert states(told) == {"pending"}
    assert all(fleets.branches(one) == [BRANCH, "main"] for one in first)
    assert all(fleets.branches(one) == ["main"] for one in second)

    fleets.ci(first, "green")
    fleets.merge(first)
    told = fleet.told("advance")
    assert rings(told) == {"first": "passed", "second": "running", "third": "waiting"}
    assert all(fleets.branches(one) == [BRANCH, "main"] for one in second)

    merged = second[:12]
    fleets.ci(second, "green")
    fleets.merge(merged)
    told = fleet.told("advance")
    assert rings(told)["second"] == "running"  # 12 of 20 are not enough
    fleets.ci(merged[:2], "red", "main")
    assert rings(fleet.told("advance"))["second"] == "running"  # 2 of 20 are allowed
    fleets.ci(merged[2:3], "red", "main")
    done = fleet.run("advance")
    assert done.returncode == 11
    assert done.stdout.splitlines()[0] == (
        f"{NEW}: stopped: 3 of 20 services of the ring second are red (second-01, second-02, second-03), and at most "
        "10% may be"
    )
    assert fleet.events() == ["start", "ring", "ring", "stop"]

    assert [fleets.refs(one) for one in third] == untouched
    for one in (*first, *merged):
        assert fleets.branches(one) == [REVERT, "main"]
        assert git(one, "rev-parse", f"{REVERT}^{{tree}}") == start
    assert all(fleets.branches(one) == ["main"] for one in second[12:])
    assert rings(fleet.told("status")) == {"first": "stopped", "second": "stopped", "third": "waiting"}

    fleets.merge((*first, *merged), REVERT)
    told = fleet.told("advance")
    assert (told["state"], rings(told)["third"]) == ("back", "waiting")
    assert {git(one, "rev-parse", "main^{tree}") for one in fleet.services} == {start}
    done = fleet.run("advance")
    assert (done.returncode, fleet.events()) == (11, ["start", "ring", "ring", "stop", "back"])
    assert f"or try this one again with --to {NEW}" in done.stdout


@pytest.fixture
def small(tmp_path: Path, renderer: Renderer) -> Fleet:
    return fleets.make(tmp_path, renderer, {"first": 3, "rest": 4})


def by_hand(service: Path, folder: Path, version: str) -> None:
    """Upgrade a service as its people do, without the fleet, and merge that."""
    git(folder.parent, "clone", "--quiet", str(service), folder.name)
    assert golden_path("apply", folder, "--to", version).returncode in (0, 3)
    git(folder, "push", "--quiet", "origin", f"golden-path/{version}:main")


def test_the_ledger_knows_what_was_upgraded_by_hand(small: Fleet, tmp_path: Path) -> None:
    """A version that its ring has not brought, and one that no rollout has brought; each is written once."""
    git(small.template, "commit", "--quiet", "--allow-empty", "--message", "v3")
    git(small.template, "tag", "v3.0.0")
    [first, *_], [rest, *_] = small.rings.values()
    by_hand(rest, tmp_path / "one", NEW)
    assert small.told("advance", "--to", NEW)["hand"] == {}  # its ring has not started
    by_hand(first, tmp_path / "other", "v3.0.0")
    assert small.told("advance")["hand"] == {"first-01": "v3.0.0"}
    fleets.ci(small.rings["first"][1:], "green")
    fleets.merge(small.rings["first"][1:])
    fleets.ci([first], "green", "main")
    told = small.told("advance")
    assert told["hand"] == {"first-01": "v3.0.0", "rest-01": NEW}
    assert [one["state"] for one in told["services"]] == ["merged", "pending", "pending", "pending"]
    assert small.events() == ["start", "ring", "hand", "ring", "hand"]
    assert f"  by hand    rest-01 has {NEW}\n" in small.run("advance").stdout
    assert small.events() == ["start", "ring", "hand", "ring", "hand"]


def test_all_the_way(small: Fleet) -> None:
    start = git(small.services[0], "rev-parse", "main")
    for ring in small.rings.values():
        small.run("advance")
        fleets.ci(ring, "green")
        assert states(small.told("advance")) == {"ready"}
        fleets.merge(ring)
    told = small.told("advance")
    assert (told["state"], rings(told)) == ("done", {"first": "passed", "rest": "passed"})
    assert small.run("advance").returncode == 0
    assert small.events() == ["start", "ring", "ring", "done"]
    for one in small.services:
        assert git(one, "rev-list", "--count", f"{start}..main") == "1"
        assert cases.THEIRS in git(one, "show", "main:b.txt")
        assert cases.MINE in git(one, "show", "main:a.txt")


def test_twice_is_once(small: Fleet) -> None:
    small.run("advance")
    once = [fleets.refs(one) for one in (*small.services, small.folder)]
    for verb in ("advance", "judge", "status"):
        assert small.run(verb).returncode == 0
        assert [fleets.refs(one) for one in (*small.services, small.folder)] == once


def test_judge_and_status_touch_no_service(small: Fleet) -> None:
    before = [fleets.refs(one) for one in small.services]
    assert small.run("status").stdout == "no version is rolled out: start with golden-path fleet advance\n"
    told = small.told("judge", "--shard-size", "2")
    assert (told["shards"], states(told)) == (["1/2", "2/2"], {"todo"})
    assert [fleets.refs(one) for one in small.services] == before


def test_shards_do_all_together(small: Fleet) -> None:
    small.run("judge")
    runs = [
        subprocess.Popen(command("fleet", "advance", small.file, "--shard", f"{index}/2"), env=environment(),
                         stdout=subprocess.DEVNULL)
        for index in (1, 2)
    ]  # fmt: skip
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    assert all(BRANCH in fleets.branches(one) for one in small.rings["first"])
    assert small.events() == ["start", "ring"]
    assert small.run("advance", "--shard", "3/2").returncode == 2


def test_killed_in_the_middle_of_a_ring(tmp_path: Path, renderer: Renderer) -> None:
    """Kill -9 after some pushes; the next run does the rest, and no branch is written twice."""
    fleet = fleets.make(tmp_path, renderer, {"first": 12, "rest": 1})
    ring = fleet.rings["first"]
    for one in ring:
        git(one, "config", "core.logAllRefUpdates", "always")
    process = subprocess.Popen(
        command("fleet", "advance", fleet.file, "--jobs", "2"), env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not any(BRANCH in fleets.branches(one) for one in ring[:4]) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = [one for one in ring if BRANCH in fleets.branches(one)]
    assert 0 < len(done) < len(ring)
    kept = {one: git(one, "rev-parse", BRANCH) for one in done}
    told = fleet.told("advance")
    assert states(told) == {"pending"}
    tips = {git(one, "rev-parse", f"{BRANCH}^{{tree}}") for one in ring}
    assert len(tips) == 1
    for one in ring:
        assert len(git(one, "reflog", "show", "--format=%H", f"refs/heads/{BRANCH}").splitlines()) == 1
        assert git(one, "fsck", "--strict") == ""
        assert kept.get(one, git(one, "rev-parse", BRANCH)) == git(one, "rev-parse", BRANCH)
    assert fleet.events() == ["start", "ring"]


def test_killed_before_any_call_of_git(tmp_path: Path, renderer: Renderer) -> None:
    """Forward and back: wherever it ends, the next runs end in the same refs."""
    fleet = fleets.make(tmp_path, renderer, {"first": 2})
    fakes, count, fatal = tmp_path / "bin", tmp_path / "count", tmp_path / "fatal"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    fakes.mkdir()
    (fakes / "git").write_text(
        f'#!/bin/sh\necho "$@" >> {count}\n'
        f'[ "$(wc -l < {count})" -ne "$(cat {fatal})" ] || kill -9 $PPID\nexec {real} "$@"\n'
    )
    (fakes / "git").chmod(0o755)
    path = f"{fakes}:{os.environ['PATH']}"

    def complete(number: int, verb: str) -> bool:
        """Kill a run before a call of git, then let one end; returns whether the first one ended itself."""
        count.write_text("")
        fatal.write_text(f"{number}\n")
        killed = as_process("fleet", verb, fleet.file, "--jobs", "1", PATH=path).returncode != -signal.SIGKILL
        fleet.run(verb)
        return killed

    for number in (3, 8, 14, 21, 29, 38, 48, 10_000):
        ended = complete(number, "advance")
        assert [fleets.branches(one) for one in fleet.services] == [[BRANCH, "main"]] * 2
        complete(number, "rollback")
        assert [fleets.branches(one) for one in fleet.services] == [["main"]] * 2
        assert fleet.events()[-2:] == ["stop", "back"]
        git(fleet.folder, "branch", "--quiet", "-D", fleets.LEDGER)
    assert ended


def test_two_at_once(small: Fleet) -> None:
    busy = f"golden-path: another golden-path process is using {small.file}: try again when it has finished\n"
    seen: set[tuple[int, str]] = set()
    for _ in range(5):  # on a busy machine one may have ended before the next begins
        runs = [subprocess.Popen(command("fleet", "advance", small.file), env=environment(), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for _ in range(3)]  # fmt: skip
        seen |= {(run.wait(timeout=120), (run.stderr or run).read()) for run in runs}  # type: ignore[union-attr]
        assert seen <= {(0, ""), (7, busy)}
        assert small.events() == ["start", "ring"]
        if (7, busy) in seen:
            break
    assert seen == {(0, ""), (7, busy)}


def test_an_unreachable_service_is_one_line_and_not_green(small: Fleet) -> None:
    small.write(ring={"first": ", require: 60%, max_red: 0"})
    gone = small.rings["first"][1]
    gone.rename(gone.with_name("elsewhere"))
    done = small.run("advance")
    assert done.returncode == 4
    assert done.stderr.startswith(f"golden-path: first-02: {gone} cannot be reached: check the address and your access")
    assert len(done.stderr.splitlines()) == 1
    assert "2 pending, 1 failed" in done.stdout
    others = [one for one in small.rings["first"] if one != gone]
    fleets.ci(others, "green")
    fleets.merge(others[:1])
    assert rings(small.told("advance"))["rest"] == "waiting"
    fleets.merge(others[1:])
    assert rings(small.told("advance")) == {"first": "passed", "rest": "running"}


def test_a_check_of_the_fleets_own(tmp_path: Path, renderer: Renderer) -> None:
    """Without a forge and a CI, fleet.yaml names a command; a service that needs the old line turns red by itself."""
    fleet = fleets.make(tmp_path, renderer, {"first": 2, "rest": 1})
    fleet.write("defaults: {check: \"! test -e needs-old || grep -qx 'other 3' b.txt\"}")
    assert states(fleet.told("advance")) == {"ready"}
    told = fleet.told("advance")
    assert states(told) == {"ready"}
    broken = fleet.rings["first"][1]
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(broken), str(checkout))
    (checkout / "needs-old").write_text("")
    git(checkout, "add", "needs-old")
    git(checkout, "commit", "--quiet", "--message", "Need it")
    git(checkout, "merge", "--quiet", "--no-edit", f"origin/{BRANCH}")
    git(checkout, "push", "--quiet", "origin", "main")
    done = fleet.run("advance")
    assert (done.returncode, fleet.events()) == (11, ["start", "ring", "stop"])
    assert "1 of 2 services of the ring first are red (first-02), and at most 0% may be" in done.stdout
    assert fleets.branches(broken) == [REVERT, BRANCH, "main"]
    assert fleets.branches(fleet.rings["first"][0]) == ["main"]
    commit = git(broken, "rev-parse", "main")
    text = git(broken, "cat-file", "blob", f"refs/golden-path/checks/{commit}")
    assert text.splitlines()[0] == "red"
    assert "exit code 1" in text
    assert git(broken, "show", f"{REVERT}:needs-old") == ""
    assert "other 3" in git(broken, "show", f"{REVERT}:b.txt").splitlines()


def test_services_without_checks(small: Fleet) -> None:
    """Required, they never let a ring pass; optional, merged is green."""
    first = small.rings["first"]
    small.run("advance")
    fleets.merge(first)
    assert states(small.told("advance")) == {"merged"}
    small.write("defaults: {checks: optional}")
    assert rings(small.told("advance")) == {"first": "passed", "rest": "running"}


def test_soak(small: Fleet) -> None:
    small.write("defaults: {soak: 3s, green: checked}")
    small.run("advance")
    fleets.ci(small.rings["first"], "green")
    assert rings(small.told("advance")) == {"first": "soaking", "rest": "waiting"}
    fleets.ci(small.rings["first"][:1], "pending")
    assert rings(small.told("advance"))["first"] == "running"
    fleets.ci(small.rings["first"], "green")
    assert rings(small.told("advance"))["first"] == "soaking"
    time.sleep(3)
    assert rings(small.told("advance")) == {"first": "passed", "rest": "running"}
    assert small.events() == ["start", "ring", "enough", "lack", "enough", "ring"]


def test_rollback_by_hand_and_again(small: Fleet) -> None:
    first = small.rings["first"]
    small.run("advance")
    fleets.ci(first, "green")
    fleets.merge(first[:1])
    done = small.run("rollback", "--reason", "latency rose")
    assert done.returncode == 11
    assert f"{NEW}: stopped: latency rose" in done.stdout
    assert [fleets.branches(one) for one in first] == [[REVERT, "main"], ["main"], ["main"]]
    assert small.run("advance", "--to", OLD).returncode == 10
    fleets.merge(first[:1], REVERT)
    assert small.told("rollback")["state"] == "back"
    assert "nothing to roll back" in small.run("rollback").stderr
    again = small.told("advance", "--to", NEW)
    assert (again["state"], states(again)) == ("running", {"pending", "ready"})  # the same commits were green before
    assert all(BRANCH in fleets.branches(one) for one in first)


def test_a_persons_commit_on_the_branch_stays(small: Fleet, tmp_path: Path) -> None:
    small.run("advance")
    one = small.rings["first"][0]
    git(tmp_path, "clone", "--quiet", "--branch", BRANCH, str(one), "work")
    git(tmp_path / "work", "commit", "--quiet", "--allow-empty", "--message", "Mine")
    git(tmp_path / "work", "push", "--quiet")
    mine = git(one, "rev-parse", BRANCH)
    small.run("advance")
    assert git(one, "rev-parse", BRANCH) == mine
    assert small.told("rollback")["state"] == "stopped"
    assert git(one, "rev-parse", BRANCH) == mine
    assert all(BRANCH not in fleets.branches(other) for other in small.rings["first"][1:])


def test_a_branch_that_cannot_be_merged_any_more_is_made_anew(small: Fleet, tmp_path: Path) -> None:
    small.run("advance")
    one, other = small.rings["first"][:2]
    before = git(other, "rev-parse", BRANCH)
    for service, number in ((one, 3), (other, 20)):
        work = tmp_path / service.stem
        git(tmp_path, "clone", "--quiet", "--branch", "main", str(service), str(work))
        text = (work / "b.txt").read_text().splitlines(keepends=True)
        (work / "b.txt").write_text("".join([*text[: number - 1], "mine\n", *text[number:]]))
        git(work, "commit", "--quiet", "--all", "--message", "Mine")
        git(work, "push", "--quiet")
    told = small.told("advance")
    assert git(one, "rev-parse", f"{BRANCH}^") == git(one, "rev-parse", "main")
    assert git(other, "rev-parse", BRANCH) == before
    assert {entry["name"]: entry["conflicts"] for entry in told["services"]} == {
        "first-01": 1, "first-02": 0, "first-03": 0,
    }  # fmt: skip
    shown = git(one, "show", f"{BRANCH}:b.txt")
    assert "mine" in shown
    assert "<<<<" not in shown


def test_the_ledger_is_in_origin_and_a_second_machine_that_lost_the_race_says_so(small: Fleet, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(small.folder), "origin.git")
    git(small.folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(tmp_path, "clone", "--quiet", "origin.git", "second")
    second = Fleet(tmp_path / "second", small.template, small.rings)
    assert small.run("judge").returncode == 0
    assert second.told("status")["version"] == NEW
    hook = tmp_path / "origin.git/hooks/pre-receive"
    moved = git(tmp_path / "origin.git", "rev-parse", fleets.LEDGER)
    fleets.ci(small.rings["first"], "green")
    second.run("advance")
    fleets.ci(small.rings["first"], "green")
    fleets.merge(small.rings["first"])
    move = f"env -u GIT_QUARANTINE_PATH git update-ref refs/heads/{fleets.LEDGER} main {moved}"
    hook.write_text(f"#!/bin/sh\n[ $(cat) = x ] || {move}\n")
    hook.chmod(0o755)
    done = small.run("judge")
    assert done.returncode == 7
    assert "did another run write it meanwhile? run again" in done.stderr
    assert len(done.stderr.splitlines()) == 1
