"""What is found in SQL, and that it is found once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowforge_domain.dialect import VOLATILE
from flowforge_sql.analysis import open_analysis


@pytest.fixture
def facts(tmp_path):
    analysis = open_analysis(tmp_path)
    return lambda sql, grammar="duckdb", volatile=VOLATILE: analysis.facts(sql, grammar, volatile)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a from t", "SELECT a\n  FROM t -- all of them"),
        ("select a /* x */ from t where b = 1", "select a from t where b=1"),
    ],
)
def test_layout_comments_and_case_of_keywords_do_not_count(facts, one, other):
    assert facts(one).normalized == facts(other).normalized


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select a from t", "select A from t"),
        ("select 'a' as x", "select 'A' as x"),
        ("select 'a  b' as x", "select 'a b' as x"),
        ("select a from t", "select a from u"),
        ("select a from t limit 1", "select a from t limit 2"),
        ("select a from t", "select distinct a from t"),
        ('select "a b" from t', 'select "a  b" from t'),
        # Synonyms, of which the column has its name.
        ("select len('a')", "select length('a')"),
        ("select ifnull(a, 0) from t", "select coalesce(a, 0) from t"),
        ("select substring(a, 1) from t", "select substr(a, 1) from t"),
        ("select a % 2 from t", "select mod(a, 2) from t"),
    ],
)
def test_everything_else_does(facts, one, other):
    assert facts(one).normalized != facts(other).normalized


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("""select to_char(d, 'DD"D"') from t""", """select to_char(d, 'DD"d"') from t"""),
        ('select "MyFunc"(5)', 'select "myfunc"(5)'),
        ("select x'AB' = e'a'", "select x'AB' = e'A'"),
    ],
)
def test_capital_letters_count_wherever_something_stands_in_quotes(facts, one, other):
    assert facts(one, "postgres").normalized != facts(other, "postgres").normalized
    assert facts(one, "postgres").normalized == facts(one.replace("select", "SELECT "), "postgres").normalized


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(1 as int as a",
        "select try_cast(1 as int as a",
        "select extract(year from d from t",
        "select cast(1 as decimal(5,2) as a",
        "select [1, 2 as a",
        "select 1) as a",
    ],
)
def test_what_does_not_close_its_brackets_is_not_understood(facts, sql):
    assert facts(sql) is None


@pytest.mark.parametrize(
    ("sql", "grammar"),
    [
        ("select now()", "duckdb"),
        ("select random() as r", "sqlite"),
        ("select datetime('now')", "sqlite"),
        ("select current_timestamp", "postgres"),
        ("select current_date as d", "duckdb"),
        ("select gen_random_uuid()", "postgres"),
        ("select nextval('s')", "postgres"),
        ("select * from t tablesample 10 percent", "duckdb"),
        ("select rand() as r", "bigquery"),
        ("select current_timestamp() as t", "snowflake_snowpark"),
        ("select uuid() as u", "databricks_spark"),
        ('select main."random" /* no */ ()', "duckdb"),
        ("select timestamptz 'today 10:00'", "postgres"),
        ("select s.nextval", "snowflake_snowpark"),
        ("select * from t using sample 3", "duckdb"),
    ],
)
def test_what_depends_on_when_it_runs(facts, sql, grammar):
    assert facts(sql, grammar).volatile


@pytest.mark.parametrize(
    "sql",
    [
        "select now from t",
        "select t.random as uuid from t",
        "select 'it is now or never' as x",
        "select 1 -- now()",
        'select "current_date" from t',
        "select t.current_date, a as current_user from t",
        "select sample from t",
    ],
)
def test_what_only_looks_so(facts, sql):
    assert facts(sql).volatile == ()


def test_the_words_of_a_dialect_count(facts):
    words = frozenset({"my_clock()", "my_session", "our_*()"})
    assert facts("select My_Clock()", volatile=words).volatile == ("my_clock",)
    assert facts("select my_session, my_clock", volatile=words).volatile == ("my_session",)
    assert facts("select our_host(1)", volatile=words).volatile == ("our_host",)
    assert facts("select now()", volatile=words).volatile == ()
    assert facts("select now()").volatile == ("now",)


def test_what_is_read_written_and_named(facts):
    found = facts('create table s.x as with q as (select a from "my t") select q.a, o.b from q join s.o on true, raw r')
    assert found.target == "s.x"
    assert set(found.reads) == {'"my t"', "s.o", "raw"}
    assert "s.o.b" in found.columns


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("select * from read_csv('x.csv')", "read_csv()"),
        ("select * from t, my_rows(3)", "my_rows()"),
        ("select * from 'x.csv'", '"x.csv"'),
    ],
)
def test_files_and_functions_are_read_too(facts, sql, read):
    assert read in facts(sql).reads


@pytest.mark.parametrize(
    "sql",
    [
        "with ext as (select * from ext) select * from ext",
        "with a as (select * from ext), ext as (select 1) select * from a join ext on true",
        "select * from (with ext as (select 1) select * from ext) x join ext on true",
        "with recursive r as (with ext as (select * from ext) select * from ext) select * from r",
        'with "EXT" as (select 1) select * from ext',
        "select sum(a) over ext from range(3) window ext as (order by a) union all select * from ext",
        "create table made as with ext as (select * from ext) select * from ext",
    ],
)
def test_names_of_queries_hide_a_table_only_where_they_count(facts, sql):
    assert facts(sql).reads == ("ext",)


@pytest.mark.parametrize(
    "sql",
    [
        "with q as (select 1), r as (select * from Q) select * from r join q on true",
        "with recursive q as (select 1 as a union all select a + 1 from q where a < 3) select * from q",
        "with q as (select 1) select * from (select * from q) x, lateral (select * from q) y",
        "with q as (with r as (select 1) select * from r) select * from q where exists (select 1 from q)",
        'create table made as with "q" as (select 1) select * from "q"',
    ],
)
def test_names_of_queries_are_no_tables(facts, sql):
    assert facts(sql).reads == ()


def test_rows_made_of_arguments_are_not_read(facts):
    assert facts("select * from t, range(3), generate_series(1, 2) as s(x), unnest([1]) as u").reads == ("t",)


@pytest.mark.parametrize("sql", ["select from where (", "select 1; select 2", ""])
def test_what_cannot_be_parsed_is_said(facts, sql):
    assert facts(sql) is None


def test_what_was_found_is_kept_and_sqlglot_stays_away(facts, tmp_path):
    facts("select now()")
    facts("not sql (")
    code = (
        "import sys; from pathlib import Path; from flowforge_sql.analysis import open_analysis\n"
        "from flowforge_domain.dialect import VOLATILE\n"
        "analysis = open_analysis(Path(sys.argv[1]))\n"
        "assert analysis.facts('select now()', 'duckdb', VOLATILE).volatile == ('now',)\n"
        "assert analysis.facts('not sql (', 'duckdb', VOLATILE) is None\n"
        "assert 'sqlglot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_a_damaged_cache_is_left_out(facts, tmp_path):
    facts("select now()")
    cache = tmp_path / ".flowforge" / "cache" / "sql.jsonl"
    cache.write_text(cache.read_text().replace("now", "new"))
    assert open_analysis(tmp_path).facts("select now()", "duckdb", VOLATILE).volatile == ("now",)


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("select max(a), now() from t", ()),
        ("with q as (select 1 as a) select * from q", ()),
        ("insert into s.t (a) select a from u", ("s.t",)),
        ("update t set a = (select max(a) from u)", ("t",)),
        ("delete from t using u where t.a = u.a", ("t",)),
        ("merge into t using u on t.a = u.a when matched then update set a = 1 when not matched then insert values (1)",
         ("t",)),
        ("with q as (delete from t returning *) insert into u select * from q", ("u", "t")),
        ("select * into t from u", ("t",)),
        ("create table if not exists t (a int)", ("t",)),
        ("create or replace view v as select * from t", ("v",)),
        ("drop table t, u", ("t", "u")),
        ("alter table t rename to u", ("t", "u")),
        ("truncate t", ("t",)),
        ("copy t to 'x.csv'", ()),
    ],
)  # fmt: skip
def test_what_a_statement_may_change_is_known(facts, sql, writes):
    assert facts(sql, "postgres").writes == writes


@pytest.mark.parametrize(
    "sql",
    [
        "select mine(1)",
        "select s.max(1)",
        "select log('began')",
        "insert into t select mine(a) from u",
        "insert into t values (1) returning mine(a)",
        "drop table t cascade",
        "truncate t cascade",
        "alter table t drop column a cascade",
        "create table t partition of u for values in (1)",
        "create table t () inherits (u)",
        "create function mine() returns int as 'select 1' language sql",
        "copy t from 'x.csv'",
        "copy t to program 'x'",
        "set search_path = s",
        "do $$ begin delete from t; end $$",
        "call mine()",
        "execute mine",
        "explain analyze delete from t",
        "refresh materialized view v",
        "checkpoint",
    ],
)
def test_what_may_do_anything_is_not(facts, sql):
    found = facts(sql, "postgres")
    assert found is None or found.writes is None
