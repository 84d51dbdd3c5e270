"""Hard cases of an update: what the template changed, and what a person did to the service meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.updates.foreign import Step, append, delete, executable, line, link, move, windows, write

BINARY = bytes(range(256)) * 8
OTHER = bytes(reversed(range(256))) * 8
THIRD = b"\0third\xff" * 300
UMLAUT = "größe/übersicht ñ.txt"
QUOTED = 'a "quoted" name\'s\ttab.txt'

CLEAN = "clean"
CONFLICT = "conflict"
REFUSED = "refused"


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: what happens.
        template: what its second version does to the first.
        person: what was done to the service.
        ends: how it has to end: without a question to a person, with one, or not at all.
        questions: of the second version, more than of the first.
    """

    name: str
    template: Sequence[Step]
    person: Sequence[Step]
    ends: str = CLEAN
    questions: str = ""


# What the first version of each template writes.
FIRST = [
    write("a.txt"),
    write("b.txt", "".join(f"other {number}\n" for number in range(1, 31))),
    write("data.bin", BINARY),
    write("run.sh", "#!/bin/sh\n" + "".join(f"echo {number}\n" for number in range(20))),
    write("dir/one.txt", "".join(f"one {number}\n" for number in range(1, 21))),
    write("dir/two.txt", "".join(f"two {number}\n" for number in range(1, 21))),
    write("seeded.txt", "".join(f"seed {number}\n" for number in range(1, 21))),
    write("empty.txt", ""),
    write("no-end.txt", "first\nsecond\nthird\nfourth\nfifth\nlast"),
    write("crlf.txt", "".join(f"dos {number}\r\n" for number in range(1, 21))),
    write(UMLAUT, "".join(f"maß {number}\n" for number in range(1, 21))),
    write(QUOTED, "".join(f"quoted {number}\n" for number in range(1, 21))),
    write(".gitignore", "*.log\n"),
    link("link", "a.txt"),
]

MINE, THEIRS = "the person's line", "the template's line"

