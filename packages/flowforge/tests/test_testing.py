"""The checks as functions, on a driver's own connection or on an executor."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pytest

from flowforge import testing
from flowforge.errors import FlowForgeError, PluginError
from flowforge.executors.duckdb_exec import DuckExecutor
from flowforge.testing import TestFailure


@pytest.fixture(params=["duckdb", "sqlite"])
def con(request):
    opened = duckdb.connect() if request.param == "duckdb" else sqlite3.connect(":memory:")
    with closing(opened):
        opened.execute("create table t (id integer, v integer, seen_at timestamp)")
        opened.execute("insert into t values (1, 5, '2000-01-01 00:00:00'), (1, -7, null), (null, 1, null)")
        opened.execute("create table none_yet (v integer, seen_at timestamp)")
        yield opened


HOLDS = [
    lambda con: testing.not_null(con, "t", "v"),
    lambda con: testing.unique(con, "t", "v"),
    lambda con: testing.greater_equal(con, "t", "v", -7),
    lambda con: testing.greater_equal(con, "t", "id"),
    lambda con: testing.non_negative_sum(con, "t", "id"),
    lambda con: testing.non_negative_sum(con, "none_yet", "v"),
    lambda con: testing.row_count_between(con, "t"),
    lambda con: testing.row_count_between(con, "t", 3, 3),
    lambda con: testing.freshness(con, "t", "seen_at", 10**9),
]
FAILS = [
    (lambda con: testing.not_null(con, "t", "id"), "t.id has 1 NULL values"),
    (lambda con: testing.unique(con, "t", "id"), "t.id has 1 duplicates"),
    (lambda con: testing.greater_equal(con, "t", "v"), "t.v has 1 values < 0"),
    (lambda con: testing.non_negative_sum(con, "t", "v"), "sum of t.v is negative: -1"),
    (lambda con: testing.row_count_between(con, "t", 4), "t has 3 rows, at least 4 expected"),
    (lambda con: testing.row_count_between(con, "t", 0, 2), "t has 3 rows, at most 2 expected"),
    (lambda con: testing.freshness(con, "t", "seen_at", 60), "minutes old, at most 60 allowed"),
    (lambda con: testing.freshness(con, "none_yet", "seen_at", 60), "no timestamp at all"),
]


@pytest.mark.parametrize("check", HOLDS)
def test_it_holds(con, check):
    check(con)


@pytest.mark.parametrize(("check", "says"), FAILS)
def test_it_does_not(con, check, says):
    with pytest.raises(TestFailure) as caught:
        check(con)
    assert says in str(caught.value)
    assert "\nSQL:\nselect" in str(caught.value)
    assert not isinstance(caught.value, FlowForgeError)


def test_on_an_executor():
    executor = DuckExecutor()
    executor.con.execute("create table t as select 1 as id")
    testing.unique(executor, "t", "id")
    assert testing._scalar(executor, "select 7") == 7
    assert testing._scalar(executor, "select 7 where false") is None
    assert testing._exec(executor, "select 1").fetchall() == [(1,)]
    executor.close()


def test_a_connection_of_nobody():
    with pytest.raises(PluginError, match="No installed engine knows connections of 'builtins'"):
        testing.unique(object(), "t", "id")


def test_pytest_does_not_collect_them():
    assert TestFailure.__test__ is False
