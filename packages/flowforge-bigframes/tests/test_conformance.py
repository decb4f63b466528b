"""BigQuery DataFrames pass the conformance suite, with an emulator behind their own client."""

from __future__ import annotations

import bigquery_emulator
import pytest

from flowforge_bigframes.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance, PluginConformance


class TestBigFramesPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestBigFrames(EngineConformance):
    names_sample = bigquery_emulator.NAMES
    unproved = bigquery_emulator.UNPROVED_WITH_BIGFRAMES

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "bigquery", "bigquery": bigquery_emulator.new_target() | {"use_bigframes": True}}
