"""The workflow lab: checks a repository's GitHub Actions workflows, and runs them without GitHub.

``lab.Lab`` runs one, ``inputs.check`` holds every ``uses:`` to the pins and to what that action takes, ``lint.lint``
runs the linters. Nothing is imported here: the stand-ins are programs of this package that must start fast.
"""
