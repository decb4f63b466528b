"""The dialect's expressions, evaluated by DuckDB itself."""

from __future__ import annotations

import pytest

from flowforge_domain.sql_scan import undeclared, volatile_forms
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


def test_what_the_engine_does_not_call_consistent_is_volatile(engine):
    query = "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'"
    names = [name for (name,) in engine.session.query(query).rows]
    assert len(names) > 20
    assert [name for name in names if not volatile_forms(DUCKDB.volatile).fullmatch(f"{name}()")] == []


def test_macros_of_the_clock_and_the_session_are_volatile(engine):
    query = (
        "select distinct function_name from duckdb_functions() where function_type = 'macro'"
        " and regexp_matches(macro_definition, 'current_|duckdb_|now\\(|random') and function_name <> 'user'"
    )
    names = [name for (name,) in engine.session.query(query).rows]
    assert "ago" in names
    assert [name for name in names if not volatile_forms(DUCKDB.volatile).fullmatch(f"{name}()")] == []


def test_functions_that_give_rows_are_read_unless_they_make_them_of_their_arguments(engine):
    query = "select distinct function_name from duckdb_functions() where function_type = 'table'"
    names = {name for (name,) in engine.session.query(query).rows}
    assert {"read_csv", "glob", "read_text"} < names
    silent = {name for name in names if not undeclared(f"select * from {name}('x')", (), DUCKDB)}
    assert silent == {"generate_series", "json_each", "range", "unnest"}
