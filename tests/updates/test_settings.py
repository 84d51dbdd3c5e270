"""The same upgrade under whatever settings of git a person has: the same bytes, and nothing of theirs runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import cases, foreign
from tests.updates.commands import golden_path
from tests.updates.foreign import NEW

BRANCH = f"golden-path/{NEW}"
# PROGRAM leaves a trace where it is run. Those of one group do not hide each other.
GROUPS = {
    "how git talks": """
        log.showSignature=true log.date=relative log.decorate=full log.abbrevCommit=true log.follow=true
        log.diffMerges=off log.mailmap=true log.excludeDecoration=* column.ui=always color.ui=always tag.sort=-refname
        format.pretty=oneline i18n.logOutputEncoding=UTF-16 core.quotePath=true core.abbrev=4 branch.sort=-refname
        status.branch=true status.showUntrackedFiles=all grep.lineNumber=true grep.column=true core.pager=PROGRAM
        gpg.program=PROGRAM advice.detachedHead=true
    """,
    "line ends": "core.autocrlf=true core.safecrlf=true core.attributesFile=ATTRIBUTES filter.own.clean=PROGRAM "
    "filter.own.smudge=PROGRAM filter.own.required=true core.whitespace=cr-at-eol i18n.commitEncoding=latin1",
    "line ends of another kind": "core.eol=crlf core.autocrlf=input core.excludesFile=IGNORED core.fileMode=false "
    "filter.own.process=PROGRAM core.symlinks=false core.attributesFile=ATTRIBUTES",
    "differences": """
        diff.external=PROGRAM diff.own.textconv=PROGRAM diff.own.command=PROGRAM diff.noprefix=true diff.context=0
        diff.algorithm=patience diff.renames=false diff.renameLimit=1 diff.orderFile=ATTRIBUTES diff.colorMoved=zebra
        diff.interHunkContext=9 diff.ignoreSubmodules=all diff.wordRegex=. diff.suppressBlankEmpty=true
        core.attributesFile=ATTRIBUTES
    """,
    "merges": """
        merge.conflictStyle=zdiff3 merge.renames=false merge.own.driver=PROGRAM merge.default=own merge.renormalize=true
        merge.directoryRenames=false merge.verbosity=5 merge.tool=own mergetool.own.cmd=PROGRAM rerere.enabled=true
        core.attributesFile=ATTRIBUTES
    """,
    "names and formats": """
        safe.bareRepository=explicit clone.defaultRemoteName=upstream init.defaultBranch=other
        init.templateDir=TEMPLATES core.bigFileThreshold=1 core.compression=0 pack.compression=0
        clone.rejectShallow=true checkout.defaultRemote=upstream push.default=nothing
    """,
    "objects": """
        fetch.prune=true fetch.pruneTags=true fetch.fsckObjects=true transfer.fsckObjects=true
        fetch.recurseSubmodules=true transfer.hideRefs=refs/tags submodule.recurse=true
        core.logAllRefUpdates=always core.commitGraph=false
        gc.auto=1 maintenance.auto=true uploadpack.hideRefs=refs/tags uploadpack.packObjectsHook=PROGRAM
        core.useReplaceRefs=true push.followTags=true remote.pushDefault=other
    """,
    "programs": """
        core.hooksPath=HOOKS core.fsmonitor=PROGRAM core.editor=PROGRAM sequence.editor=PROGRAM alias.log=!PROGRAM
        alias.status=!PROGRAM alias.ls-tree=!PROGRAM pager.log=PROGRAM commit.gpgSign=true tag.gpgSign=true
        push.gpgSign=true user.useConfigOnly=true user.name=Other user.email=other@example.com user.signingKey=x
    """,
}
VARIABLES = {
    "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_PREFIX": "x/",
    "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_NAMESPACE": "other", "GIT_DEFAULT_HASH": "sha256",
    "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "core.autocrlf", "GIT_CONFIG_VALUE_0": "true",
    "GIT_CONFIG_KEY_1": "safe.bareRepository", "GIT_CONFIG_VALUE_1": "explicit",
    "GIT_CONFIG_PARAMETERS": "'column.ui'='always'", "GIT_LITERAL_PATHSPECS": "1", "GIT_NOGLOB_PATHSPECS": "1",
    "GIT_EXTERNAL_DIFF": "/nowhere/diff", "GIT_DIFF_OPTS": "-u0", "GIT_ICASE_PATHSPECS": "1",
    "GIT_AUTHOR_NAME": "Other", "GIT_COMMITTER_EMAIL": "other@example.com",
    "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
    "GIT_TEMPLATE_DIR": "/nowhere", "GIT_PAGER": "/nowhere", "GIT_EDITOR": "/nowhere", "GIT_TRACE": "2",
    "GIT_CEILING_DIRECTORIES": "/", "GIT_REPLACE_REF_BASE": "refs/tags/", "GIT_NO_LAZY_FETCH": "1", "TZ": "Asia/Tokyo",
    "GIT_MERGE_VERBOSITY": "5", "GIT_SHALLOW_FILE": "/nowhere", "GIT_GRAFT_FILE": "/nowhere", "GIT_FLUSH": "0",
}  # fmt: skip


class Person:
    """A person with a service, a second one that has merged the upgrade, and things of their own that must not run."""

    def __init__(self, folder: Path, renderer: Renderer) -> None:
        self.folder = folder
        self.trace = folder / "trace"
        steps = [foreign.line("b.txt", 3, cases.THEIRS), foreign.write("run.sh", "#!/bin/sh\necho new\n"),
                 foreign.move("dir", "moved")]  # fmt: skip
        source = foreign.template(folder / "template", cases.FIRST, steps)
        service = foreign.service(renderer, source, folder / "kept/service", foreign.line("a.txt", 27, cases.MINE),
                                  foreign.line("b.txt", 3, cases.MINE), foreign.append("dir/one.txt", "mine\n"),
                                  foreign.write(".gitattributes", "*.txt diff=own filter=own merge=own\n"))  # fmt: skip
        signed = git(service, "cat-file", "commit", "HEAD").replace("\n\n", f"\ngpgsig {self._signature()}\n\n", 1)
        made = subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=service, input=f"{signed}\n",
                              capture_output=True, text=True, check=True)  # fmt: skip
        git(service, "reset", "--quiet", "--hard", made.stdout.strip())
        merged = Path(shutil.copytree(service, folder / "kept/merged", symlinks=True))
        assert golden_path("apply", merged).returncode == 3
        git(merged, "merge", "--quiet", "--ff-only", BRANCH)
        git(merged, "branch", "--quiet", "-D", BRANCH)
        for name in ("hooks", "templates/hooks"):
            (folder / name).mkdir(parents=True)
            for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-push"):
                self._program(folder / name / hook)
        self._program(folder / "program")
        (folder / "attributes").write_text("* text eol=crlf filter=own diff=own merge=own\n")
        (folder / "ignored").write_text("*\n")

    def _signature(self) -> str:
        return "-----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----"

    def _program(self, path: Path) -> None:
        path.write_text(f"#!/bin/sh\necho $0 >>{self.trace}\ncat\n")
        path.chmod(0o755)

    def settings(self, group: str) -> Iterator[tuple[str, str]]:
        places = {"PROGRAM": "program", "ATTRIBUTES": "attributes", "IGNORED": "ignored", "HOOKS": "hooks",
                  "TEMPLATES": "templates"}  # fmt: skip
        for one in GROUPS[group].split():
            for word, name in places.items():
                one = one.replace(word, str(self.folder / name))
            yield one.partition("=")[0], one.partition("=")[2]

    def file(self, path: Path, group: str) -> Path:
        for name, value in self.settings(group):
            git(self.folder, "config", "--file", str(path), "--add", name, value)
        return path

    def run(self, *, local: str = "", **env: str) -> list[str]:
        """All that the commands say and make; the second time with what the first left in the cache."""
        said = []
        env["XDG_CACHE_HOME"] = str(self.folder / "cache")
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        for name in ("service", "merged"):
            place = self.folder / name
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.folder / "kept" / name, place, symlinks=True)
            (place / "a.txt").touch()  # git has to look at what is in it
            if local:
                self.file(place / ".git/config", local)
            verbs = [["plan", "--json"], ["plan", "--diff"], ["apply", "--json"], ["status", "--json"]]
            for verb, *more in [*verbs, ["rollback", "--json"]] if name == "service" else [["status"], ["rollback"]]:
                done = golden_path(verb, place, *more, **env)
                said += [f"{name} {verb} {done.returncode}", done.stdout, done.stderr]
                said += [git(place, "for-each-ref")]
        return said


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, renderer: Renderer, kept: Path) -> Person:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(kept))
        return Person(tmp_path_factory.mktemp("person"), renderer)


def test_the_same_bytes_under_all_settings_and_variables(person: Person) -> None:
    expected = person.run()
    assert json.loads(expected[1])["to"] == NEW
    assert [line.rpartition(" ")[2] for line in expected[::4]] == ["3", "3", "3", "0", "0", "0", "0"], expected
    count = len(VARIABLES)
    for group in GROUPS:
        count += len(list(person.settings(group)))
        for where in ("global", "local"):
            file = person.file(person.folder / f"{group}.gitconfig", group)
            found = person.run(GIT_CONFIG_GLOBAL=str(file)) if where == "global" else person.run(local=group)
            assert [one for one in zip(found, expected, strict=True) if one[0] != one[1]] == [], f"{group}, {where}"
            assert not person.trace.exists(), f"{group}, {where}: {person.trace.read_text()}"
    assert (person.run(**VARIABLES), person.trace.exists()) == (expected, False)
    assert count > 100
