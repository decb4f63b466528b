"""What a cheap look at SQL must not miss."""

from __future__ import annotations

import pytest

from flowforge_domain.dialect import VOLATILE, Dialect
from flowforge_domain.sql_scan import undeclared, volatile_word, without_values

PLAIN = Dialect("plain", {}, "", volatile=VOLATILE | {"my_clock()", "my_session", "our_*()"})


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select\nnow()", ("now", 2)),
        ("select 'now'::date", ("now", 1)),
        ("select RANDOM /* a\nb */ -- c\n ()", ("random", 1)),
        ('select main."random"()', ("random", 1)),
        ("select current_date", ("current_date", 1)),
        ("select s.nextval", ("nextval", 1)),
        ("select my_clock(1)", ("my_clock", 1)),
        ("select my_session", ("my_session", 1)),
        ("select our_host()", ("our_host", 1)),
    ],
)
def test_volatile_words_are_found(sql, word):
    assert volatile_word(sql, PLAIN) == word


@pytest.mark.parametrize("sql", ["select random, uuid from t", "select my_clock", "select nowhere()", "select 1"])
def test_names_that_are_not_called_are_none(sql):
    assert volatile_word(sql, PLAIN) is None


@pytest.mark.parametrize(
    "sql",
    [
        "with ext as (select * from ext) select * from ext",
        "with a as (select * from ext), ext as (select 1) select * from a join ext on true",
        "select * from (with ext as (select 1) select * from ext) x join ext on true",
        "with recursive r as (with ext as (select * from ext) select * from ext) select * from r",
        'with "EXT" as (select 1) select * from ext',
        "select sum(a) over ext from mine window ext as (order by a) union all select * from ext",
        "with q as (select 1) select * from q union all select * from ext",
        "with ext (a) as materialized (select a from ext) select * from ext",
    ],
)
def test_names_of_queries_hide_a_table_only_where_they_count(sql):
    assert undeclared(sql, {"mine"}, PLAIN) in {"ext", "EXT"}


@pytest.mark.parametrize(
    "sql",
    [
        "with q as (select * from mine), r as (select * from Q) select * from r join q on true",
        "with recursive q as (select 1 as a union all select a + 1 from q where a < 3) select * from q",
        "with q as (select 1) select * from (select * from q) x where exists (select 1 from q)",
        "with q as (with r as (select 1) select * from r) select * from q",
        'with "q" as (select 1) select * from "q"',
        "with q as (select 1 from mine) from q",
    ],
)
def test_names_of_queries_are_no_tables(sql):
    assert undeclared(sql, {"mine"}, PLAIN) == ""


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("insert into log values ('4f2a', 'it''s', 1.5e3, 12)", "insert into log values ('', '', 0, 0)"),
        ("select x1, \"a '1'\", 'a' -- 1 'b'\nfrom t2", "select x1, \"a '1'\", '' -- 1 'b'\nfrom t2"),
        ("select E'a' || 'b'", "select E'a' || ''"),
        (r"select 'a\' || 1", r"select 'a\' || 1"),
        ("do $$ delete from t where a = 1 $$", "do $$ delete from t where a = 1 $$"),
    ],
)
def test_texts_and_numbers_are_made_alike(sql, plain):
    assert without_values(sql, PLAIN) == plain
