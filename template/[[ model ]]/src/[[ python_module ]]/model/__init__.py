"""The model: what it takes, what is known of it, and how it runs. Training and service share it."""
