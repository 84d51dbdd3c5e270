"""A native module of Node.js is compiled for the image that runs, and only there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.images import Lab, archive
from tests.labs.service import make

pytestmark = pytest.mark.images

MODULE = ("unix-dgram", "2.0.7")  # small, and without ready-made binaries


@pytest.mark.only("node")
def test_native_module(template: Path, image_lab: Lab, own: str, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language})
    manifest = folder / "package.json"
    package = json.loads(manifest.read_text())
    package["dependencies"][MODULE[0]] = MODULE[1]
    manifest.write_text(json.dumps(package, indent=2) + "\n")
    settings = folder / "pnpm-workspace.yaml"
    settings.write_text(settings.read_text().replace("allowBuilds:\n", f"allowBuilds:\n  {MODULE[0]}: true\n"))
    (folder / "local.mk").write_text("export NATIVE_PACKAGES := g++ make python3\n")
    assert make(folder, "node", "lock").returncode == 0
    lab.commit_all(folder)
    lab.git(folder, "tag", "native")
    env = image_lab.environment(folder, "node")
    done = make(folder, "node", "image", f"IMAGE={own}/native", env=env)
    assert done.returncode == 0, done.stdout[-5000:]
    name = f"{own}/native:native"
    load = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/nodejs/bin/node", name]
    done = subprocess.run(
        [*load, "--print", f"typeof require('{MODULE[0]}').createSocket"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "function\n", done.stderr
    files = archive.files(name, env)
    assert [path for path in files if path.endswith("/unix_dgram.node")]
    assert [path for path in files if path.rpartition("/")[2] in {"g++", "make", "cc1plus", "node-gyp"}] == []
    subprocess.run(["docker", "image", "rm", name], env=env, capture_output=True, check=True)
