"""The image lab: builds and runs service images on a machine that reaches no container registry."""

from tests.labs.errors import LabError
from tests.labs.images.kit import Builder
from tests.labs.images.lab import Lab

__all__ = ["Builder", "Lab", "LabError"]
