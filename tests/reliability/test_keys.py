"""Rows whose key rises need no grouping: the cheap question never says yes where the dear one finds something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.plan import key_refusals
from flowforge_duckdb.engine import open_engine as open_duckdb
from flowforge_duckdb.settings import DuckDBProfile, DuckDBSettings
from flowforge_testkit.fakes import claim
from flowforge_testkit.sqlite.engine import open_engine as open_sqlite
from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings

KEYS = st.one_of(st.none(), st.integers(-3, 3))


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def engine(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("keys")
    if request.param == "duckdb":
        engine = open_duckdb(DuckDBProfile(engine="duckdb", duckdb=DuckDBSettings(path=":memory:")), root, claim())
    else:
        engine = open_sqlite(SqliteProfile(engine="sqlite", sqlite=SqliteSettings(path=":memory:")), root, claim())
    yield engine
    engine.session.close()


def asked(engine, keys, rows):
    """Return whether the cheap question says that all is well, and how many keys the other finds wrong."""
    names = [f"k{number}" for number in range(keys)]
    engine.session.execute("drop table if exists rows")
    engine.session.execute(f"create table rows ({', '.join(f'{name} bigint' for name in names)})")
    if rows:
        values = ", ".join(f"({', '.join('null' if key is None else str(key) for key in row)})" for row in rows)
        engine.session.execute(f"insert into rows values {values}")
    (refusal,) = key_refusals("rows", names, engine.dialect)
    ask = engine.session.query
    return bool(ask(refusal.settled).rows[0][0]), len(ask(refusal.query).rows)


@given(st.lists(st.tuples(KEYS), max_size=5))
def test_one_key(engine, rows):
    settled, wrong = asked(engine, 1, rows)
    assert not (settled and wrong)
    if all(None not in row for row in rows):
        assert settled == (rows == sorted(set(rows)))


@given(st.lists(st.tuples(KEYS, KEYS), max_size=5))
def test_two_keys(engine, rows):
    settled, wrong = asked(engine, 2, rows)
    assert not (settled and wrong)
    if all(None not in row for row in rows):
        assert settled == (rows == sorted(set(rows)))
