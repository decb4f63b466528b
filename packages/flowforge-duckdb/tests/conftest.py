"""Engines for the tests: in memory, or on a file below the test's own folder."""

from __future__ import annotations

import pytest

from flowforge_duckdb.engine import open_engine
from flowforge_duckdb.settings import DuckDBProfile
from flowforge_testkit.fakes import claim


@pytest.fixture
def open_at(tmp_path):
    """Open engines on `path`, as many as a test wants; all are closed after it."""
    opened = []

    def run(path=":memory:", wait=10.0, **settings):
        profile = DuckDBProfile.model_validate({"engine": "duckdb", "duckdb": {"path": path, **settings}})
        opened.append(open_engine(profile, tmp_path, claim(wait)))
        return opened[-1]

    yield run
    for engine in opened:
        engine.session.close()


@pytest.fixture
def engine(open_at):
    return open_at()
