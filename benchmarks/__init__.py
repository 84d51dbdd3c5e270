"""What the golden path costs: always measured beside something bare, in the same run, so that the answer is a ratio."""
