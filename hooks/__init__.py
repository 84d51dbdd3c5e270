"""What runs in a service around an update: see docs/reference/migrations.md. Needs Copier and its dependencies only."""
