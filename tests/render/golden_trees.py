"""Golden trees: what a few answer sets become, committed, so that the diff of a template change shows its effect.

One text file an answer set: every path with its mode; the content where the template renders the file, and
``(verbatim)`` where it only copies it, for then the change is in the diff already. Written by ``make golden``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.labs import template as lab
from tests.labs import warm
from tests.labs.toolchains import LANGUAGES, ROOT, answers_of

GOLDEN = Path(__file__).parent / "golden"

_FULL = {"upstream": "inventory", "tier": "critical", "licence": "Apache-2.0", "team": "payments"}
_ALONE = {
    "upstream": "",
    "provides": False,
    "tier": "internal",
    "licence": "MIT",
    "organisation": "9-Lives",
    "port": 9000,
}
SETS: dict[str, dict[str, object]] = {
    **{f"{language}-full": {"language": language, "service_name": "orders", **_FULL} for language in LANGUAGES},
    **{f"{language}-alone": {"language": language, "service_name": "x9-y", **_ALONE} for language in LANGUAGES},
}
SETS["go-alone"]["go_workspace"] = True
SETS["model"] = {**answers_of("model"), "service_name": "screening", "delivery": "blue-green"}
SETS["model-volume"] = {**answers_of("model"), "service_name": "screening", "model_delivery": "volume"}


def _copied_contents() -> set[bytes]:
    names = lab.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "template").split("\0")
    return {(ROOT / name).read_bytes() for name in names if (ROOT / name).is_file() and not name.endswith(".jinja")}


def tree(template: Path, folder: Path, name: str) -> str:
    """Render one answer set as a golden tree.

    Args:
        template: a snapshot.
        folder: a missing folder to render into.
        name: of the answer set.

    Returns:
        The text of the golden file.
    """
    lab.write(template, folder, SETS[name], warm.copier)
    copied = _copied_contents()
    parts = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        mode = "755" if path.stat().st_mode & 0o100 else "644"
        content = path.read_bytes()
        if content in copied:
            parts.append(f"==== {path.relative_to(folder)} {mode} (verbatim)\n")
        else:
            parts.append(f"==== {path.relative_to(folder)} {mode}\n{content.decode()}")
    return "".join(parts).replace(str(template), "TEMPLATE")


def main() -> None:
    """Write every golden tree anew and remove those of answer sets that are gone."""
    GOLDEN.mkdir(exist_ok=True)
    for stale in GOLDEN.glob("*.tree"):
        if stale.stem not in SETS:
            stale.unlink()
    with tempfile.TemporaryDirectory() as temporary:
        template = lab.snapshot(Path(temporary) / "golden-path")
        for name in SETS:
            (GOLDEN / f"{name}.tree").write_text(tree(template, Path(temporary) / name, name), encoding="utf-8")
            sys.stdout.write(f"wrote {name}.tree\n")


if __name__ == "__main__":
    main()
