"""Settings: what is accepted, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from flowforge_duckdb.settings import DuckDBProfile, DuckDBSettings


def test_engine_alone_is_a_database_in_memory():
    assert DuckDBProfile(engine="duckdb").duckdb == DuckDBSettings(path=":memory:")


@pytest.mark.parametrize("limit", ["4GB", "512 MiB", "1.5gb", "100KB"])
def test_memory_limits(limit):
    assert DuckDBSettings(memory_limit=limit).memory_limit == limit


@pytest.mark.parametrize(
    "settings",
    [{"path": ""}, {"threads": 0}, {"memory_limit": "much"}, {"memory_limit": "1GB'; drop"}, {"file": "x.duckdb"}],
    ids=str,
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValidationError):
        DuckDBSettings.model_validate(settings)


def test_limits_reach_duckdb(open_at):
    session = open_at(threads=1, memory_limit="300MB").session
    assert session.query("select current_setting('threads')").rows == [(1,)]
    assert session.query("select current_setting('memory_limit')").rows == [("286.1 MiB",)]


def test_unset_limits_are_duckdbs_own(open_at):
    session = open_at(threads=2).session
    assert session.query("select current_setting('memory_limit')").rows != [("286.1 MiB",)]


def test_braces_of_a_path_that_nothing_closes_are_refused():
    with pytest.raises(ValidationError, match="opens braces that nothing closes"):
        DuckDBSettings(path="{{ env_var('X') }.duckdb")
