"""What templates that are not ours do: answers in a folder, data of other templates, messages, migrations that park."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import foreign, hard_cases
from tests.updates.commands import as_json, golden_path
from tests.updates.foreign import ANSWERS, Step, line, link, move, write

BRANCH = "golden-path/v2.0.0"
DEEP = ".copier/answers.yml"


def born(source: Path, service: Path, *edits: Step, name: str = ANSWERS) -> Path:
    """A service as ``copier copy`` writes it."""
    return foreign.copied(source, service, "--answers-file", name, edits=edits)


def as_copier(service: Path, folder: Path, name: str = ANSWERS) -> hard_cases.Files:
    git(folder, "clone", "--quiet", str(service), f"plain/{service.name}")
    done = copier("update", "--trust", "--defaults", "--quiet", "--answers-file", name, folder / "plain" / service.name)
    assert done.returncode == 0, done.stderr
    return hard_cases.read(folder / "plain" / service.name)


def upgraded(service: Path, *arguments: str, branch: str = BRANCH) -> hard_cases.Files:
    done = golden_path("apply", service, "--trust", *arguments)
    assert done.returncode == 0, (done.stdout, done.stderr)
    git(service, "switch", "--quiet", branch)
    return hard_cases.read(service)


def test_an_answers_file_in_a_folder(tmp_path: Path) -> None:
    settings = f"_answers_file: {DEEP}\n{foreign.SETTINGS}"
    source = foreign.template(tmp_path / "template", [write("a.txt")], [line("a.txt", 9, "new")], settings=settings)
    service = born(source, tmp_path / "orders", line("a.txt", 20, "mine"), name=DEEP)
    refused = golden_path("plan", service)
    assert (refused.returncode, refused.stderr.count("\n")) == (6, 1)
    assert f"if {DEEP} is the service's answers file, name it with --answers-file {DEEP}" in refused.stderr
    wanted = as_copier(service, tmp_path, DEEP)
    for command in ("plan", "status", "doctor"):
        assert golden_path(command, service, "--answers-file", f"./{DEEP}").returncode == 0
    files = upgraded(service, "--answers-file", DEEP, branch="golden-path/copier-answers-v2.0.0")
    assert {**files, DEEP: wanted[DEEP]} == wanted
    assert b"_commit: v2.0.0" in files[DEEP][1]
    assert golden_path("status", service, "--answers-file", DEEP).stdout.split()[-6:-3] == [
        str(service),
        "v2.0.0",
        "v2.0.0",
    ]
    git(service, "switch", "--quiet", "-")
    assert golden_path("rollback", service, "--answers-file", DEEP).returncode == 0


@pytest.mark.parametrize("name", [".copier/none.yml", "../answers.yml", "/etc/answers.yml"])
def test_an_answers_file_that_is_not_there(name: str, tmp_path: Path) -> None:
    source = foreign.template(tmp_path / "template", [write("a.txt"), write(".copier/x", "x\n")], [])
    service = born(source, tmp_path / "orders")
    done = golden_path("plan", service, "--answers-file", name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1), done.stderr


@pytest.mark.parametrize("path", [".copier-answers.base.yml", ".copier-answers.{{ layer }}.yml", "./data/base.yml"])
def test_data_of_another_template(path: str, tmp_path: Path) -> None:
    """The service's own file, in the renderings of both versions and in defaults, as it is committed."""
    questions = "layer: {type: str, default: base}\nteam: {type: str, default: '{{ _external_data.base.team }}'}\n"
    text = "version {0}\nowner: {{{{ _external_data.base.team }}}}\nend\n"
    source = foreign.template(
        tmp_path / "template", [write("owners.txt.jinja", text.format("one"))],
        [write("owners.txt.jinja", text.format("two")),
         write("new.txt.jinja", "new of {{ _external_data.base.team }}\n")],
        settings=f"_external_data: {{base: '{path}'}}\n{foreign.SETTINGS}", questions=questions,
    )  # fmt: skip
    service = tmp_path / "orders"
    real = path.replace("{{ layer }}", "base").removeprefix("./")
    write(real, "team: payments\n")(service)
    born(source, service)
    write(real, "team: uncommitted\n")(service)
    assert as_json("status", service, "--answers-file", ANSWERS)[0]["drift"] == {}
    git(service, "checkout", "--quiet", "--", real)
    files = upgraded(service, "--answers-file", ANSWERS)
    assert files["owners.txt"][1] == b"version two\nowner: payments\nend\n"
    assert files["new.txt"][1] == b"new of payments\n"
    assert files[real][1] == b"team: payments\n"


