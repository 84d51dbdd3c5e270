"""Write into deploy/releases which image an environment runs: nothing else makes a release move.

usage: promote --to ENVIRONMENT --from ENVIRONMENT [...]   what one environment has, the next one gets
       promote --to ENVIRONMENT --image NAME@sha256:... --version VERSION
       promote --show ENVIRONMENT                          image=NAME@sha256:... that it runs, or image=, and version=

Prints digest=, version= and changed=true|false, for $GITHUB_OUTPUT. A new image may go into the first environment or a
preview only; whatever comes after takes what the one before it has. Into the last one goes nothing new while the
verb freeze says no; what it says is left in build/freeze.json for promotion. It asks for no signature: the workflows
run `make verify` first, and whoever promotes by hand is told to.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

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


def read(environment: str) -> tuple[Path, str, re.Match[str]]:
    file = RELEASES / environment / "kustomization.yaml"
    if not re.fullmatch("[a-z0-9-]+", environment) or not file.exists():
        known = sorted(path.parent.name for path in RELEASES.glob("*/kustomization.yaml"))
        raise RefusedError(f"there is no environment {environment!r}: choose one of {', '.join(known)}")
    text = file.read_text(encoding="utf-8")
    found = list(LINE.finditer(text))
    if len(found) != 1:
        raise RefusedError(f"{file} must have exactly one line 'digest: sha256:...', with 64 hex digits")
    return file, text, found[0]


def shown(environment: str) -> str:
    """The image that an environment runs, or nothing."""
    _, text, line = read(environment)
    return "" if line["digest"] == NOTHING else f"{NAME.findall(text)[-1]}@{line['digest']}"


def taken(source: str, target: str) -> tuple[str, str]:
    """Digest and version that an environment has, for the one after it."""
    if target not in ORDER[1:] or ORDER[ORDER.index(target) - 1] != source:
        raise RefusedError(f"{target or 'TO'} does not come after {source}: the order is {' -> '.join(ORDER)}")
    _, _, line = read(source)
    if line["digest"] == NOTHING:
        raise RefusedError(f"{source} runs nothing yet: release something to it first")
    return line["digest"], line["version"] or ""


def given(image: str, version: str, target: str) -> tuple[str, str]:
    """Digest and version of a new image."""
    if target not in (ORDER[0], PREVIEW):
        raise RefusedError(f"a new image goes to {ORDER[0]} first: then make promote FROM={ORDER[0]} TO={ORDER[1]}")
    _, text, _ = read(target)
    name, _, digest = image.partition("@")
    expected = NAME.findall(text)[-1]
    if name != expected or not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        raise RefusedError(f"IMAGE_REF must be {expected}@sha256:..., not {image!r}; a tag can be moved")
    # It becomes the comment in a line of YAML.
    if not re.fullmatch(r"\S{1,250}", version) or not version.isprintable():
        raise RefusedError(f"VERSION must be one word, not {version!r}")
    return digest, version


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


def let(file: Path, line: re.Match[str], digest: str, version: str) -> None:
    """Ask whether production may have it, say and leave what the answer was; raises RefusedError."""
    if line["digest"] == NOTHING:
        said = "Deploy freeze: not asked, since nothing runs there yet"
    elif goes_back(file, digest, version, line["version"] or ""):
        said = f"Deploy freeze: not asked, since this goes back to {version}, which ran there before"
    else:
        try:
            said = freeze.check()
        except freeze.FrozenError as reason:
            summarise(f"Deploy freeze: {reason}")
            raise
    sys.stderr.write(f"{said}\n")
    summarise(said)
    ASKED.parent.mkdir(exist_ok=True)
    ASKED.write_text(json.dumps({"digest": digest, "said": said}) + "\n", encoding="utf-8")


def main(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    for name in ("to", "from", "image", "version", "show"):
        parser.add_argument(f"--{name}", default="")
    asked = vars(parser.parse_args(arguments))
    try:
        if asked["show"]:
            _, _, line = read(asked["show"])
            image = shown(asked["show"])
            sys.stdout.write(f"image={image}\nversion={(line['version'] or '') if image else ''}\n")
            return 0
        if not asked["to"] or bool(asked["from"]) == bool(asked["image"]):
            raise RefusedError("say make promote FROM=staging TO=production, or IMAGE_REF=name@sha256:... TO=staging")
        read(asked["to"])
        digest, version = (
            taken(asked["from"], asked["to"]) if asked["from"] else given(asked["image"], asked["version"], asked["to"])
        )
        file, text, line = read(asked["to"])
        changed = line["digest"] != digest
        if changed and asked["to"] == ORDER[-1]:
            let(file, line, digest, version)
        if changed:
            new = f"{line['indent']}{digest}" + (f" # {version}" if version else "")
            file.write_text(text[: line.start()] + new + text[line.end() :], encoding="utf-8")
            if asked["to"] in ORDER and "GITHUB_ACTIONS" not in os.environ:
                sys.stderr.write(f"Not verified by this: make verify IMAGE_REF={shown(asked['to'])}\n")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  promote: {reason}\n")
        return 2
    sys.stdout.write(f"digest={digest}\nversion={version}\nchanged={str(changed).lower()}\n")
    return 0