CASES = [
    Case("both change a file, at different lines", [line("a.txt", 3, THEIRS)], [line("a.txt", 27, MINE)]),
    Case("both change the same line", [line("a.txt", 9, THEIRS)], [line("a.txt", 9, MINE)], CONFLICT),
    Case(
        "both change the same line, and others apart from it",
        [line("a.txt", 9, THEIRS), line("a.txt", 28, THEIRS + " too")],
        [line("a.txt", 9, MINE), line("a.txt", 1, MINE + " too")],
        CONFLICT,
    ),
    Case("both make the same change", [line("a.txt", 9, "same")], [line("a.txt", 9, "same")]),
    Case("the template renames a file that was edited", [move("a.txt", "c.txt")], [line("a.txt", 9, MINE)]),
    Case(
        "the template renames and changes a file that was edited elsewhere",
        [move("a.txt", "c.txt"), line("c.txt", 3, THEIRS)],
        [line("a.txt", 27, MINE)],
    ),
    Case(
        "the template renames and changes a file at the line that was edited",
        [move("a.txt", "c.txt"), line("c.txt", 9, THEIRS)],
        [line("a.txt", 9, MINE)],
        CONFLICT,
    ),
    Case("the template deletes a file that was edited", [delete("a.txt")], [line("a.txt", 9, MINE)], CONFLICT),
    Case("the template deletes a file that nobody touched", [delete("a.txt")], [line("b.txt", 9, MINE)]),
    Case("the person deleted a file that the template changes", [line("a.txt", 9, THEIRS)], [delete("a.txt")]),
    Case("the person deleted a file that the template renames", [move("a.txt", "c.txt")], [delete("a.txt")]),
    Case("both delete a file", [delete("a.txt")], [delete("a.txt")]),
    Case("the person renamed a file that the template changes", [line("a.txt", 9, THEIRS)], [move("a.txt", "p.txt")]),
    Case(
        "the person renamed and edited a file that the template changes elsewhere",
        [line("a.txt", 3, THEIRS)],
        [move("a.txt", "p.txt"), line("p.txt", 27, MINE)],
    ),
    Case(
        "the person renamed and edited a file at the line that the template changes",
        [line("a.txt", 9, THEIRS)],
        [move("a.txt", "p.txt"), line("p.txt", 9, MINE)],
        CONFLICT,
    ),
    Case(
        "the person renamed and edited a file that the template deletes",
        [delete("a.txt")],
        [move("a.txt", "p.txt"), line("p.txt", 9, MINE)],
        CONFLICT,
    ),
    Case(
        "both rename a file, to different names",
        [move("a.txt", "c.txt"), line("c.txt", 3, THEIRS)],
        [move("a.txt", "p.txt"), line("p.txt", 27, MINE)],
        CONFLICT,
    ),
    Case(
        "both rename a file to the same name, and change it at different lines",
        [move("a.txt", "c.txt"), line("c.txt", 3, THEIRS)],
        [move("a.txt", "c.txt"), line("c.txt", 27, MINE)],
    ),
    Case("both add a file, with different content", [write("n.txt", THEIRS)], [write("n.txt", MINE)], CONFLICT),
    Case("both add the same file", [write("n.txt", "same\n")], [write("n.txt", "same\n")]),
    Case(
        "the template renames a file to where the person added one",
        [move("a.txt", "n.txt")],
        [write("n.txt", MINE), line("a.txt", 9, MINE + " in a")],
        CONFLICT,
    ),
    Case("both change a binary file", [write("data.bin", OTHER)], [write("data.bin", THIRD)], CONFLICT),
    Case("the person changed a binary file", [line("a.txt", 9, THEIRS)], [write("data.bin", THIRD)]),
    Case(
        "the template deletes a binary file that was changed",
        [delete("data.bin")],
        [write("data.bin", THIRD)],
        CONFLICT,
    ),
    Case(
        "the template renames a binary file that was changed", [move("data.bin", "d.bin")], [write("data.bin", THIRD)]
    ),
    Case("both add a binary file", [write("n.bin", OTHER)], [write("n.bin", THIRD)], CONFLICT),
    Case("text became binary on one side", [write("a.txt", OTHER)], [line("a.txt", 9, MINE)], CONFLICT),
    Case(
        "the person set a mode bit where the template changes lines",
        [line("run.sh", 3, THEIRS)],
        [executable("run.sh")],
    ),
    Case("the template sets a mode bit where lines were edited", [executable("run.sh")], [line("run.sh", 3, MINE)]),
    Case(
        "the person set a mode bit of a file that the template renames",
        [move("run.sh", "go.sh")],
        [executable("run.sh")],
    ),
    Case(
        "the person made a file a link that the template changes",
        [line("a.txt", 9, THEIRS)],
        [link("a.txt", "b.txt")],
        CONFLICT,
    ),
    Case(
        "the template makes a file a link that was edited", [link("a.txt", "b.txt")], [line("a.txt", 9, MINE)], CONFLICT
    ),
    Case("both change where a link goes", [link("link", "b.txt")], [link("link", "run.sh")], CONFLICT),
    Case("the person changed where a link goes", [line("a.txt", 9, THEIRS)], [link("link", "run.sh")]),
    Case("the template deletes a link that was changed", [delete("link")], [link("link", "run.sh")], CONFLICT),
    Case("the person changed all line ends, the template a line", [line("a.txt", 9, THEIRS)], [windows("a.txt")]),
    Case("the template changes all line ends, the person a line", [windows("a.txt")], [line("a.txt", 9, MINE)]),
    Case(
        "the person changed all line ends, and both the same line",
        [line("a.txt", 9, THEIRS)],
        [line("a.txt", 9, MINE), windows("a.txt")],
        CONFLICT,
    ),
    Case("both change a file with Windows line ends", [line("crlf.txt", 3, THEIRS)], [line("crlf.txt", 17, MINE)]),
    Case("both change a file with a non-ASCII name", [line(UMLAUT, 3, THEIRS)], [line(UMLAUT, 17, MINE)]),
    Case(
        "the template renames an edited file with a non-ASCII name",
        [move(UMLAUT, "größe/neu.txt")],
        [line(UMLAUT, 17, MINE)],
    ),
    Case(
        "the template deletes an edited file with a non-ASCII name",
        [delete(UMLAUT)],
        [line(UMLAUT, 17, MINE)],
        CONFLICT,
    ),
    Case(
        "both change a line of a file with quotes and a tab in its name",
        [line(QUOTED, 9, THEIRS)],
        [line(QUOTED, 9, MINE)],
        CONFLICT,
    ),
    Case(
        "the template puts a folder where the person has a file",
        [write("x/y.txt", THEIRS)],
        [write("x", MINE)],
        CONFLICT,
    ),
    Case(
        "the template puts a file where the person has a folder",
        [write("x", THEIRS)],
        [write("x/y.txt", MINE)],
        CONFLICT,
    ),
    Case(
        "the template makes a folder of a file that was edited",
        [delete("a.txt"), write("a.txt/y.txt", THEIRS)],
        [line("a.txt", 9, MINE)],
        CONFLICT,
    ),
    Case("the template moves a folder with an edited file", [move("dir", "new")], [line("dir/one.txt", 9, MINE)]),
    Case(
        "the template moves a folder in which the person added a file",
        [move("dir", "new")],
        [write("dir/own.txt", MINE)],
    ),
    Case(
        "the person moved a folder in which the template changes a file",
        [line("dir/one.txt", 9, THEIRS)],
        [move("dir", "mine")],
    ),
    Case(
        "the person moved a folder in which the template adds a file",
        [write("dir/three.txt", THEIRS)],
        [move("dir", "mine")],
    ),
    Case("a seeded file is changed by both", [line("seeded.txt", 9, THEIRS)], [line("seeded.txt", 9, MINE)]),
    Case("the template deletes a seeded file that was edited", [delete("seeded.txt")], [line("seeded.txt", 9, MINE)]),
    Case("the person deleted a seeded file", [line("seeded.txt", 9, THEIRS)], [delete("seeded.txt")]),
    Case(
        "the person changed a file that ends without a line end",
        [line("no-end.txt", 1, THEIRS)],
        [append("no-end.txt", f"\n{MINE}")],
    ),
    Case("both add to the end of a file", [append("a.txt", f"{THEIRS}\n")], [append("a.txt", f"{MINE}\n")], CONFLICT),
    Case("both fill an empty file", [write("empty.txt", THEIRS)], [write("empty.txt", MINE)], CONFLICT),
    Case(
        "the template swaps two names, one of them of an edited file",
        [move("a.txt", "t"), move("b.txt", "a.txt"), move("t", "b.txt")],
        [line("a.txt", 9, MINE)],
        CONFLICT,
    ),
    Case("the person has lines that look like a conflict", [line("a.txt", 3, THEIRS)], [line("a.txt", 27, "=======")]),
    Case(
        "a committed file that git ignores is changed by both",
        [line("a.txt", 3, THEIRS)],
        [write(".gitignore", "a.txt\n"), line("a.txt", 27, MINE)],
    ),
    Case(
        "a new question has a default",
        [write("n.txt", THEIRS)],
        [line("a.txt", 9, MINE)],
        questions="more: {type: str, default: x}\n",
    ),
    Case(
        "a new question has no default",
        [write("n.txt", THEIRS)],
        [line("a.txt", 9, MINE)],
        REFUSED,
        questions="more: {type: str}\n",
    ),
]
