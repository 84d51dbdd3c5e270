"""The API of the model: predictions for one instance or several, and what is known of the model."""
