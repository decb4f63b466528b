"""State rows on a real database: written, read and compacted as said."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import ConfigError
from flowforge_domain.results import Rows
from flowforge_domain.state import (
    STATE_TABLE,
    StateRow,
    compact_state,
    create_state,
    forget_relations,
    insert_states,
    state_rows,
    whole_state,
)

DIALECT = Dialect("test", {"text": "text", "bigint": "bigint"}, "")

texts = st.text(max_size=20).filter(lambda t: "\0" not in t)
builds = st.builds(
    StateRow,
    model=st.sampled_from(["a", "b", "it's"]),
    relation=st.sampled_from(["a", "b", "it's"]) | texts,
    run_id=st.sampled_from(["1", "2", "it's"]),
    data_version=texts,
    fingerprint=texts,
    rows=st.integers(-1, 2**63 - 1),
    finished_at=st.datetimes().map(lambda at: at.isoformat(timespec="microseconds")),
    inputs=st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=3),
)


@pytest.fixture
def connection():
    opened = sqlite3.connect(":memory:")
    yield opened
    opened.close()


def stored(connection, rows):
    connection.execute(f'drop table if exists "{STATE_TABLE}"')
    for _ in range(2):
        connection.execute(create_state(DIALECT))
    for statement in insert_states(rows, DIALECT):
        connection.execute(statement)


def read(connection):
    found = connection.execute(whole_state(DIALECT))
    return state_rows(Rows([column[0] for column in found.description], found.fetchall()), DIALECT)


@given(rows=st.lists(builds, max_size=6, unique_by=lambda row: row.finished_at))
def test_rows_come_back_in_the_order_of_time(rows):
    connection = sqlite3.connect(":memory:")
    stored(connection, rows)
    assert read(connection) == sorted(rows, key=lambda row: row.finished_at)
    connection.close()


@pytest.mark.parametrize("dialect", [DIALECT, replace(DIALECT, deletes=False)], ids=["deletes", "no-deletes"])
@given(rows=st.lists(builds, max_size=8, unique_by=lambda row: row.finished_at))
def test_compacting_removes_what_a_run_has_written_anew(dialect, rows):
    connection = sqlite3.connect(":memory:")
    stored(connection, rows)
    run = rows[-1].run_id if rows else "none"
    written = {row.relation for row in rows if row.run_id == run}
    left = [row for row in rows if row.run_id == run or row.relation not in written]
    for _ in range(2):
        for statement in compact_state(run, dialect):
            connection.execute(statement)
        assert read(connection) == sorted(left, key=lambda row: row.finished_at)
    connection.close()


@pytest.mark.parametrize("dialect", [DIALECT, replace(DIALECT, deletes=False)], ids=["deletes", "no-deletes"])
def test_relations_are_forgotten(dialect, connection):
    rows = [StateRow(name, name, "", "", "", 1, f"202{number}") for number, name in enumerate(("a", "it's", "c"))]
    stored(connection, rows)
    for statement in forget_relations(["it's", "c"], dialect):
        connection.execute(statement)
    assert read(connection) == rows[:1]


def test_hostile_values_stay_values(connection):
    row = StateRow("'); drop table x; --", '"a"."b"', "", "\\'", "🦆\n", -1, "2024")
    stored(connection, [row])
    assert read(connection) == [row]


def test_nul_is_refused():
    with pytest.raises(ConfigError):
        insert_states([StateRow("", "a\0b", "", "", "", 1, "")], DIALECT)
