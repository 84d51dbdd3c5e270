"""What a forge counts as the languages of a repository, by the rules of github-linguist that matter here.

From its documentation (docs/overrides.md) and its lists (lib/linguist/vendor.yml, documentation.yml, generated.rb and
languages.yml of github.com/github-linguist/linguist): counted are the bytes of files in a programming or a markup
language, without what is vendored, generated or documentation, by name or by an attribute of git. Data and prose do not
count.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath

PROGRAMMING = {
    ".awk": "Awk", ".go": "Go", ".hcl": "HCL", ".java": "Java", ".mjs": "JavaScript", ".mk": "Makefile",
    ".py": "Python", ".sh": "Shell", ".ts": "TypeScript", "Dockerfile": "Dockerfile", "Makefile": "Makefile",
}  # fmt: skip
# Of the type data, prose or none, by the end of their names.
OTHERS = (
    ".config", ".dockerignore", ".editorconfig", ".env", ".gitattributes", ".gitignore", ".json", ".md", ".mod",
    ".node-version", ".properties", ".sha256", ".sha512", ".sum", ".toml", ".txt", ".work", ".xml", ".yaml", ".yml",
    "CODEOWNERS", "LICENSE",
)  # fmt: skip
DOCUMENTATION = re.compile(r"^docs?/|(^|/)(CONTRIBUTING|COPYING|LICEN[CS]E|README)(\.|$)")
VENDORED = re.compile(r"(^|/)(cache|dist|env)/|^(deps|tools)/|node_modules/|vendors?/|extern(al)?/|[.]d[.]ts$")
ATTRIBUTES = ("linguist-vendored", "linguist-generated", "linguist-documentation")


def counted(folder: Path) -> Counter[str]:
    """Return the bytes by language.

    Args:
        folder: a work tree of git.

    Raises:
        LookupError: a file is of no kind that is known here; say which in the tables above.
    """
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    names = [name for name in listed if name]
    asked = _git(folder, "check-attr", "-z", *ATTRIBUTES, "--", *names).split("\0")
    left_out = {name for name, value in zip(asked[::3], asked[2::3], strict=False) if value in ("set", "true")}
    found: Counter[str] = Counter()
    for name in names:
        if name in left_out or DOCUMENTATION.search(name) or VENDORED.search(name):
            continue
        last = PurePosixPath(name).name
        language = PROGRAMMING.get(last) or PROGRAMMING.get(PurePosixPath(name).suffix)
        if language:
            found[language] += (folder / name).stat().st_size
        elif not last.endswith(OTHERS):
            raise LookupError(f"{name} is of no kind that is known")
    return found


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout
