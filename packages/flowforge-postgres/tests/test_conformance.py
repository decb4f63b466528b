"""PostgreSQL passes the conformance suite, in its public schema and in one that is made."""

from __future__ import annotations

import pytest

from flowforge_postgres.plugin import SPEC
from flowforge_testkit.conformance import EngineConformance, PluginConformance


class TestPostgresPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestPostgres(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, dsn):
        return {"engine": "postgres", "postgres": {"dsn": dsn}}
