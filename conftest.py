"""Settings of every test of this repository: Hypothesis repeats its examples by day and looks for new ones at night."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("nightly" if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else "repeatable")
