"""The dialect's expressions, evaluated by DuckDB itself."""

from __future__ import annotations

import pytest

from flowforge_duckdb.dialect import DUCKDB


def value(engine, expression):
    return engine.session.query(f"select {expression}").rows[0][0]


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "timestamp_ns", "varchar"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_age_counts_in_the_sessions_zone(engine, kind, zone):
    engine.session.execute(f"set timezone = '{zone}'")
    column = f"(now() - interval 90 minute)::timestamp::{kind}"
    assert value(engine, DUCKDB.age_minutes.format(column=column)) == pytest.approx(90, abs=0.1)


def test_age_of_a_date_and_of_nothing(engine):
    assert 0 <= value(engine, DUCKDB.age_minutes.format(column="current_date")) <= 24 * 60
    assert value(engine, DUCKDB.age_minutes.format(column="null::timestamp")) is None


def test_seconds_between_keeps_microseconds(engine):
    earlier, later = "timestamp '2024-01-01 00:00:00'", "timestamp '2024-02-01 00:00:00.000001'"
    assert value(engine, DUCKDB.seconds_between.format(earlier=earlier, later=later)) == 31 * 86400 + 0.000001


def test_types_are_duckdbs(engine):
    columns = ", ".join(f"{name} {kind}" for name, kind in DUCKDB.types.items())
    engine.session.execute(f"create table t ({columns})")
    assert [kind for _, kind in engine.catalog.columns("t")] == ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP"]
