"""DataFusion passes the kit: what a plugin must say, and what an engine must do."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest
from flowforge_datafusion import SPEC

from flowforge_testkit.conformance import EngineConformance, PluginConformance

# What was cancelled computes on, on as many of these threads as its statement had: some must be left for the others.
os.environ.setdefault("TOKIO_WORKER_THREADS", "8")


class TestDataFusionPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestDataFusion(EngineConformance):
    # By day; with FLOWFORGE_NIGHTLY=1 all. What was cancelled before takes its share of the processor.
    names_sample = 12
    # pyarrow drops the zone when it makes a column of such values, before this module could see it.
    limits: ClassVar = {
        "test_time_of_day_with_a_zone_keeps_it_or_is_refused": "a pyarrow table has no time with a zone"
    }

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        # One thread for each statement that the kit cancels: with four, two of them held all eight for ever.
        return {"engine": "datafusion", "datafusion": {"threads": 1}}
