"""Write into deploy/releases which image, and which model, an environment runs: nothing else makes a release move.

usage: promote --to ENVIRONMENT --from ENVIRONMENT [...]   what one environment has, the next one gets
       promote --to ENVIRONMENT --image NAME@sha256:... --version VERSION
       promote --to ENVIRONMENT --model NAME@sha256:... --model-version VERSION
       promote --show ENVIRONMENT                          image=NAME@sha256:... that it runs, or image=, and version=

Prints digest=, version= and changed=true|false, for $GITHUB_OUTPUT; of a model, where the service has one by digest,
model_digest= and model_version= (--show: model= and model_version=). A new one may go into the first environment or a
preview only; whatever comes after takes what the one before it has. Into the last one goes nothing new while the
verb freeze says no; what it says is left in build/freeze.json for promotion. It asks for no signature: the workflows
run `make verify` and `make model-verify` first, and whoever promotes by hand is told to.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from golden_path.service import freeze
from golden_path.service.automation import summarise
from golden_path.service.errors import RefusedError

RELEASES = Path("deploy/releases")
ORDER = ("staging", "production")
PREVIEW = "preview"
ASKED = Path("build/freeze.json")
NOTHING = "sha256:" + "0" * 64
LINE = re.compile(r"^(?P<indent> +digest: )(?P<digest>sha256:[0-9a-f]{64})(?: # (?P<version>.*))?$", re.MULTILINE)
NAME = re.compile(r"^ +(?:- name|newName): (?P<name>\S+)$", re.MULTILINE)


class Part(NamedTuple):
    """What is released on its own: the image, or the model beside it.

    Attributes:
        what: it is.
        folder: of its release, in that of an environment.
        reference: the variable that names a new one.
        version: the variable with its version.
        verb: verifies it.
        prefix: of what is printed for it.
    """

    what: str
    folder: str
    reference: str
    version: str
    verb: str
    prefix: str

    def file(self, environment: str) -> Path:
        return RELEASES / environment / self.folder / "kustomization.yaml"


IMAGE = Part("image", "", "IMAGE_REF", "VERSION", "verify", "")
MODEL = Part("model", "model", "MODEL_REF", "MODEL_VERSION", "model-verify", "model_")
PARTS = (IMAGE, MODEL)


class Move(NamedTuple):
    """A line of a file that gets another digest and version."""

    part: Part
    file: Path
    text: str
    line: re.Match[str]
    digest: str
    version: str

    @property
    def changed(self) -> bool:
        return self.line["digest"] != self.digest

    def write(self) -> None:
        new = f"{self.line['indent']}{self.digest}" + (f" # {self.version}" if self.version else "")
        self.file.write_text(self.text[: self.line.start()] + new + self.text[self.line.end() :], encoding="utf-8")


def read(environment: str, part: Part = IMAGE) -> tuple[Path, str, re.Match[str]]:
    """The file that says what an environment runs, its text, and the line with the digest; raises RefusedError."""
    if not re.fullmatch("[a-z0-9-]+", environment) or not IMAGE.file(environment).exists():
        known = sorted(path.parent.name for path in RELEASES.glob("*/kustomization.yaml"))
        raise RefusedError(f"there is no environment {environment!r}: choose one of {', '.join(known)}")
    if not (file := part.file(environment)).exists():
        raise RefusedError(f"{environment} takes no {part.what} of its own: {file} is not here")
    text = file.read_text(encoding="utf-8")
    found = list(LINE.finditer(text))
    if len(found) != 1:
        raise RefusedError(f"{file} must have exactly one line 'digest: sha256:...', with 64 hex digits")
    return file, text, found[0]


def shown(environment: str, part: Part = IMAGE) -> str:
    """The image or model that an environment runs, or nothing."""
    _, text, line = read(environment, part)
    return "" if line["digest"] == NOTHING else f"{NAME.findall(text)[-1]}@{line['digest']}"


def taken(source: str, target: str, part: Part) -> tuple[str, str]:
    """Digest and version that an environment has, for the one after it."""
    if target not in ORDER[1:] or ORDER[ORDER.index(target) - 1] != source:
        raise RefusedError(f"{target or 'TO'} does not come after {source}: the order is {' -> '.join(ORDER)}")
    _, _, line = read(source, part)
    # No model yet, or none any more: the image has one.
    if line["digest"] == NOTHING and part is IMAGE:
        raise RefusedError(f"{source} runs nothing yet: release something to it first")
    return line["digest"], line["version"] or ""


def given(reference: str, version: str, target: str, part: Part) -> tuple[str, str]:
    """Digest and version of a new image or model."""
    if target not in (ORDER[0], PREVIEW):
        raise RefusedError(
            f"a new {part.what} goes to {ORDER[0]} first: then make promote FROM={ORDER[0]} TO={ORDER[1]}"
        )
    _, text, _ = read(target, part)
    name, _, digest = reference.partition("@")
    expected = NAME.findall(text)[-1]
    if name != expected or not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        raise RefusedError(f"{part.reference} must be {expected}@sha256:..., not {reference!r}; a tag can be moved")
    # It becomes the comment in a line of YAML.
    if not re.fullmatch(r"\S{1,250}", version) or not version.isprintable():
        raise RefusedError(f"{part.version} must be one word, not {version!r}")
    return digest, version


def moves(asked: Mapping[str, str]) -> list[Move]:
    """What is asked for, part by part; raises RefusedError."""
    target, source = asked["to"], asked["from"]
    new = [part for part in PARTS if asked[part.what]]
    if not target or bool(source) == bool(new):
        raise RefusedError("say make promote FROM=staging TO=production, or IMAGE_REF=name@sha256:... TO=staging")
    read(target)
    found = {part: taken(source, target, part) for part in PARTS if source and part.file(target).exists()}
    found |= {part: given(asked[part.what], asked[f"{part.prefix}version"], target, part) for part in new}
    return [Move(part, *read(target, part), *release) for part, release in found.items()]


def git(*arguments: str) -> str:
    """What git says; empty where it does not know."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def revision(version: str) -> str:
    """The commit that a version names, a tag or what `git describe` says."""
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}") if version else ""


