"""What the verbs of a service run: ``python3 .golden-path VERB``."""
