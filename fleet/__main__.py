"""``python -m fleet`` is ``golden-path``."""

import sys

from fleet.cli import main

sys.exit(main())
