"""Text as a literal of the language of the file that it goes into, where Jinja has no filter for that language."""

from __future__ import annotations

from jinja2 import Environment
from jinja2.ext import Extension


def hcl_string(text: str) -> str:
    """Write text as a quoted template of HCL, as ``docker-bake.hcl`` has it.

    JSON's form does not do: HCL knows no surrogate pairs, and takes ``${`` and ``%{`` for the start of an expression.

    Args:
        text: one line of printable characters.

    Returns:
        The literal, quotes included (HCL native syntax, "Quoted Templates").
    """
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("${", "$${"), ("%{", "%%{")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


hcl_string.golden_path_reads = ()  # type: ignore[attr-defined] # the engine need not ask twice


class QuotingExtension(Extension):
    """Offer the templates the filter ``hcl_string``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["hcl_string"] = hcl_string
