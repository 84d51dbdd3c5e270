"""The example: items that are created, read, listed and deleted. Replace it with what the service is for."""
