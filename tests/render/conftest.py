"""What the tests of the template's output share."""

from tests.labs.in_memory import tmp_path as tmp_path
