"""The model as an artifact in the registry: fetched by its digest before the service starts."""