def test_data_that_is_not_committed_is_named(tmp_path: Path) -> None:
    source = foreign.template(
        tmp_path / "template", [write("a.txt")], [write("o.txt.jinja", "{{ _external_data.base.team }}\n")],
        settings=f"_external_data: {{base: base.yml}}\n{foreign.SETTINGS}",
    )  # fmt: skip
    service = born(source, tmp_path / "orders", write(".gitignore", "base.yml\n"))
    write("base.yml", "team: payments\n")(service)
    note = "the template reads base.yml (_external_data), which is not committed: it has nothing of it"
    assert as_json("plan", service)["notes"] == [note]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    text = "owner: {{ _external_data.base.team }}\n"
    source = foreign.template(
        tmp_path / "template", [write("o.txt.jinja", text)], [write("o.txt.jinja", f"2 {text}")],
        settings=f"_external_data: {{base: base.yml}}\n{foreign.SETTINGS}",
    )  # fmt: skip
    (tmp_path / "outside.yml").write_text("team: secret\n")
    service = born(source, tmp_path / "orders", link("base.yml", str(tmp_path / "outside.yml")))
    assert upgraded(service)["o.txt"][1] == b"2 owner: \n"


def test_what_the_template_says(tmp_path: Path, renderer: Renderer) -> None:
    messages = (
        "_message_before_update: 'Careful, {{ name }}.'\n"
        "_message_after_update: |\n  Now in {{ _copier_conf.dst_path }}:\n\n  make {{ name }}\n"
        "_message_after_copy: never\n"
    )
    source = foreign.template(tmp_path / "template", [write("a.txt")], [line("a.txt", 9, "new")],
                              settings=messages + foreign.SETTINGS)  # fmt: skip
    service = foreign.service(renderer, source, tmp_path / "orders")
    said = [f"the template says: {text}" for text in ("Careful, orders.", "Now in .:", "make orders")]
    assert as_json("plan", service)["notes"] == said
    done = golden_path("apply", service)
    assert [text.removeprefix("  note      ") for text in done.stdout.splitlines() if "template says" in text] == said
    assert "- the template says: make orders" in git(service, "log", "-1", "--format=%B", BRANCH)


PARK = """_migrations:
- {version: v2.0.0, when: "{{ _stage == 'before' }}", command: "mv d .parked"}
- {version: v2.0.0, when: "{{ _stage == 'after' }}", command: "rm -rf e; mv .parked e"}
"""
LEND = """_migrations:
- {version: v2.0.0, when: "{{ _stage == 'before' }}", command: "mv d/one.txt kept.txt"}
- {version: v2.0.0, when: "{{ _stage == 'after' }}", command: "cat kept.txt >>d/one.txt; rm kept.txt"}
"""


@pytest.mark.parametrize(
    ("migrations", "second"),
    [
        (PARK, [move("d", "e")]),
        (PARK, [move("d", "e"), line("e/one.txt", 3, "new")]),
        (LEND, [line("d/one.txt", 3, "new")]),
    ],
)
def test_a_migration_that_parks_files(migrations: str, second: list[Step], tmp_path: Path) -> None:
    """No conflict, and what comes out is what Copier makes, with files of a person's own in the folder."""
    source = foreign.template(tmp_path / "template", [write("d/one.txt"), write("d/two.txt", "2\n"), write("f", "1\n")],
                              [*second, write("f", "2\n")], settings=migrations + foreign.SETTINGS)  # fmt: skip
    service = born(source, tmp_path / "orders", write("own.txt", "own\n"))
    wanted = as_copier(service, tmp_path)
    assert upgraded(service) == wanted


def test_edits_of_a_parked_file_stay(tmp_path: Path) -> None:
    source = foreign.template(tmp_path / "template", [write("d/one.txt")], [move("d", "e")],
                              settings=PARK + foreign.SETTINGS)  # fmt: skip
    service = born(source, tmp_path / "orders", line("d/one.txt", 9, "mine"), write("d/own.txt", "own\n"))
    files = upgraded(service)
    assert set(files) == {"e/one.txt", "e/own.txt"}
    assert b"mine\n" in files["e/one.txt"][1]


def test_a_conflict_of_a_file_that_is_moved_afterwards_has_its_new_name(tmp_path: Path) -> None:
    after = "_migrations:\n- {version: v2.0.0, command: mkdir -p to && mv a.txt to/a.txt}\n"
    source = foreign.template(tmp_path / "template", [write("a.txt")], [line("a.txt", 9, "new")],
                              settings=after + foreign.SETTINGS)  # fmt: skip
    service = born(source, tmp_path / "orders", line("a.txt", 9, "mine"))
    done = golden_path("apply", service, "--trust")
    assert done.returncode == 3
    assert "  decide    to/a.txt: you and the template changed the same lines" in done.stdout
    assert "a.txt: you" not in done.stdout.replace("to/a.txt: you", "")


