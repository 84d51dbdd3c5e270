"""Identifiers of each language, derived from one service name.

Pure functions, and the Jinja extension that offers them to the templates as filters.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

# A DNS label may have 63 characters (RFC 1035). Names made from the service's name add up to 23: the
# "-preview-pr-<number>" of a preview namespace, the "-<hash>" of a ReplicaSet.
MAX_NAME_LENGTH = 40

# The Java Language Specification, 3.9: keywords, and the literals, which are no identifiers either.
JAVA_RESERVED = frozenset(
    "abstract assert boolean break byte case catch char class const continue default do double else enum extends "
    "final finally float for goto if implements import instanceof int interface long native new package private "
    "protected public return short static strictfp super switch synchronized this throw throws transient try void "
    "volatile while true false null".split()
)
# The Go Programming Language Specification, "Keywords"; and the package names that mean something to the go command.
GO_RESERVED = frozenset(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var main internal vendor testdata".split()
)
# The Python Language Reference, 2.3.1 (keywords); the tests beside it; and all modules of the interpreter and of the
# locked packages: the image has src/ on the path before them, so a service of that name would hide one.
_MODULES = Path(__file__).with_name("python_modules.txt").read_text(encoding="utf-8").splitlines()[1:]
_OF_MODELS = Path(__file__).with_name("model_modules.txt").read_text(encoding="utf-8").splitlines()[1:]
PYTHON_RESERVED = frozenset(
    "False None True and as assert async await break class continue def del elif else except finally for from "
    "global if import in is lambda nonlocal not or pass raise return try while with yield tests".split()
).union(*map(str.split, _MODULES))
# Of a service for a model also what trains and runs it.
MODEL_RESERVED = PYTHON_RESERVED.union(("training",), *map(str.split, _OF_MODELS))
# ECMA-262, 12.7.2 (reserved words, strict mode included), and names that npm refuses.
NODE_RESERVED = frozenset(
    "await break case catch class const continue debugger default delete do else enum export extends false finally "
    "for function if implements import in instanceof interface let new null package private protected public return "
    "static super switch this throw true try typeof var void while with yield node_modules".split()
)
# The Java Language Specification, 7.4, and the modules of the JDK: nobody else can have a package there.
JAVA_OF_THE_JDK = frozenset(("java", "javax", "jdk", "sun"))
RESERVED = {
    "java": JAVA_RESERVED,
    "go": GO_RESERVED,
    "python": PYTHON_RESERVED,
    "model": MODEL_RESERVED,
    "node": NODE_RESERVED,
}


def is_reserved(name: str, language: str) -> bool:
    """Tell whether a service of this name would clash with a word of its language.

    Args:
        name: the service name, for example ``order-service``.
        language: ``go``, ``java``, ``node``, ``python``, or ``model`` for Python's with a model; another one reserves
            nothing.

    Returns:
        True where an identifier made from the name is a reserved word, or hides a module that the service needs.
    """
    words = RESERVED.get(language, frozenset())
    return bool({name, name.replace("-", ""), name.replace("-", "_")} & words)


def dependency_called(language: str, **names: str) -> str:
    """Return the dependency that a service would hide, since it is called the same.

    Args:
        language: ``go`` or ``java``; in the others nothing is looked up by such a name.
        names: Go: ``module``, the path of its module. Java: ``package``, its base package, which Spring scans, and all
            packages below it.

    Returns:
        How the locks of the template, or its ``pom.xml``, or the JDK call it; empty where there is none.
    """
    overlay = Path(__file__).parent.parent / "template" / f"[[ {language} ]]"
    if language == "go":
        path = names["module"].lower()
        locked = (line.split(" ", 1)[0] for line in (overlay / "go.sum").read_text(encoding="utf-8").splitlines())
        return next((name for name in locked if name.lower() == path), "")
    if language == "java":
        package = names["package"]
        if package.split(".")[0] in JAVA_OF_THE_JDK:
            return package.split(".")[0]
        groups = re.findall(r"<groupId>([\w.]+)</groupId>", (overlay / "pom.xml.jinja").read_text(encoding="utf-8"))
        return next((group for group in groups if f"{group}.".startswith(f"{package}.")), "")
    return ""


def service_name(text: str, language: str = "") -> str:
    """Make a valid service name from any text; used to suggest one from the folder's name.

    Args:
        text: any text, for example ``Order Service``.
        language: of the service; empty for any.

    Returns:
        Lower case letters, digits and single hyphens, beginning with a letter, at most ``MAX_NAME_LENGTH`` long and no
        reserved word of the language; ``my-service`` where nothing of the text can be used.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).lstrip("-0123456789")[:MAX_NAME_LENGTH].strip("-")
    if not name:
        return "my-service"
    if any(is_reserved(name, one) for one in ([language] if language else RESERVED)):
        return f"{name}-service"
    return name


def java_segment(text: str) -> str:
    """Make one segment of a Java package name: ``order-service`` becomes ``orderservice``.

    Args:
        text: a service or organisation name.

    Returns:
        The letters and digits in lower case; an underscore in front of a digit and behind a reserved word, as the Java
        Language Specification, 6.1, advises.
    """
    segment = re.sub(r"[^a-z0-9]", "", text.lower())
    if segment[:1].isdigit():
        segment = f"_{segment}"
    return f"{segment}_" if segment in JAVA_RESERVED else segment


def snake_case(text: str) -> str:
    """Make a Python module name: ``order-service`` becomes ``order_service``."""
    return text.replace("-", "_")


# What they give follows from their arguments and these files, so they are asked once (golden_path/rendering/reads.py).
java_segment.golden_path_reads = snake_case.golden_path_reads = ()  # type: ignore[attr-defined]
service_name.golden_path_reads = ("extensions/python_modules.txt", "extensions/model_modules.txt")  # type: ignore[attr-defined]
is_reserved.golden_path_reads = service_name.golden_path_reads  # type: ignore[attr-defined]


class NamesExtension(Extension):
    """Offer the functions of this module as Jinja filters, and ``is_reserved`` as a Jinja test."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters.update(service_name=service_name, java_segment=java_segment, snake_case=snake_case)
        environment.globals.update(MAX_NAME_LENGTH=MAX_NAME_LENGTH, dependency_called=dependency_called)
        environment.tests.update(reserved_in=is_reserved)
