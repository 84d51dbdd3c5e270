"""What a service's verbs run, and the rules that it is held to."""
