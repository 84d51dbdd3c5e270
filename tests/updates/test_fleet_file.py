"""``fleet.yaml``: what it means, and every mistake in it as one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.errors import Exit, FleetError
from golden_path.rollout import fleet_file
from tests.labs.template import commit_all, git
from tests.updates.commands import golden_path
from tests.updates.fleets import LEDGER

GOOD = """\
template: gh:acme/golden-path
defaults:
  require: 90%
  checks: optional
  check: make check
rings:
  - name: first
    require: 1
    soak: 2h
    green: checked
  - name: rest
    max_red: 0.05
services:
  - name: orders
    git: https://github.com/acme/orders.git
    ring: first
  - name: pay
    git: ../pay
    ring: rest
    answers_file: .copier-answers.base.yml
    check: make test
    data: {owner: me, size: 3}
  - {name: mail, git: "git@git.example.com:acme/mail.git", ring: rest, forge: github, checks: required}
"""


def load(folder: Path, text: str) -> fleet_file.Fleet:
    (folder / "fleet.yaml").write_text(text)
    return fleet_file.load(folder / "fleet.yaml")


def test_what_it_means(tmp_path: Path) -> None:
    fleet = load(tmp_path, GOOD)
    first, rest = fleet.rings
    assert (first.require, first.max_red, first.soak, first.green) == (1.0, 0.0, 7200, "checked")
    assert (rest.require, rest.max_red, rest.soak, rest.green) == (0.9, 0.05, 0, "merged")
    orders, pay, mail = fleet.members
    assert (orders.forge, orders.checks, orders.check) == ("github", "optional", "")
    assert (pay.forge, pay.git, pay.check) == ("none", str(tmp_path.parent / "pay"), "make test")
    assert (pay.answers_file, pay.data) == (".copier-answers.base.yml", {"owner": "me", "size": "3"})
    assert (mail.forge, mail.checks, mail.ring) == ("github", "required", "rest")


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("template: gh:acme/golden-path\n", "", "1: ", "template is missing"),
        ("gh:acme/golden-path", "../golden-path", "1: template: ", "must be an address or an absolute path"),
        ("  require: 90%", "  requires: 90%", "3: defaults.requires: ", "there is no such key; there are answers"),
        ("  require: 90%", "  require: 190%", "3: defaults.require: ", "must be a share, from 0% to 100%"),
        ("    require: 1", "    require: most", "8: rings[0].require: ", "must be a share"),
        ("soak: 2h", "soak: 99999999d", "9: rings[0].soak: ", "must be a number of at most 6 digits"),
        ("soak: 2h", "soak: 2 hours", "9: rings[0].soak: ", "must be a number with s, m, h or d, such as 2h, not '2 h"),
        ("green: checked", "green: yes", "10: rings[0].green: ", "must be merged or checked, not 'yes'"),
        ("  - name: rest", "  - name: first", "11: rings[1].name: ", "there is another 'first'"),
        ("  - name: rest", "  - name: [rest]", "11: rings[1].name: ", "must be one value, not a list"),
        ("    max_red: 0.05", "    name: other", "12: rings[1].name: ", "stands here twice"),
        ("    ring: first", "    ring: third", "16: services[0].ring: ", "there is no ring 'third'; there are first"),
        ("    ring: first", "    ring: rest", "7: rings[0]: ", "the ring first has no services"),
        ("    ring: first", "    ring:", "16: services[0].ring: ", "must not be empty"),
        ("name: pay", "name: orders", "17: services[1].name: ", "there is another 'orders'"),
        ("name: pay", "name: a b", "17: services[1].name: ", "must be letters, digits"),
        ("    git: ../pay\n", "", "17: services[1]: ", "git is missing"),
        ("git: ../pay", "git: ext::sh -c x", "18: services[1].git: ", "must be https://"),
        ("git: ../pay", "git: --upload-pack=x", "18: services[1].git: ", "must be https://"),
        ("git: ../pay", "git: https://me:secret@example.com/x", "18: services[1].git: ", "must not have a password"),
        ("git: ../pay", "git: ../pay\n    forge: github", "18: services[1].git: ", "is no address of a rep"),
        ("git: ../pay", "git: ../pay\n    forge: gitlab", "19: services[1].forge: ", "must be github or none"),
        ("    data: {owner: me, size: 3}", "    data: [owner]", "22: services[1].data: ", "must be a mapping, not a"),
        ("ring: rest, forge", "check: x, ring: rest, forge", "23: services[2].check: ", "is only for services without"),
        (GOOD[GOOD.index("rings:") :], "rings: []\nservices: []\n", "6: rings: ", "must not be empty"),
        ("  - name: rest", "  - name: rest\n  bad", "13", ": is not valid YAML"),
        (GOOD, "", "1: ", "is empty"),
        (GOOD, "- a", "1: ", "must be a mapping, not a list"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line_with_its_place(tmp_path: Path, old: str, new: str, place: str, reason: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(FleetError) as found:
        load(tmp_path, GOOD.replace(old, new, 1))
    text = str(found.value)
    assert text.startswith(f"{tmp_path / 'fleet.yaml'}:{place}"), text
    assert reason in text
    assert "\n" not in text
    assert "secret" not in text
    assert found.value.code == Exit.FLEET


def test_the_command_says_it(tmp_path: Path) -> None:
    done = golden_path("fleet", "advance", tmp_path / "fleet.yaml")
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr == f"golden-path: {tmp_path / 'fleet.yaml'} cannot be read: No such file or directory\n"
    load(tmp_path, GOOD)
    done = golden_path("fleet", "advance", tmp_path / "fleet.yaml")
    assert done.returncode == 10
    assert "is in no git repository: commit it to one" in done.stderr


def test_a_damaged_ledger_and_a_ring_that_is_gone(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    commit_all(tmp_path)
    for text, reason in (
        ("{]\n", "the ledger is damaged"),
        ('{"at": "2026-01-01T00:00:00+00:00", "event": "jump"}\n', "the ledger is damaged (unknown event"),
        (
            '{"at": "2026-01-01T00:00:00+00:00", "event": "start", "version": "v2.0.0"}\n'
            '{"at": "2026-01-01T00:00:00+00:00", "event": "ring", "ring": "gone"}\n',
            "the rollout of v2.0.0 is in the ring 'gone', which is not there any more",
        ),
    ):
        (tmp_path / "ledger.jsonl").write_text(text)
        git(tmp_path, "switch", "--quiet", "--orphan", "ledger")
        git(tmp_path, "add", "ledger.jsonl")
        git(tmp_path, "commit", "--quiet", "--message", "x")
        git(tmp_path, "branch", "--force", LEDGER)
        git(tmp_path, "switch", "--quiet", "main")
        git(tmp_path, "branch", "--quiet", "-D", "ledger")
        done = golden_path("fleet", "status", tmp_path / "fleet.yaml")
        assert done.returncode == 10
        assert reason in done.stderr
        assert len(done.stderr.splitlines()) == 1
