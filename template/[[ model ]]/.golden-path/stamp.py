"""Write into the card of a model which commit its image is made from: REVISION=... stamp.py CARD.

The training does not know it, or each commit would train anew: the same inputs give the same model, whatever the commit.
"""

import json
import os
import sys
from pathlib import Path

card = Path(sys.argv[1])
told = json.loads(card.read_text(encoding="utf-8")) | {"revision": os.environ["REVISION"]}
card.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
