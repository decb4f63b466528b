"""Snowflake passes the conformance suite, as far as its emulator goes."""

from __future__ import annotations

import pytest

from flowforge_snowflake.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance


class TestSnowflake(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "snowflake_snowpark", "snowflake_snowpark": settings}