def test_the_same_upgrade_is_the_same_commit(tmp_path: Path) -> None:
    """Also where a migration says where it runs, or something else each time."""
    said = "_migrations:\n- {version: v2.0.0, command: 'echo in $(pwd) by {{ _copier_conf.src_path }}'}\n"
    source = foreign.template(tmp_path / "template", [write("a.txt")], [line("a.txt", 9, "new")],
                              settings=said + foreign.SETTINGS)  # fmt: skip
    service = born(source, tmp_path / "orders")
    git(tmp_path, "clone", "--quiet", str(service), "other/orders")
    for folder in (service, tmp_path / "other" / "orders"):
        assert golden_path("apply", folder, "--trust").returncode == 0
    commits = {git(folder, "rev-parse", BRANCH) for folder in (service, tmp_path / "other" / "orders")}
    assert len(commits) == 1
    assert "- migration: in . by TEMPLATE" in git(service, "log", "-1", "--format=%B", BRANCH)
    golden_path("rollback", service)
    (source / "copier.yml").write_text((source / "copier.yml").read_text().replace("echo in", "echo $$ $(date +%N)"))
    commit_all(source)
    git(source, "tag", "--force", "v2.0.0")
    assert golden_path("apply", service, "--trust").returncode == 0
    again = golden_path("apply", service, "--trust", "--data", "name=orders")
    assert again.stdout == f"nothing to do: {BRANCH} is there already\n"


@pytest.mark.parametrize(
    ("theirs", "mine", "reason"),
    [
        (
            [link("at", "b.txt")],
            [link("at", "a.txt"), foreign.delete("at"), write("at", "own\n")],
            "one side made it a link",
        ),
        ([link("at", "b.txt")], [foreign.delete("at"), write("at/x.txt", "own\n")], ""),
        ([foreign.delete("at"), write("at/y.txt", "new\n")], [link("at", "b.txt")], "your at stands where"),
        ([foreign.delete("at"), write("at", "new\n")], [foreign.delete("at"), write("at/x.txt", "own\n")], ""),
        ([line("dir/one.txt", 3, "new")], [move("dir", "gone"), link("dir", "gone")], ""),
        ([line("dir/one.txt", 3, "new")], [move("dir", "gone"), write("dir", "a file\n")], ""),
        ([write("dir/two.txt", "new\n")], [move("dir", "gone"), link("dir", "gone")], "your dir stands where"),
    ],
)
def test_a_link_that_became_something_else(
    theirs: list[Step], mine: list[Step], reason: str, tmp_path: Path, renderer: Renderer
) -> None:
    first = [
        write("a.txt"),
        write("b.txt"),
        link("at", "a.txt"),
        write("dir/one.txt", "".join(f"{n}\n" for n in range(9))),
    ]
    source = foreign.template(tmp_path / "template", first, theirs)
    service = foreign.service(renderer, source, tmp_path / "orders", *mine)
    before = hard_cases.read(service)
    done = golden_path("apply", service)
    assert done.returncode == (3 if reason else 0), (done.stdout, done.stderr)
    assert reason in done.stdout
    git(service, "switch", "--quiet", BRANCH)
    after = hard_cases.read(service)
    for name, content in before.items():
        if name == "at" or name.startswith("at/") or name == "dir":
            assert after[name] == content
    if "gone/one.txt" in after and not reason:
        assert b"new" in after["gone/one.txt"][1]


@pytest.mark.parametrize(
    ("rule", "status", "reason"),
    [
        ("a.txt -merge", "conflict", "your .gitattributes does not let git merge it (-merge)"),
        ("*.txt binary", "conflict", "your .gitattributes does not let git merge it (-merge)"),
        ("a.txt merge=special", "conflict", "your .gitattributes does not let git merge it (merge=special)"),
        ("/a.txt merge=ours", "kept", "your .gitattributes keeps yours (merge=ours)"),
        ("a.txt merge=union", "merged", ""),
        ("b.txt -merge", "merged", ""),
        ("a.txt text", "merged", ""),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_merges_as_the_services_attributes_say(
    rule: str, status: str, reason: str, moved: bool, tmp_path: Path, renderer: Renderer
) -> None:
    source = foreign.template(tmp_path / "template", [write("sub/b.txt"), write("a.txt")], [line("a.txt", 3, "new")])
    mine = [line("a.txt", 20, "mine"), write(".gitattributes", f"{rule}\n")]
    if moved:
        mine = [
            move("a.txt", "dir/a.txt"),
            line("dir/a.txt", 20, "mine"),
            write(".gitattributes", f"dir/{rule.lstrip('/')}\n"),
        ]
    service = foreign.service(renderer, source, tmp_path / "orders", *mine)
    name = "dir/a.txt" if moved else "a.txt"
    by = {one["path"]: (one["status"], one["reason"]) for one in as_json("plan", service)["files"]}
    assert by[name] == (status, reason)
    assert golden_path("apply", service).returncode == (3 if status == "conflict" else 0)
    text = git(service, "show", f"{BRANCH}:{name}").splitlines()
    assert "mine" in text
    assert ("new" in text) == (status == "merged")
    if status != "merged":
        assert "+new" in golden_path("plan", service, "--diff").stdout


def test_union_takes_both(tmp_path: Path, renderer: Renderer) -> None:
    source = foreign.template(tmp_path / "template", [write("a.txt")], [line("a.txt", 9, "new")])
    service = foreign.service(
        renderer, source, tmp_path / "orders", line("a.txt", 9, "mine"), write(".gitattributes", "*.txt merge=union\n")
    )
    assert golden_path("apply", service).returncode == 0
    text = git(service, "show", f"{BRANCH}:a.txt").splitlines()
    assert {"mine", "new"} <= set(text)
