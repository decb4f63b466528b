"""How often the tests of reliability try, by day and by night: the counts of the bars that `make scorecard` judges.

`FLOWFORGE_NIGHTLY=1` makes it night, as `make nightly` does.
"""

from __future__ import annotations

import os

NIGHT = os.environ.get("FLOWFORGE_NIGHTLY") == "1"
