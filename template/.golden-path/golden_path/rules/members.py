"""Rules on how a repository stands to its template. Their checks need the template: `golden-path doctor` has them."""

from __future__ import annotations

from golden_path.rules.book import ERROR, MEMBER, NOTE, RULES, WARNING, Rule

for _one in (
    Rule("GP001", ERROR, "The repository has an answers file.", "without it, no upgrade reaches the repository"),
    Rule("GP002", ERROR, "The answers file is readable.", "otherwise every upgrade stops"),
    Rule(
        "GP003", WARNING, "The repository has the newest version of the template.", "only upgraded services get fixes"
    ),
    Rule("GP004", NOTE, "Managed files are as the template wrote them.", "every upgrade has to merge such edits"),
    Rule(
        "GP005",
        ERROR,
        "The template has the version that the answers file names.",
        "an upgrade merges from that version",
    ),
    Rule(
        "GP006",
        WARNING,
        "The answers file is as Copier wrote it.",
        "editing an answer by hand does not change any file",
    ),
    Rule("GP008", WARNING, "The template's address works on every machine.", "a folder on one machine is on no other"),
):
    RULES[_one.identifier] = Rule(_one.identifier, _one.severity, _one.title, _one.reason, MEMBER, scored=False)
