"""Run a verb of the platform's: ``python3 .golden-path VERB ...``; without one, list them."""

import sys

from golden_path.service.main import main

sys.exit(main(*sys.argv[1:]))
