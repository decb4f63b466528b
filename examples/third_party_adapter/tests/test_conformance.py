"""DataFusion passes the kit: what a plugin must say, and what an engine must do."""

from __future__ import annotations

import pytest
from flowforge_datafusion import SPEC

from flowforge_testkit.conformance import EngineConformance, PluginConformance


class TestDataFusionPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestDataFusion(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "datafusion"}
