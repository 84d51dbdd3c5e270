"""YAML is read and written by the speed patches as without them, byte for byte."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from golden_path.rendering import documents
from tests.labs.toolchains import ROOT

# Reads texts from standard input, and says what comes of each, with the patches or without.
PROGRAM = """
import json, sys, yaml
from golden_path.rendering import patches
if sys.argv[1] == "on":
    patches.apply()

def read(text):
    class _Loader(yaml.SafeLoader):
        pass
    _Loader.__qualname__ = "load_template_config.<locals>._Loader"
    import io
    try:
        return repr(list(yaml.load_all(io.BytesIO(text.encode("utf-8", "surrogatepass")), Loader=_Loader)))
    except yaml.YAMLError:
        return "refused"
    except (TypeError, ValueError) as error:
        return type(error).__name__

def answers(text):
    try:
        found = yaml.safe_load(text), yaml.safe_load(text)
        return repr(found[0]) if repr(found[0]) == repr(found[1]) else "differs the second time"
    except yaml.YAMLError:
        return "refused"
    except Exception as error:
        return type(error).__name__

def write(text):
    def block(dumper, value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    class Blocks(yaml.SafeDumper):
        pass
    Blocks.add_representer(str, block)
    data = {"a": text, "b": [text, {"c": text}], text: 1}
    made = [yaml.dump(data, Dumper=one, encoding=how, width=width, allow_unicode=unicode)
            for one in (yaml.SafeDumper, Blocks) for how in (None, "utf-8") for width in (40, 1000)
            for unicode in (False, True)]
    made.append(yaml.dump_all([text, text], Dumper=Blocks, line_break="\\r\\n", indent=4))
    return repr(made)

texts = json.load(sys.stdin)
json.dump([{"read": read, "answers": answers, "write": write}[sys.argv[2]](text) for text in texts], sys.stdout)
"""
PARTS = (
    *(
        "a",
        "b: ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        ": ",
        "'x'",
        '"y"',
        "\n",
        "\n  ",
        "#c",
        " #c",
        "&a ",
        "*a",
    ),
    *("|\n", "|-\n", ">+\n", "\t", "  ", "---\n", "...\n", "1", "true", "<<: ", "é", "?", "a?b", "0x1", "12:30", "~"),
    *("2020-01-01", "\u2028", "\x85", "\r\n", "'a\n\n b'", "\ufeff", "\U0001f600", '"\\/"', "!x ", "%YAML 1.1\n"),
    *("{{ x }}", "http://a/b?c=d#e", "\u00a0", "\x7f", "@", "`", '"\\ud800"'),
)
# What one of the two libraries refuses, or reads otherwise.
ODD = ["{help: Which one?, type: str}", "[a?b]", "{a: 'b?'}", "[?]", "a\t", "a:\t1", "- a\t#b", "\n\ufeffa: 1",
       "\ufeffa: 1", "a: 1\n---\nb: 2\n", "a: !include b.yml\n", "a: 1\n...\n", "", "a: [\n b?,\n c]",
            "{a: {b: 1}, c?d}"]  # fmt: skip
LINES = (
    "",
    "a",
    " a",
    "  a",
    "a ",
    "a  b",
    "- a",
    "# a",
    "a: b",
    "    deep",
    " ",
    "  ",
    "---",
    "...",
    "'q'",
    '"',
    "%",
    "~" * 50,
)


def told(how: str, what: str, texts: list[str]) -> list[str]:
    """What a process of its own says of texts."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how, what], input=json.dumps(texts), capture_output=True, text=True, check=True,
        timeout=120, cwd=ROOT,
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout)
    return found


def random_texts(seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(PARTS, k=chance.randint(1, 9))) for _ in range(20000)]


@pytest.mark.parametrize("what", ["read", "answers"])
def test_a_questionnaire_and_answers_are_read_as_pyyaml_reads_them(what: str) -> None:
    texts = [*ODD, (ROOT / "copier.yml").read_text(), *random_texts(16)]
    for text, on, off in zip(texts, told("on", what, texts), told("off", what, texts), strict=True):
        assert on == off, text


def test_libyaml_reads_ours() -> None:
    import yaml

    fast: Any = getattr(yaml, "CSafeLoader", None)
    assert fast is None or documents.read_alike((ROOT / "copier.yml").read_bytes(), fast)
    assert fast is None or not any(documents.read_alike(text.encode(), fast) for text in ("[a?b]", "a\t", "a: !b c"))


@pytest.mark.parametrize("ends", range(4))
def test_texts_of_several_lines_are_written_as_pyyaml_writes_them(ends: int) -> None:
    chance = random.Random(ends)
    texts = ["\n".join(chance.choices(LINES, k=chance.randint(0, 6))) + "\n" * ends for _ in range(250)]
    texts += [f"{chance.choice(LINES)}\n{odd}\n" for odd in ("\ta", "é", "a\r", "\x85", "\u2028", "\U0001f600", "\0")]
    for text, on, off in zip(texts, told("on", "write", texts), told("off", "write", texts), strict=True):
        assert on == off, text


# Names and sizes as people write them, and such that YAML would take for something else.
NAMES = (
    "orders",
    "a-b",
    "null",
    "on",
    "1e3",
    "0x1f",
    "'q'",
    "#no",
    "a: b",
    "ü",
    "x" * 200,
    "{{ x }}",
    "two\nlines",
    " a ",
)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_objectives_are_written_alike_with_libyaml_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    import yaml

    from golden_path.service import slo

    made = []
    for without in (False, True):
        with monkeypatch.context() as patch:
            if without:
                patch.delattr(yaml, "CSafeDumper", raising=False)
            importlib.reload(slo)
        assert (slo._SafeDumper is yaml.SafeDumper) == (without or not hasattr(yaml, "CSafeDumper"))
        for percent in (50, 99.5, 99.95, 99.999):
            for bucket in (5, 250, 10000):
                text = json.dumps({"service": name, "prometheus": f"http://{name}", "runbook": name,
                                   "availability": {"objective": percent},
                                   "latency": {"objective": percent, "threshold_ms": bucket}})  # fmt: skip
                made.append(slo.files(slo.read(text)))
    half = len(made) // 2
    assert made[:half] == made[half:]
