"""The cluster lab: a Kubernetes control plane on loopback, with simulated nodes and pods and real controllers."""

from tests.labs.cluster.client import KubectlError
from tests.labs.cluster.lab import Lab
from tests.labs.errors import LabError

__all__ = ["KubectlError", "Lab", "LabError"]
