"""Go: one builder makes the image of every platform, by cross-compilation."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.labs.built import VERSION, Image, clone
from tests.labs.images import Lab
from tests.labs.images.signing import Authority
from tests.labs.service import make

pytestmark = pytest.mark.images

# e_machine of the ELF header (System V ABI): EM_X86_64, EM_AARCH64.
MACHINES = {"linux/amd64": 62, "linux/arm64": 183}


@pytest.mark.only("go")  # the others are built on a machine of the platform
def test_both_platforms(image: Image, image_lab: Lab, own_registry: str, tmp_path: Path) -> None:
    folder = clone(image.folder, tmp_path / image.folder.name)
    name = f"{own_registry}/{folder.name}-platforms"
    env = image_lab.environment(folder, "go") | {"PLATFORMS": ",".join(MACHINES)}
    done = make(folder, "go", "image", "PUSH=true", f"IMAGE={name}", env=env)
    assert done.returncode == 0, done.stdout[-5000:]
    reference = (folder / "build/image-ref").read_text().strip()
    for platform, machine in MACHINES.items():
        export = ["crane", "export", "--platform", platform, reference, "-"]
        content = subprocess.run(export, env=dict(image.env), capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            program = archive.extractfile("service")
            assert program
            binary = program.read()
        assert binary[:4] == b"\x7fELF"
        assert int.from_bytes(binary[18:20], "little") == machine
        assert VERSION.encode() in binary

    (tmp_path / "authority").mkdir()
    authority = Authority(tmp_path / "authority", env)
    workflow = f"https://github.com/acme/{folder.name}/.github/workflows/release.yml@refs/heads/main"
    done = make(folder, "go", "sign", env={**env, **authority.identity(workflow)})
    assert done.returncode == 0, done.stdout
    done = make(folder, "go", "verify", env={**env, "COSIGN_FLAGS": authority.verify_flags})
    assert done.returncode == 0, done.stdout
    assert "2 platform(s)" in done.stdout
