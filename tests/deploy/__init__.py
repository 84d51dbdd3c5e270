"""What a service has to be deployed."""
