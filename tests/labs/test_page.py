"""A page whose commands do not do what it says is noticed, and so is a block that nothing would run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.labs.page import problems, steps


def followed(text: str, folder: Path) -> list[str]:
    return problems(steps(text), os.environ, folder)


def test_steps_share_a_shell_and_a_folder(tmp_path: Path) -> None:
    text = """
```sh
mkdir inside && cd inside
name=(a "b c")
```

```text
exit 1
```

```sh
printf '%s\\n' "${name[@]}" sha256:0a1b last
basename "$PWD" >&2
```

```output
a
...
sha256:...
...
inside
```

```sh
printf 'broken\\nmake: *** [x.mk:1: y] Error 1\\n'
false
```

```output
broken
make: *** ... Error 1
```

```sh
touch "${name[1]}"
```
"""
    assert followed(text, tmp_path) == []
    assert (tmp_path / "inside/b c").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```sh\necho one\n```\n```output\ntwo\n```", "line 1: echo one\nprinted\none\nand not\ntwo\n"),
        ("```sh\necho one\n```\n```output\none\nmore\n```", "line 1: echo one\nprinted\none\nand not\none\nmore\n"),
        ("```sh\necho one\necho two\n```\n```output\none\n```", "line 1: "),
        ("```sh\n:\n```\n```sh\necho why; false\ntouch no\n```", "line 4: echo why; false\ntouch no\nfailed:\nwhy\n"),
        ("```sh\nno-such-program\n```", "line 1: no-such-program\nfailed:\n"),
        (
            "```sh\necho 'make: *** x'\n```\n```output\nmake: *** ...\n```",
            "line 1: echo 'make: *** x'\ndid not fail:\nmake: *** x\n",
        ),
    ],
)
def test_what_does_otherwise_is_said(text: str, said: str, tmp_path: Path) -> None:
    [found] = followed(text, tmp_path)
    assert found.startswith(said)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    "block", ["```\nls\n```", "```bash\nls\n```", "    ls", "```output\nx\n```", "```text\nx\n```\n```output\nx\n```"]
)
def test_a_block_that_nothing_runs_or_compares_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match="that nothing runs or compares"):
        steps(f"# A page\n\n{block}\n")
