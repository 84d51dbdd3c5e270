"""The performance baseline of a service for a model: is a change slower, larger or less right than what it changes?"""
