"""Bounds what is known to take minutes."""

from __future__ import annotations

import bigquery_emulator
import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if item.originalname in bigquery_emulator.TOO_SLOW and item.parent.name == "TestBigFrames":
            item.add_marker(pytest.mark.timeout(5))
