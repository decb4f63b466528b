"""The reference engine passes the suite: in a file, and in memory, where it declines a second session."""

from __future__ import annotations

import pytest

from flowforge_testkit.conformance import EngineConformance, PluginConformance
from flowforge_testkit.sqlite.plugin import SPEC


class TestSqlitePlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestSqliteFile(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "sqlite", "sqlite": {"path": "target/test.db"}}


class TestSqliteMemory(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "sqlite"}
