"""``golden-path doctor``: rules on the health of a repository (docs/reference/doctor.md lists them)."""
