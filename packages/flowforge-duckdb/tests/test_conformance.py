"""DuckDB passes the conformance suite, in a file and in memory."""

from __future__ import annotations

import pytest

from flowforge_duckdb.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance, PluginConformance


class TestDuckDBPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestDuckDBFile(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "duckdb", "duckdb": {"path": "target/test.duckdb"}}


class TestDuckDBMemory(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "duckdb", "duckdb": {"path": ":memory:"}}
