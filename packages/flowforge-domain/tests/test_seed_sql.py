"""SQL seeds: the statement that makes their table, and the place in the file of what is wrong."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, SeedError
from flowforge_domain.model import Seed
from flowforge_domain.seed_sql import create_seed, seed_query, seed_query_error

SEED = Seed("s", "sql", Path("seeds/s.sql"), "s", "seeds/s.sql")
REPLACES = Dialect("replaces", {}, "")
PLAIN = Dialect("plain", {}, "", replaces=frozenset(), backslash_escapes=True)


def statement(content, dialect=PLAIN, relation="s"):
    return create_seed(seed_query(SEED, content, "s", dialect), relation, dialect)


@pytest.mark.parametrize(
    "content",
    [
        b"select 1 as id",
        b"\xef\xbb\xbf-- one row\r\nselect 1 as id;\r\n",
        b"create or replace table s as select 1 as id",
        b'-- c\ncreate table raw."S"\nas\nselect 1 as id;',
    ],
)
def test_statement_makes_the_table_asked_for(content):
    connection = sqlite3.connect(":memory:")
    connection.execute(statement(content, relation="aside"))
    assert connection.execute("select id from aside").fetchall() == [(1,)]


def test_head_is_the_dialects():
    assert statement(b"select 1", REPLACES) == 'create or replace table "s" as\nselect 1'
    assert statement(rb"select '\'; x'") == "create table \"s\" as\nselect '\\'; x'"


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"\xff", 0, "not UTF-8"),
        (b" -- nothing\n;", 0, "holds no SQL"),
        (b"\ncreate view s as select 1", 2, "creates the view s"),
        (b"create table t as select 1", 1, "creates the table t, but it is loaded as table s"),
        (b"select 1;\nselect 2", 1, "another follows"),
        (b"\r\ndrop table s", 2, "not `drop`"),
    ],
)
def test_what_is_no_seed_is_refused(content, line, words):
    with pytest.raises(SeedError, match=words) as caught:
        seed_query(SEED, content, "s", PLAIN)
    assert (caught.value.where.path, caught.value.where.line) == ("seeds/s.sql", line)


@pytest.mark.parametrize(
    ("content", "said", "line", "caret"),
    [
        (b"select\n  nope", (3, 3), 2, "  nope\n          ^"),
        (b"select nope", (0, 0), 0, ""),
        (b"create table s as select nope", (1, 28), 1, "select nope"),
        (b"create table s as\nselect nope", (2, 8), 2, "nope\n               ^"),
    ],
)
def test_error_points_into_the_file(content, said, line, caret):
    query = seed_query(SEED, content, "s", PLAIN)
    error = seed_query_error(query, EngineError("no such column: nope", line=said[0], column=said[1], hint="Fix it."))
    assert (error.message, error.where.line, error.hint) == ("no such column: nope", line, "Fix it.")
    assert error.snippet.endswith(caret)
