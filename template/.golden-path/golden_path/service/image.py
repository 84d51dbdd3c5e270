"""Build the image with the command in $BAKE.

usage: image TARGET LOCK...

One line when it succeeds. When it fails: BuildKit's output, then one line that says what to do about the usual causes.
The output is kept in build/image.log, and of what went into the registry the reference in build/image-ref.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from golden_path.service.errors import RefusedError
from golden_path.service.version import buildable, local_image, tag

BUILD = Path("build")
# What BuildKit, or the package manager in it, says, and what it means.
LOCK = "run 'make lock' and commit it"
CAUSES = [
    (r"unknown flag: --progress|'buildx' is not a docker command", "docker has no buildx plugin: install it"),
    (
        "ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_LOCKFILE_CONFIG_MISMATCH",
        f"pnpm-lock.yaml does not match package.json: {LOCK}",
    ),
    (r"missing go\.sum entry|updates to go\.mod needed", f"go.sum does not match go.mod: {LOCK}"),
    (r"(requirements\S*\.txt does not match the dependencies in pyproject\.toml)", f"{{0}}: {LOCK}"),
    (
        r"(SECURITY ERROR|checksum mismatch|ERR_PNPM_TARBALL_INTEGRITY|PACKAGES DO NOT MATCH THE HASHES)",
        "a package is not the one that the lock names ({0}): do not update the lock before you know why",
    ),
    (
        r"(?:Trusted checksum|trusted checksum|Checksum validation failed)",
        f"an artifact has no checksum in .mvn/checksums, or another: {LOCK}",
    ),
    (
        r"(?:failed to do request|dial tcp)[^\n]*?(?:\"?https?://)?([\w.-]+:\d+|[\w-]+(?:\.[\w-]+)+)[^\n]*"
        r"(?:connection refused|no such host|i/o timeout)",
        "{0} cannot be reached: check the network, the registry and the proxy",
    ),
    (
        r"(?:401 Unauthorized|403 Forbidden|denied: |insufficient_scope)",
        "the registry refuses access: run 'docker login' for it",
    ),
]


def cause(output: str) -> str:
    for pattern, meaning in CAUSES:
        if found := re.search(pattern, output):
            return meaning.format(*found.groups())
    return "see the output above"


def cached(output: str) -> str:
    """How many steps came from the cache: at once, or layer by layer out of the registry."""
    steps = set(re.findall(r"^#(\d+) \[[^\]]*\d+/\d+\] ", output, re.MULTILINE))
    hits = {step for step in steps if re.search(rf"^#{step} (CACHED|sha256:|extracting)", output, re.MULTILINE)}
    return f"{len(hits)} of {len(steps)} steps from the cache{registry_cache(output)}"


def registry_cache(output: str) -> str:
    """Whether the cache of CACHE_FROM was there; an empty one is no failure, and looks like one in nothing but time."""
    found = re.search(r"^#(\d+) importing cache manifest from ", output, re.MULTILINE)
    if not found:
        return ""
    error = re.search(
        rf"^#{found[1]} ERROR: (?:failed to configure registry cache importer: )?(.*)", output, re.MULTILINE
    )
    return f", the registry's was not imported ({error[1]})" if error else ", the registry's was imported"


def fail(reason: str) -> int:
    sys.stderr.write(f"  FAIL  image: {reason}\n")
    return 1


def main(target: str, *locks: str) -> int:
    if missing := [lock for lock in locks if not Path(lock).exists()]:
        return fail(f"{missing[0]} is missing: run 'make lock' and commit it")
    try:
        buildable()
    except RefusedError as reason:
        return fail(str(reason))
    if shutil.which("docker") is None:
        return fail("docker is missing: install Docker with its buildx plugin")
    BUILD.mkdir(exist_ok=True)
    metadata, log = BUILD / "image.json", BUILD / "image.log"
    for stale in (metadata, BUILD / "image-ref"):
        stale.unlink(missing_ok=True)
    begun = time.monotonic()
    command = [*os.environ["BAKE"].split(), "--progress=plain", f"--metadata-file={metadata}", target]
    verbose = os.environ.get("V") == "1"
    env = {**os.environ, "TAG": tag(os.environ["VERSION"])}
    with (
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as build,
        log.open("w") as kept,
    ):
        for line in build.stdout or ():
            kept.write(line)
            if verbose:
                sys.stdout.write(line)
    if build.returncode != 0:
        output = log.read_text()
        if not verbose:
            sys.stderr.write(output)
        return fail(cause(output))
    name = local_image()
    if target != "image":
        digest = json.loads(metadata.read_text())[target]["containerimage.digest"]
        name = f"{os.environ['IMAGE']}@{digest}"
        (BUILD / "image-ref").write_text(f"{name}\n")
    sys.stdout.write(f"  ok    image {name} ({time.monotonic() - begun:.0f} s)\n")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(f"image: {cached(log.read_text())}, {time.monotonic() - begun:.0f} s\n")
    return 0
