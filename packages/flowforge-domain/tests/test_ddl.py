"""What a SQL model writes, read from its text."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_domain.ddl import Target, find_target, is_blank, made_by, one_statement, require_reading
from flowforge_domain.dialect import Dialect, quote_name, quote_text
from flowforge_domain.errors import TemplateError
from flowforge_domain.relation import scan_relation

STANDARD = Dialect("standard", {}, "")
TICKS = Dialect("ticks", {}, "", quote="`", backslash_escapes=True, line_comments=("--", "#"))
SLASHES = Dialect("slashes", {}, "", backslash_escapes=True, line_comments=("--", "//"))
WAYS = [None, STANDARD, TICKS, SLASHES]

HEADS = [
    ("create table users as select 1", "table", "users"),
    ("create or replace table users as select 1", "table", "users"),
    ("CREATE OR REPLACE VIEW Users AS select 1", "view", "Users"),
    ("create table if not exists users as select 1", "table", "users"),
    ('create table "my users" as select 1', "table", '"my users"'),
    ("create table `users` as select 1", "table", "users"),
    ("create table analytics.users as select 1", "table", "analytics.users"),
    ('create table a."b ""c""".d as select 1', "table", 'a."b ""c""".d'),
    ("create\r\nor replace\r\n\ttable\nusers\r\nas\r\nselect 1", "table", "users"),
    ("create table users\nas select 1", "table", "users"),
    ("create table users--note\nas select 1", "table", "users"),
    ("create table users/* note */as select 1", "table", "users"),
    ("create table users(id) as select 1", "table", "users"),
]
BEFORE = [
    "",
    "\n\n  ",
    "-- a comment\n",
    "-- create view other as\r\n",
    "/* create view other as */ ",
    "/* ; */",
    "{# create view other as #}\n",
    "{{ config(materialized='view', tags=['a)', \"b\"]) }}\n",
    "{{- config(tags=[f(1)]) -}}",
    "{% set x = 1 %}\n",
    "{%- set x = 'create view y as' -%}",
    "# as BigQuery does\n",
    "// as Snowflake does\n",
    "-- one\n/* two */\n{# three #}\n{{ config() }}\n",
]


@pytest.mark.parametrize(("sql", "relation"), [(sql, relation) for sql, _, relation in HEADS])
def test_what_a_statement_makes_is_found_with_its_query(sql, relation):
    assert made_by(sql, STANDARD) == (relation, " select 1" if " select" in sql else "\r\nselect 1")


def test_so_is_a_temporary_table_and_what_takes_no_rows_is_not():
    assert made_by("create temporary table t as from x", STANDARD) == ("t", " from x")
    for sql in ("create table t (a int)", "create schema s", "create table as", "insert into t select 1 as a", "begin"):
        assert made_by(sql, STANDARD) is None


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(("sql", "kind", "relation"), HEADS)
def test_target_is_found(before, sql, kind, relation):
    target = find_target(before + sql)
    assert target == Target(kind, relation, len(before), target.end)
    text = before + sql
    assert text[target.start :].lower().startswith("create")
    assert text[target.end :].lstrip().lower().startswith(("as", "--note", "/* note", "(id)"))


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    "sql", ["select 1", "with x as (select 1) select * from x", "created_at", "creates", "from t", "", "(select 1)"]
)
def test_plain_query_has_no_target(before, sql):
    assert find_target(before + sql) is None


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("create index i on t (a)", 1),
        ("\n\ncreate temp table t as select 1", 3),
        ("create", 1),
        ("create schema s", 1),
        ("create table {{ this }} as select 1", 1),
        ("-- c\ncreate table\n{{ name }}\nas select 1", 3),
        ("create table 'text' as select 1", 1),
        ("create table (select 1)", 1),
        ("create table a. as select 1", 1),
        ("create table", 1),
        ("create table x (id int) -- as", 1),
        ("create table x /* as */ (id int)", 1),
        ("create table x {# as #} (id int)", 1),
        ("create table x (id text default 'as', \"as\" int) /* as", 1),
    ],
)
def test_other_creates_are_errors_with_place_and_caret(sql, line):
    with pytest.raises(TemplateError) as caught:
        find_target(sql, "models/m.ff.sql")
    assert str(caught.value.where) == f"models/m.ff.sql:{line}"
    assert caught.value.hint.startswith("Write `create or replace table NAME as select …`")


