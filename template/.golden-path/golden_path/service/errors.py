"""What a verb ends with: one line that says what is wrong and what to do."""


class RefusedError(Exception):
    """It cannot be done; the message is one line that says why and what to do."""


class WrongInputError(Exception):
    """An input is wrong; the message is one line that says what it must be."""


class NoAnswerError(Exception):
    """A request had no success; the message is one line that says why."""