def is_older(new: str, old: str) -> bool:
    return new != old and subprocess.run(["git", "merge-base", "--is-ancestor", new, old], check=False).returncode == 0


def goes_back(file: Path, digest: str, version: str, current: str) -> bool:
    """Whether an environment ran this digest before, and its commit is older than that of the current version."""
    new, old = revision(version), revision(current)
    return bool(
        new and old and is_older(new, old) and git("log", "-1", "--full-history", f"-S{digest}", "--", str(file))
    )


def let(changed: list[Move]) -> None:
    """Ask whether production may have it, say and leave what the answer was; raises RefusedError."""
    if any(one.part is IMAGE and one.line["digest"] == NOTHING for one in changed):
        said = "Deploy freeze: not asked, since nothing runs there yet"
    elif all(goes_back(one.file, one.digest, one.version, one.line["version"] or "") for one in changed):
        back = " and ".join(one.version for one in changed)
        said = f"Deploy freeze: not asked, since this goes back to {back}, which ran there before"
    else:
        try:
            said = freeze.check()
        except freeze.FrozenError as reason:
            summarise(f"Deploy freeze: {reason}")
            raise
    sys.stderr.write(f"{said}\n")
    summarise(said)
    ASKED.parent.mkdir(exist_ok=True)
    asked = {"digests": [one.digest for one in changed], "said": said}
    ASKED.write_text(json.dumps(asked) + "\n", encoding="utf-8")


def show(environment: str) -> None:
    """Print what an environment runs."""
    for part in PARTS:
        if part is IMAGE or part.file(environment).exists():
            _, _, line = read(environment, part)
            runs = shown(environment, part)
            sys.stdout.write(f"{part.what}={runs}\n{part.prefix}version={(line['version'] or '') if runs else ''}\n")


def main(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    for name in ("to", "from", "image", "version", "model", "model-version", "show"):
        parser.add_argument(f"--{name}", default="")
    asked = vars(parser.parse_args(arguments))
    try:
        if asked["show"]:
            show(asked["show"])
            return 0
        found = moves(asked)
        changed = [one for one in found if one.changed]
        if changed and asked["to"] == ORDER[-1]:
            let(changed)
        for one in changed:
            one.write()
            if one.digest != NOTHING and asked["to"] in ORDER and "GITHUB_ACTIONS" not in os.environ:
                reference = shown(asked["to"], one.part)
                sys.stderr.write(f"Not verified by this: make {one.part.verb} {one.part.reference}={reference}\n")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  promote: {reason}\n")
        return 2
    for one in found:
        sys.stdout.write(f"{one.part.prefix}digest={one.digest}\n{one.part.prefix}version={one.version}\n")
    sys.stdout.write(f"changed={str(bool(changed)).lower()}\n")
    return 0
