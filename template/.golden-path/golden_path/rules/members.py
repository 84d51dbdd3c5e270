"""Rules on how a repository stands to its template. Their checks need the template: `golden-path doctor` has them."""

from __future__ import annotations

from golden_path.rules.book import ERROR, MEMBER, NOTE, RULES, WARNING, Rule

for _one in (
    Rule("GP001", ERROR, "The repository knows its template.", "without an answers file no upgrade ever reaches it"),
    Rule("GP002", ERROR, "The answers file can be read.", "an upgrade stops at one that it cannot read"),
    Rule("GP003", WARNING, "The newest version of the template is there.", "only upgraded services get fixes"),
    Rule("GP004", NOTE, "What the template manages is as it wrote it.", "each edit is merged at every upgrade"),
    Rule("GP005", ERROR, "The template has the version that the answers name.", "an upgrade needs it to merge from"),
    Rule("GP006", WARNING, "The answers file is as Copier wrote it.", "an edit by hand does not change the files"),
    Rule("GP008", WARNING, "Everybody can reach the template.", "a folder of one machine is on no other"),
):
    RULES[_one.identifier] = Rule(_one.identifier, _one.severity, _one.title, _one.reason, MEMBER, scored=False)
