"""Which tests run: what `make test` takes, what did not change since it was green, which languages are there."""
