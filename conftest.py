"""Settings of every test of this repository: Hypothesis repeats its examples by day and looks for new ones at night.

No test depends on what another one imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("nightly" if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else "repeatable")


@pytest.fixture(autouse=True)
def usual_recursion_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the limit as it is at first: importing BigQuery DataFrames raises it to ten million."""
    before = sys.getrecursionlimit()
    if "bigframes" not in request.path.as_posix():
        sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)
