"""kubectl, as the lab's user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.labs.cluster import tools
from tests.labs.cluster.places import kubeconfig, run_folder

# The lab's own settings, whatever the user has in his.
_SETTINGS = ("ETCD_", "KUBE", "KWOK_")


class KubectlError(Exception):
    """kubectl said no; the message is all that it printed on standard error."""


def environment() -> dict[str, str]:
    """Return the environment of programs that talk to the API server, with the lab's programs in front of PATH."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    return {
        **env,
        "PATH": tools.path(),
        "KUBECONFIG": str(kubeconfig()),
        "KUBECACHEDIR": str(run_folder() / "kubectl"),
        "KUBERC": "off",
        "KWOK_WORKDIR": str(run_folder() / "kwok"),
    }


def kubectl(*arguments: str | Path, input: str = "", timeout: float = 180) -> str:  # noqa: A002 - as in subprocess
    """Run kubectl.

    Args:
        arguments: of it.
        input: its standard input.
        timeout: seconds.

    Returns:
        Its standard output.

    Raises:
        KubectlError: it failed, or took too long.
        LabError: it is not built.
    """
    command = [str(tools.program("kubectl")), *(str(argument) for argument in arguments)]
    try:
        done = subprocess.run(
            command, input=input, env=environment(), capture_output=True, text=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise KubectlError(f"kubectl {arguments[0]} took longer than {timeout:g} seconds") from None
    if done.returncode != 0:
        raise KubectlError(done.stderr or done.stdout)
    return done.stdout
