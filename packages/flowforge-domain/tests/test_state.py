"""State rows on a real database: written, read and compacted as said."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import ConfigError
from flowforge_domain.state import (
    STATE_TABLE,
    StateRow,
    compact_state,
    create_state,
    forget_relations,
    insert_state,
    select_state,
)

DIALECT = Dialect("test", {"text": "text", "bigint": "bigint"}, "")

texts = st.text(max_size=20).filter(lambda t: "\0" not in t)
state_rows = st.builds(
    StateRow,
    model=st.sampled_from(["a", "b", "it's"]),
    relation=texts,
    run_id=texts,
    data_version=texts,
    fingerprint=texts,
    rows=st.integers(-1, 2**63 - 1),
    finished_at=st.datetimes().map(lambda at: at.isoformat(timespec="microseconds")),
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
    for row in rows:
        connection.execute(insert_state(row, DIALECT))


def read(connection):
    return [StateRow(*row) for row in connection.execute(select_state(DIALECT))]


@given(rows=st.lists(state_rows, max_size=6, unique_by=lambda row: row.finished_at))
def test_rows_come_back_in_the_order_of_time(rows):
    connection = sqlite3.connect(":memory:")
    stored(connection, rows)
    assert read(connection) == sorted(rows, key=lambda row: row.finished_at)
    connection.close()


@pytest.mark.parametrize("dialect", [DIALECT, replace(DIALECT, deletes=False)], ids=["deletes", "no-deletes"])
@given(rows=st.lists(state_rows, max_size=8, unique_by=lambda row: row.finished_at))
def test_compacting_keeps_the_last_of_each_relation(dialect, rows):
    connection = sqlite3.connect(":memory:")
    stored(connection, rows)
    for _ in range(2):
        for statement in compact_state(dialect):
            connection.execute(statement)
        last = {row.relation: row for row in sorted(rows, key=lambda row: row.finished_at)}
        assert read(connection) == sorted(last.values(), key=lambda row: row.finished_at)
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
        insert_state(StateRow("a\0b", "", "", "", "", 1, ""), DIALECT)
