"""Spark passes the conformance suite with tables of parquet."""

from __future__ import annotations

import pytest

from flowforge_databricks.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance


class TestSpark(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "databricks_spark", "databricks_spark": settings}
