"""The External Secrets Operator: its controllers as a program, for one namespace.

Built from a version whose module is whole. Of 1.3.2, whose CRDs the lab has, the parts are modules of their own that
the main one replaces by folders; they have no versions, so nobody else can build it from what is published.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.labs import go_tools
from tests.labs.cluster import access
from tests.labs.cluster.definitions import Module
from tests.labs.cluster.lab import Lab
from tests.labs.cluster.places import lab_folder, run_folder
from tests.labs.daemon import Daemon
from tests.labs.places import digest, once

NAME = "external-secrets"
_PUBLISHED = Module(
    "github.com/external-secrets/external-secrets",
    ("apis", "pkg"),
    "v0.16.2",
    "h1:iNY+gIgSyL5higXTfnz+hdPCaiB/43UiHLqE7HBpj68=",
)
# It asks for them whether anything generates or not.
_STATES = replace(_PUBLISHED, files=("config/crds/bases/generators.external-secrets.io_generatorstates.yaml",))
_OURS = go_tools.MODULE / NAME
# Instead of forty stores with their SDKs, and of generators, of which none is needed.
_STORES = ("aws", "vault")
_REGISTERED = {
    "provider": "".join(f'import _ "{_PUBLISHED.path}/pkg/provider/{name}"\n' for name in _STORES),
    "generator": "",
}
# Webhooks that refuse what the CRDs let pass; they need an older controller-runtime than the rest of the labs.
_LEFT_OUT = "apis/externalsecrets/*/*_webhook.go"
VERSION = _PUBLISHED.version.removeprefix("v")


def folder() -> Path:
    """Return the folder of the program, whether it is there or not."""
    own = sorted(_OURS.iterdir())
    made_from = (*go_tools.sources([]), *own, [_PUBLISHED.version, _PUBLISHED.files, _REGISTERED, _LEFT_OUT])
    return lab_folder() / f"{NAME}-{digest(*made_from)}"


def program() -> Path:
    """Return the program, built unless it is there.

    Raises:
        LabError: it cannot be built.
        MissingToolchainError: Go is missing.
    """
    return once(folder(), _build) / NAME


def _build(target: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        module = Path(temporary, "module")
        for source in _PUBLISHED.sources():
            shutil.copytree(source, module / source.name, copy_function=shutil.copyfile, ignore=_tests)
        for file in module.glob(_LEFT_OUT):
            file.unlink()
        for kind, imports in _REGISTERED.items():
            (module / f"pkg/{kind}/register/register.go").write_text(f"package register\n\n{imports}", encoding="utf-8")
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(_OURS / name, module / name)
        (module / NAME).mkdir()
        shutil.copyfile(_OURS / "main.go", module / NAME / "main.go")
        go_tools.build(target, [f"./{NAME}"], "", "the External Secrets Operator", module=module, shared=True)


def _tests(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith("_test.go")]


class ExternalSecrets:
    """The operator of one namespace; a context manager that ends it."""

    def __init__(self, lab: Lab, namespace: str, env: Mapping[str, str]) -> None:
        """Choose its port.

        Args:
            lab: the cluster, up.
            namespace: whose stores and ExternalSecrets it looks at; it need not be there yet.
            env: variables that it is started with, besides the lab's.
        """
        self._lab, self._namespace, self._env = lab, namespace, env
        [port] = access.free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._daemon = Daemon(f"{NAME}-{namespace}", run_folder, of_the_run=True)

    def __enter__(self) -> Self:
        command: list[str | Path] = [program(), "--namespace", self._namespace, "--metrics-addr", self._address]
        [states] = _STATES.sources()
        self._lab.apply(states)
        env = {**self._lab.environment(), **self._env}
        self._daemon.start(command, lambda: access.answers(f"http://{self._address}/metrics"), env)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._daemon.stop(seconds=0)
        self._daemon.log.unlink(missing_ok=True)
