"""What a service for a model does with data: hold them against their contract, train, score, tell the lineage."""
