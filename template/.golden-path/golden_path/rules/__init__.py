"""The book of rules: one reader of each format, one set of ids, whoever asks. Needs Python 3.11 and PyYAML only."""