def test_create_without_file_has_no_place():
    with pytest.raises(TemplateError) as caught:
        find_target("create index i")
    assert caught.value.where is None


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "select ';'",
        "select 'it''s; fine'",
        'select ";" from t',
        "select `;` from t",
        "select 1 -- one; two",
        "select 1 /* ; */ + 1",
        "select $$ ; $$",
        "select $tag$ ; $$ ; $tag$",
        "select '-- ;' || \"/* ;\"",
        "select '\n;\n'",
        r"select e'it\'s; fine', E'\\'",
        r"select e'\\', ';', e'''; \';'",
    ],
)
def test_semicolons_inside_end_nothing(sql):
    assert one_statement(sql) == sql


@pytest.mark.parametrize("end", [";", ";\n", " ; ", ";;", "; -- done", ";\r\n/* done; */\r\n", "\n;\n;\n"])
def test_final_semicolon_and_what_follows_is_cut(end):
    assert one_statement(f"select ';'{end}").rstrip() == "select ';'"


WRITES = (
    "with w as (insert into t select 1 returning a) select * from w",
    "with v as (select 1), w as materialized (\n  /* x */ DELETE\n-- y\nfrom t returning a) select * from w",
    'create table x as with w as (update only "T" as t set a = 1 returning a) select * from w',
    "with w as (merge into t using u on true when matched then delete returning a) select * from w",
)


@pytest.mark.parametrize("sql", WRITES)
@pytest.mark.parametrize("dialect", [None, STANDARD])
def test_a_named_query_that_writes_is_refused(sql, dialect):
    with pytest.raises(TemplateError, match="changes another table") as caught:
        require_reading(sql, "models/m.ff.sql", dialect)
    assert caught.value.where.path == "models/m.ff.sql"
    assert caught.value.snippet.endswith("^")


@pytest.mark.parametrize(
    "sql",
    [
        "select '(delete from t)'",
        "select 1 -- (insert into t)",
        "select 1 /* (insert into t) */",
        "select $$ (delete from t) $$",
        'select "(delete from t)" from t',
        "select insert(a, 1, 2, 'into') from t",
        "select count(*) filter (where kind in ('insert', 'update')) as (deletes) from t",
        "select (update), (delete) from t where (merge) is null",
        "select (update) from t; set x = 1",
        "select x from (select a as insert from t) where deleted",
    ],
)
def test_words_of_statements_that_write_nothing_are_read(sql):
    require_reading(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select 2",
        "select 1;\ndrop table t",
        ";select 1",
        "select 'a'; -- x\n'b'",
        r"select e'\'' as a; drop table users; --'",
        r"select date'\'; drop table users; --'",
    ],
)
def test_second_statement_is_refused(sql):
    with pytest.raises(TemplateError, match="another follows this semicolon") as caught:
        one_statement(sql, "models/m.ff.sql", STANDARD)
    assert str(caught.value.where) == "models/m.ff.sql:1"
    assert caught.value.snippet.endswith("^")


@pytest.mark.parametrize(
    ("sql", "dialects"),
    [
        (r"select 'it\'s; fine'", [TICKS, SLASHES]),
        (r'select "it\"s; fine"', [TICKS]),
        (r'select "a\", ";" from t', [STANDARD, SLASHES]),
        (r"select 'a\\', ';'", [TICKS, SLASHES]),
        (r"select '\', ';'", [STANDARD]),
        ("select `;` from t", [STANDARD, TICKS, SLASHES]),
        (r"select `a\`, ';' from t", [STANDARD, TICKS, SLASHES]),
        ("select 1 # don't; stop", [TICKS]),
        ("select 1 // don't; stop", [SLASHES]),
        ("select 8 // 2, ';'", [STANDARD]),
        ("select '''it's; fine'''", [TICKS]),
        ('select r"""say "no;" \\d"""', [TICKS]),
    ],
)
def test_each_dialect_closes_its_texts_names_and_comments(sql, dialects):
    assert one_statement(sql) == sql
    for dialect in dialects:
        assert one_statement(f"{sql}\n;", "m.ff.sql", dialect) == f"{sql}\n"
        with pytest.raises(TemplateError, match="another follows"):
            one_statement(f"{sql}\n; drop table users", "m.ff.sql", dialect)


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        (r"select 'it\'; drop table users; --'", STANDARD),
        (r"select 'it\\'; drop table users; --'", TICKS),
        ("select 1 # '\n; drop table users; --'", TICKS),
        ("select 1 // '\n; drop table users; --'", SLASHES),
        (r'select "a\"; drop table users; --"', SLASHES),
        ("select `a`; drop table `b`", TICKS),
    ],
)
def test_a_second_statement_is_not_hidden_from_its_dialect(sql, dialect):
    with pytest.raises(TemplateError, match="another follows this semicolon"):
        one_statement(sql, "m.ff.sql", dialect)


