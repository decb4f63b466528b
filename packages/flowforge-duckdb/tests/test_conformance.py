"""DuckDB passes the conformance suite, in a file and in memory."""

from __future__ import annotations

import shutil

import pytest

from flowforge_duckdb.engine import open_engine
from flowforge_duckdb.plugin import SPEC
from flowforge_duckdb.settings import DuckDBProfile
from flowforge_testkit.conformance import EngineConformance, PluginConformance
from flowforge_testkit.fakes import claim

FILE = {"engine": "duckdb", "duckdb": {"path": "target/test.duckdb"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file as the engine makes it: to make one costs more than most cases, to copy one nothing."""
    root = tmp_path_factory.mktemp("made")
    open_engine(DuckDBProfile.model_validate(FILE), root, claim()).session.close()
    return root / "target"


class TestDuckDBPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestDuckDBFile(EngineConformance):
    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, made, tmp_path):
        shutil.copytree(made, tmp_path / "target")
        return FILE


class TestDuckDBMemory(EngineConformance):
    # No name asks where its table is kept: on a file all of them are tried.
    names_sample = 30

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "duckdb", "duckdb": {"path": ":memory:"}}
