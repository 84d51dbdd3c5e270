"""What belongs to the platform and not to one service: files for its clusters."""
