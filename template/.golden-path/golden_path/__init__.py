"""What the platform brings into every service; the engine of the template imports the same files."""
