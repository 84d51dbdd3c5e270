"""A service whose model is released to the image lab's registry."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.labs import oras
from tests.labs import template as lab
from tests.labs.images import Lab as ImageLab
from tests.labs.images.signing import Authority
from tests.labs.service import make
from tests.labs.toolchains import answers_of
from tests.labs.workflows import engine

SERVICE = "model-orders"
WORKFLOW = f"https://github.com/acme/{SERVICE}/.github/workflows/model-release.yml"


@dataclass(frozen=True)
class Trained:
    """A service whose model is released to the lab's registry.

    Attributes:
        folder: its repository.
        env: of the jobs.
        programs: folder in front of the jobs' PATH.
        authority: makes the certificates that stand in for keyless ones.
    """

    folder: Path
    env: dict[str, str]
    programs: Path
    authority: Authority

    def signed_as(self, workflow: str, sha: str = "") -> None:
        """Let cosign sign with a certificate of this identity, and trust the authority when it verifies."""
        identity = self.authority.identity(workflow, sha=sha or lab.git(self.folder, "rev-parse", "HEAD"))
        script = (
            'verb=$1; shift\ncase "$verb" in\n'
            f'  sign|attest) set -- {identity["COSIGN_FLAGS"]} --key {identity["COSIGN_KEY"]} "$@" ;;\n'
            f'  verify|verify-attestation) set -- {self.authority.verify_flags} "$@" ;;\n'
            'esac\nset -- "$verb" "$@"\nexport COSIGN_PASSWORD=\n'
        )
        engine.wrap(self.programs, "cosign", self.authority.env, script=script)


def written(template: Path, image_lab: ImageLab, registry: str, place: Path) -> Trained:
    """Write, commit and set up a service for a model.

    Args:
        template: the template.
        image_lab: has the registry.
        registry: a folder of it; the service has one of its own in that.
        place: an empty folder.

    Returns:
        The service. Nobody has signed for it yet.
    """
    language = "model"
    answers = {**answers_of(language), "service_name": SERVICE, "registry": f"{registry}/{secrets.token_hex(4)}"}
    folder = lab.render(template, place / SERVICE, answers)
    lab.commit_all(folder)
    done = make(folder, language, "setup")
    assert done.returncode == 0, done.stdout
    env = image_lab.environment(folder, language)
    programs = place / "programs"
    lab_oras = {**env, "PATH": f"{oras.folder()}:{env['PATH']}"}
    engine.wrap(programs, "oras", lab_oras, script='set -- "$@" --plain-http\n')
    (place / "authority").mkdir()
    return Trained(folder, engine.before(env, programs), programs, Authority(place / "authority", env))
