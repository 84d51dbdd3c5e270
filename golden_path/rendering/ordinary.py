"""Whether the extensions of a template leave the way alone in which Jinja reads and renders texts.

For the worker process only. Filters, tests, variables and hooks are fine: ``reads`` looks at each. What replaces parts
of Jinja itself is not: a text can mean something else then with each rendering, so nothing is remembered.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

from jinja2 import defaults
from jinja2.runtime import Context

from golden_path.rendering import functions

_SHAPE = "_golden_path_shape"
_READING = ("preprocess", "filter_stream", "parse")
_OURS = ("jinja2", "copier")  # packages whose extensions do the same with the same text


def ordinary(environment: Any) -> bool:
    """Return whether the same text means the same in each environment of the same form.

    Args:
        environment: of a rendering, with its extensions.
    """
    from copier._jinja_ext import CopierTemplateLoader, SandboxedEnvironment

    loader = environment.loader
    return (
        type(environment) is SandboxedEnvironment
        and type(loader) is CopierTemplateLoader
        and len(loader.searchpath) == 1
        and not _replaced(environment) - {"context_class"}
        and not _replaced(loader)
        and all(map(_known_context, environment.context_class.__mro__))
        and environment.finalize is None
        and not environment.is_async
        and environment.policies == defaults.DEFAULT_POLICIES
        and reads_texts_as_they_are(environment)
    )


def shape(environment: Any) -> str | None:
    """Return a word for how an environment reads texts, if that stays the same; looked at once for each environment.

    Args:
        environment: of a rendering.
    """
    known = environment.__dict__
    if _SHAPE not in known:
        plain = "extensions" in known and ordinary(environment)  # not while it is being made
        text = repr(functions.form(environment)).encode(errors="surrogatepass") if plain else b""
        known[_SHAPE] = hashlib.sha256(text).hexdigest() if plain else None
    found: str | None = known[_SHAPE]
    return found


def reads_texts_as_they_are(environment: Any) -> bool:
    """Return whether no extension of others has a tag of its own, or changes texts before they are read.

    Args:
        environment: of a rendering, with its extensions.
    """
    kinds: list[Any] = [type(one) for one in environment.extensions.values()]
    return all(map(_reads_as_it_is, kinds))


@functools.lru_cache(256)
def _reads_as_it_is(kind: Any) -> bool:
    return all(getattr(kind, name).__module__.partition(".")[0] in _OURS for name in _READING)


def _replaced(thing: Any) -> set[str]:
    """The methods and classes of a thing that it has of its own."""
    return {name for name in vars(thing) if callable(getattr(type(thing), name, None))}


def _known_context(kind: type) -> bool:
    """Whether a class is Jinja's context, or what a hook makes of it."""
    hook = kind.__module__.startswith("copier_template_extensions.") and kind.__qualname__.startswith("ContextHook.")
    return kind in (Context, object) or hook or kind.__module__ in ("typing", "abc")
