"""Speed patches to Copier: YAML that is the same is read and written once."""

from __future__ import annotations

import contextlib
import functools
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from golden_path.rendering import exports

_PLAIN_LINES = re.compile(r"[ -~\n]*")


def config_once() -> None:
    """Parse the copier.yml of an export once; each rendering gets a copy, since Copier writes into it."""
    import yaml
    from copier import _template

    fact = exports.once(_template.Template.__dict__["_raw_config"].func)
    copies: dict[Path, Callable[[], Any]] = {}

    def raw_config(self: Any) -> Any:
        folder = self.local_abspath
        if str(folder) not in exports.folders:
            return fact(self)
        if folder not in copies:
            copies[folder] = _copies(fact(self))
        return copies[folder]()

    exports.replace(_template.Template, "_raw_config", raw_config)
    original: Any = yaml.load_all
    fast = getattr(yaml, "CSafeLoader", None)
    known: dict[bytes, Callable[[], list[Any]] | None] = {}

    def load_all(stream: Any, Loader: Any) -> Any:  # noqa: N803 - of PyYAML
        """Two versions mostly have the same copier.yml; libyaml reads it, where that comes to the same."""
        if fast is None or not Loader.__qualname__.startswith("load_template_config."):
            return original(stream, Loader)
        text = stream if isinstance(stream, bytes) else stream.read()  # an included file comes as bytes
        if text not in known:
            try:
                known[text] = _copies(list(original(text, fast))) if read_alike(text, fast) else None
            except yaml.YAMLError:
                known[text] = None
        made = known[text]
        return original(text, Loader) if made is None else made()

    yaml.load_all = load_all


def _copies(value: Any) -> Callable[[], Any]:
    """Return what makes copies of a value that was read from YAML; several times as fast as ``copy.deepcopy``."""
    if type(value) in (str, int, float, bool, type(None)):
        return lambda: value
    return functools.partial(pickle.loads, pickle.dumps(value))


def read_alike(text: bytes, fast: Any) -> bool:
    """Whether libyaml reads a text as PyYAML does.

    Tags are Copier's own. A tab between words, a mark of the byte order further down, and a question mark in a word in
    brackets are read by one and not, or otherwise, by the other.
    """
    import yaml

    if re.search(rb"[!\t\0]|\xef\xbb\xbf", text):
        return False
    deep = 0
    for token in yaml.scan(text, fast) if b"?" in text else ():
        deep += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
        deep -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
        if deep and isinstance(token, yaml.ScalarToken) and token.plain and "?" in token.value:
            return False
    return True


def yaml_once() -> None:
    """Copier parses the type, the choices and the answer of each question as YAML; each time gets a copy."""
    import yaml

    original: Any = yaml.safe_load
    fast = getattr(yaml, "CSafeLoader", None)
    known: dict[str, Callable[[], Any]] = {}

    def read(text: str) -> Any:
        """Read what has several lines, such as an answers file, with libyaml, where that comes to the same."""
        if fast is not None and "\n" in text and text.isascii():
            with contextlib.suppress(yaml.YAMLError):
                if read_alike(text.encode(), fast):
                    return yaml.load(text, fast)  # noqa: S506 - a safe one
        return original(text)

    def safe_load(stream: Any) -> Any:
        if not isinstance(stream, str):
            return original(stream)
        if stream not in known:
            exports.make_room(known)
            known[stream] = _copies(read(stream))
        return known[stream]()

    yaml.safe_load = safe_load


def scalars_once() -> None:
    """Look once at each text that is written as YAML, for the style that it can be written in."""
    import yaml.emitter

    emitter: Any = yaml.emitter.Emitter
    original = emitter.analyze_scalar
    known: dict[tuple[str, Any], Any] = {}

    def analyze_scalar(self: Any, scalar: str) -> Any:
        if "\n" in scalar and _PLAIN_LINES.fullmatch(scalar):
            return _of_lines(scalar)
        key = scalar, self.allow_unicode
        if key not in known:
            exports.make_room(known)
            known[key] = original(self, scalar)
        return known[key]

    emitter.analyze_scalar = analyze_scalar


def _of_lines(scalar: str) -> Any:
    """What PyYAML's emitter finds in a text of several lines of ASCII, without a look at each character."""
    from yaml.emitter import ScalarAnalysis

    after, before = "\n " in scalar, " \n" in scalar
    return ScalarAnalysis(
        scalar=scalar, empty=False, multiline=True, allow_flow_plain=False, allow_block_plain=False,
        allow_single_quoted=not (after or before), allow_double_quoted=True,
        allow_block=not (before or scalar.endswith(" ")),
    )  # fmt: skip


def literals_at_once() -> None:
    """Write a text of several lines of ASCII line by line; PyYAML looks at each character."""
    import yaml.emitter

    emitter: Any = yaml.emitter.Emitter
    original = emitter.write_literal

    def write_literal(self: Any, text: str) -> None:
        if not _PLAIN_LINES.fullmatch(text):
            original(self, text)
            return
        hints = self.determine_block_hints(text)
        self.write_indicator(f"|{hints}", True)
        if hints[-1:] == "+":
            self.open_ended = True
        self.write_line_break()
        pad, lines = " " * (self.indent or 0), text.split("\n")
        if not lines[-1]:
            lines.pop()
        written = "".join(f"{pad}{line}{self.best_line_break}" if line else self.best_line_break for line in lines)
        self.stream.write(written.encode(self.encoding) if self.encoding else written)
        self.line += len(lines)

    emitter.write_literal = write_literal
