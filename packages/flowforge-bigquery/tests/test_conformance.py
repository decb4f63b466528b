"""BigQuery passes the conformance suite over its own client, with an emulator behind it, or a real account."""

from __future__ import annotations

import bigquery_emulator
import pytest

from flowforge_bigquery.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance, PluginConformance


class TestBigQueryPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestBigQuery(EngineConformance):
    names_sample = bigquery_emulator.NAMES
    unproved = bigquery_emulator.UNPROVED

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "bigquery", "bigquery": settings}
