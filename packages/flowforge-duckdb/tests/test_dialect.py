"""The dialect's expressions, evaluated by DuckDB itself."""

from __future__ import annotations

import pytest

from flowforge_duckdb.dialect import DUCKDB


def value(engine, expression):
    return engine.session.query(f"select {expression}").rows[0][0]


@pytest.mark.parametrize("kind", ["timestamp", "timestamp_s", "timestamp_ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_a_timestamp_without_zone_is_utc_in_every_shell(engine, kind, zone):
    engine.session.execute(f"set timezone = '{zone}'")
    column = f"((now() - interval 90 minute) at time zone 'UTC')::{kind}"
    assert value(engine, DUCKDB.age_minutes.format(column=column)) == pytest.approx(90, abs=0.1)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_a_timestamp_with_zone_is_that_moment(engine, zone):
    engine.session.execute(f"set timezone = '{zone}'")
    column = "(now() - interval 90 minute)"
    assert value(engine, DUCKDB.age_minutes.format(column=column)) == pytest.approx(90, abs=0.1)


def test_age_of_a_date_and_of_nothing(engine):
    assert value(engine, DUCKDB.age_minutes.format(column="(now() at time zone 'UTC')::date")) <= 24 * 60
    assert value(engine, DUCKDB.age_minutes.format(column="null::timestamp")) is None


def test_types_are_duckdbs(engine):
    columns = ", ".join(f"of_{name} {kind}" for name, kind in DUCKDB.types.items())
    engine.session.execute(f"create table t ({columns})")
    kinds = [kind for _, kind in engine.catalog.columns("t")]
    assert kinds[:5] == ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP"]
    assert kinds[5:] == [
        "DATE",
        "TIMESTAMP WITH TIME ZONE",
        "DECIMAL(38,9)",
        "BLOB",
        "JSON",
        "BIGINT[]",
        "STRUCT(a BIGINT, b VARCHAR)",
    ]
