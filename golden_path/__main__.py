"""``python -m golden_path`` is ``golden-path``."""

import sys

from golden_path.cli import main

sys.exit(main())
