"""All rules: who imports this has the whole book."""

from golden_path.rules import (  # noqa: F401 - they register their rules
    ci,
    ci_of_services,
    dependencies,
    env_files,
    environments,
    exceptions,
    images,
    leaks,
    members,
    projects,
    repository,
    selections,
    workloads,
)
from golden_path.rules.book import RULES

__all__ = ["RULES"]
