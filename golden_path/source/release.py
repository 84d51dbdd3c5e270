"""A template at a version: what it says, and where it is checked out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from golden_path.errors import Exit, FleetError
from golden_path.source import adoption_rules, config
from golden_path.untrusted import inside

if TYPE_CHECKING:
    from golden_path.source.template import Template

LARGEST = 8 << 20  # bytes of a file that is read


@dataclass
class Read:
    """What was read of a version, once for all who ask; None where nobody has asked.

    Attributes:
        config: of ``copier.yml``.
        rules: of ``adopt.yml``.
    """

    config: config.Config | None = None
    rules: adoption_rules.Rules | None = None


@dataclass(frozen=True)
class Release:
    """A template at a version; ``Template.at`` makes one.

    Attributes:
        template: the template.
        version: a tag, or what ``git describe`` said of a commit.
    """

    template: Template
    version: str
    _read: Read = field(default_factory=Read, compare=False, repr=False)

    @property
    def commit(self) -> str:
        """The commit."""
        return self.template.commit(self.version)

    @property
    def export(self) -> Path:
        """A checkout, which stays in the cache.

        Raises:
            FleetError: it cannot be checked out.
        """
        return self.template.export(self.version)

    @property
    def config(self) -> config.Config:
        """What its ``copier.yml`` says.

        Raises:
            FleetError: it cannot be read.
        """
        if self._read.config is None:
            self._read.config = config.load(self.export)
        return self._read.config

    @property
    def rules(self) -> adoption_rules.Rules:
        """What its ``adopt.yml`` says; nothing where it has none.

        Raises:
            FleetError: it cannot be read.
        """
        if self._read.rules is None:
            self._read.rules = adoption_rules.load(self.file(adoption_rules.NAME))
        return self._read.rules

    def file(self, name: str) -> str:
        """Return a file of it as text; empty where there is none.

        Args:
            name: relative to the checkout.

        Raises:
            FleetError: it is a link that leads out of the checkout, or none of the files that are read.
        """
        try:
            return inside.linked(self.export, name, largest=LARGEST).decode("utf-8", errors="replace")
        except inside.OutsideError as error:
            if (self.export / name).is_dir():
                return ""
            reason = f"{name} of version {self.version} of the template {error.strerror}: it is not read"
            raise FleetError(reason, Exit.TEMPLATE) from None
        except OSError:
            return ""
