"""The fleet engine: carry a new version of a Copier template into a service without losing anybody's work."""