def test_without_a_dialect_only_what_none_takes_is_refused():
    assert one_statement(r"select '\'; fine'") == r"select '\'; fine'"
    with pytest.raises(TemplateError, match="another follows"):
        one_statement(r"select '\\\\', 1; drop table users")


@pytest.mark.parametrize(("dialect", "opened"), [(TICKS, "`"), (TICKS, '"'), (SLASHES, '"'), (SLASHES, "'")])
def test_what_is_never_closed_is_named(dialect, opened):
    with pytest.raises(TemplateError, match=f"What {opened} opens here is never closed"):
        one_statement(f"select {opened}a", "m.ff.sql", dialect)


def test_escaped_text_before_as_is_skipped():
    sql = r"create table t (a text default 'it\'s as') as select 1"
    assert find_target(sql, dialect=TICKS).relation == "t"
    with pytest.raises(TemplateError, match="says `as`"):
        find_target(r"create table t (a text default 'it\'s as')", dialect=TICKS)


@given(st.text(alphabet="a;'\"-/*# \\\n\r$`", max_size=30))
@pytest.mark.parametrize("dialect", [STANDARD, TICKS, SLASHES])
def test_what_we_quote_hides_whatever_it_holds(dialect, text):
    sql = f"select {quote_text(text, dialect)} as {quote_name('n' + text, dialect)}"
    assert one_statement(f"{sql};", "", dialect) == sql


@pytest.mark.parametrize("sql", ["", " \r\n\t", ";", "-- only\n", "-- only", "/* a */;-- b"])
def test_blank(sql):
    assert is_blank(sql)


@pytest.mark.parametrize("sql", ["select 1", "/* open", "-- a\nx", "'"])
def test_not_blank(sql):
    assert not is_blank(sql)


ATOMS = st.sampled_from(
    [
        "'",
        '"',
        "`",
        "\\",
        "#",
        "//",
        ";",
        "--",
        "/*",
        "*/",
        "$$",
        "$t$",
        "\n",
        " ",
        "a",
        "''",
        "{",
        "#}",
        "create",
        "table",
    ]
)


@given(st.lists(ATOMS, max_size=25).map("".join))
def test_any_text_is_read_or_refused(sql):
    for read, dialect in product((find_target, one_statement, require_reading), WAYS):
        try:
            read(sql, "m.ff.sql", dialect)
        except TemplateError as error:
            assert len(str(error).splitlines()) <= 15


@given(st.text(alphabet="a;'\"-/* \n$`", max_size=30))
def test_a_text_literal_hides_whatever_it_holds(text):
    sql = "select '{}' as a".format(text.replace("'", "''"))
    assert one_statement(f"{sql};") == sql


def test_reading_is_linear():
    sql = "-- c\n" * 50_000 + "/* x */" * 20_000 + "create table t as select '" + "''" * 100_000 + "'"
    assert find_target(sql).relation == "t"
    assert one_statement(sql) == sql


def test_tags_that_are_never_closed_are_read_in_linear_time():
    sql = "select " + " ".join(f"$t{number}$" for number in range(100_000)) + " $t$ ; $t$"
    started = process_time()
    assert one_statement(f"{sql};") == sql
    assert process_time() - started < 5, "a minute, when each tag is looked for up to the end"


RUNS = [
    " ",
    "\n",
    ";",
    "--",
    "-- \n",
    "/*",
    "/* */",
    "'",
    "''",
    '"',
    "`",
    "$",
    "$$ ",
    "\\",
    "e'",
    "e'\\",
    "'\\",
    "'\\'",
    "'''\\",
    '"""',
    '"""\\ ',
    "#",
    "// ",
    "{{",
    "{#",
    "{%",
]
RUNS += ["(insert ", "(update a ", "(delete /* ", "( -- \n", "merge"]
RUNS += ["{{ config(", "{{ config() ", "{{ config()}} ", "create ", "as ", "(", ")", "a.", '"a".']


@pytest.mark.timeout(60)
@pytest.mark.parametrize("start", ["", "create table t ", "select ';' ;", "select '"])
@pytest.mark.parametrize("run", RUNS)
def test_no_run_of_equal_pieces_takes_long(start, run):
    text = start + run * 10_000 + "x"
    is_blank(text)
    scan_relation(text, 0)
    for read, dialect in product((find_target, one_statement, require_reading), WAYS):
        with suppress(TemplateError):
            read(text, "", dialect)
