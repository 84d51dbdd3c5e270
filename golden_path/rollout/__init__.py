"""The fleet: many services, in rings, through pull requests; what one service needs stands in the package above."""
