"""Statements are run to their end, and none of their rows is kept."""

from __future__ import annotations

import resource

import pytest

from flowforge_domain.errors import EngineError, ErrorKind


def test_query_that_is_executed_is_not_kept_in_memory(engine):
    engine.session.execute("select 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert engine.session.execute("select repeat('x', 1000) from generate_series(1, 200000)") == 200_000
    # In KB: all rows at once would take a quarter of a gigabyte.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_query_that_is_executed_is_worked_out_to_its_last_row(engine):
    with pytest.raises(EngineError, match="division by zero") as caught:
        engine.session.execute("select 1 / (50000 - n) from generate_series(1, 50000) n")
    assert caught.value.kind is ErrorKind.DATA
    assert engine.session.query("select 1").rows == [(1,)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("create table t as select 1 as a union all select 2", 2),
        ("insert into old values (2), (3) returning a", 2),
        ("select a from old; update old set a = 2", 1),
        ("drop table old", None),
        ("select a from old; -- the end", 1),
        ("", None),
        ("-- nothing", None),
    ],
)
def test_rows_of_the_last_statement_are_told(engine, sql, rows):
    engine.session.execute("create table old as select 1 as a")
    assert engine.session.execute(sql) == rows


def test_nothing_after_the_statement_that_failed_is_run(engine):
    engine.session.begin()
    with pytest.raises(EngineError, match="missing") as caught:
        engine.session.execute("create table t (a integer);\nselect missing;\nselect also_missing")
    assert (caught.value.kind, caught.value.line) == (ErrorKind.MISSING_COLUMN, 2)
    engine.session.rollback()
    assert engine.catalog.relations() == {}


def test_text_in_another_encoding_than_unicode(engine):
    engine.session.execute("set client_encoding = 'latin1'")
    engine.session.execute("create table t as select 'Straße' as a")
    assert engine.session.query("select a, length(a) from t").rows == [("Straße", 6)]
    with pytest.raises(EngineError, match="no Unicode"):
        engine.session.execute("select '日本'")


def test_server_that_ends_the_connection_says_why(engine):
    with pytest.raises(EngineError, match="terminating connection due to administrator command"):
        engine.session.execute("select pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("also", ["", "; select 1"])
@pytest.mark.parametrize("way", ["from stdin", "to stdout"])
def test_copy_from_or_to_the_client_is_refused_and_stops_nothing_else(engine, way, also):
    engine.session.execute("create table t as select repeat('x', 1000) as a from generate_series(1, 10000)")
    engine.session.begin()
    with pytest.raises(EngineError, match=f"`copy {way}` has nobody") as caught:
        engine.session.execute(f"copy t {way}{also}")
    assert caught.value.kind is ErrorKind.SYNTAX
    engine.session.rollback()
    assert engine.session.query("select count(*) from t").rows == [(10_000,)]
