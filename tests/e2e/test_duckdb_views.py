"""Views on DuckDB are bound when they are read: what they read changes only if they can be read then as before."""

from __future__ import annotations

import duckdb
import pytest

from flowforge_cli.main import main

GROWS = "{{ config(materialized='incremental', unique_key='id', on_schema_change='"
FIRST = "select 1 as id, 'x' as name, 2 as gone"
WITHOUT = "select 1 as id, 'x' as name"


@pytest.fixture
def sql(tmp_path):
    """Run SQL in the database and return the rows of the last statement."""

    def run(text):
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
            return connection.execute(text).fetchall()

    return run


@pytest.fixture
def flowforge(capsys, tmp_path):
    """Write models, run `flowforge` on their project and return what it said."""
    (tmp_path / "models").mkdir()
    (tmp_path / "seeds").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    profile = "default: {engine: duckdb, duckdb: {path: shop.duckdb}}\n"
    (tmp_path / "profiles.yml").write_text(profile, encoding="utf-8")

    def run(command, code=0, **models):
        for name, text in models.items():
            (tmp_path / "models" / f"{name}.ff.sql").write_text(text, encoding="utf-8")
        first, *rest = command.split()
        ended = main([first, str(tmp_path), *rest])
        said = "".join(capsys.readouterr())
        assert ended == code, said
        return said

    return run


def view(query):
    return f"{{{{ config(materialized='view') }}}} {query}"


def test_a_view_of_somebody_that_could_not_be_read_any_more_keeps_the_table_as_it_is(flowforge, sql):
    flowforge("run", a=FIRST)
    sql("create schema more; create view more.f as select gone from a; create view g as select gone from more.f")
    said = flowforge("run", 1, a=WITHOUT)
    assert "a cannot be changed so: view more.f could not be read any more" in said
    assert 'Referenced column "gone" not found' in said
    assert "Nor could view main.g." in said
    fix = said.partition("or drop it: ")[2].partition("\n")[0]
    assert fix == 'drop view "main"."g"; drop view "more"."f"'
    assert sql("from g") == [(2,)]
    sql(fix)
    flowforge("run")
    assert sql("from a") == [(1, "x")]


@pytest.mark.parametrize("query", ["select * from {{ ref('a') }}", "select id, gone as g from {{ ref('a') }}"])
def test_a_view_of_the_project_follows_what_it_reads(flowforge, sql, query):
    flowforge("run", a=FIRST, b=view(query), c=view("select id from {{ ref('b') }}"))
    flowforge("run", a=WITHOUT, b=view("select * from {{ ref('a') }}"))
    assert sql("from b") == [(1, "x")]
    assert sql("from c") == [(1,)]
    assert "skipped (unchanged)" in flowforge("run")


def test_a_view_that_the_run_builds_is_made_anew_with_the_table_below_it(flowforge, sql):
    flowforge("run", a=FIRST, b=view("select id, gone from {{ ref('a') }}"))
    bad = "{{ config(materialized='view', pre_hook='select error(1)') }} select id from {{ ref('a') }}"
    assert "pre_hook" in flowforge("run", 1, a=WITHOUT, b=bad)
    assert sql("from b") == [(1,)]


def test_a_view_that_no_text_makes_readable_is_a_reason_to_refuse(flowforge, sql):
    flowforge("run", a=FIRST, b=view("select id, gone from {{ ref('a') }}"))
    said = flowforge("run", 1, a=WITHOUT)
    assert "view main.b, as its model is now, could not be read any more" in said
    assert sql("from b") == [(1, 2)]


def test_where_the_view_is_not_built_along_what_builds_it_is_named(flowforge, sql):
    flowforge("run", a=FIRST, b=view("select id, gone from {{ ref('a') }}"))
    said = flowforge("run -s a", 1, a=WITHOUT, b=view("select id from {{ ref('a') }}"))
    assert "It is the view of model 'b', which this run does not build." in said
    assert "flowforge run --select a+" in said
    assert sql("from b") == [(1, 2)]
    flowforge("run --select a+")
    assert sql("from b") == [(1,)]


def test_a_view_on_what_the_run_is_still_to_build_waits_for_its_own_build(flowforge, sql):
    both = "select * from {{ ref('a') }} join {{ ref('b') }} using "
    flowforge("run", a="select 1 as id", b="select 1 as id, 2 as v", c=view(both + "(id)"))
    flowforge("run --jobs 1", a="select 1 as key", b="select 1 as key, 2 as v", c=view(both + "(key)"))
    assert sql("from c") == [(1, 2)]
    flowforge("run", a=FIRST, c="select 1 as id, gone from {{ ref('a') }}")
    assert sql("from c") == [(1, 2)]


def test_a_view_of_somebody_on_one_that_waits_keeps_what_it_reads(flowforge, sql):
    both = "select * from {{ ref('a') }} join {{ ref('b') }} using "
    flowforge("run", a="select 1 as id", b="select 1 as id, 2 as v", c=view(both + "(id)"))
    sql("create view f as select id, v from c")
    said = flowforge("run --jobs 1", 1, a="select 1 as key", b="select 1 as key, 2 as v", c=view(both + "(key)"))
    assert "view main.f could not be read any more" in said
    assert sql("from f") == [(1, 2)]


def test_a_view_that_becomes_a_table_waits_for_its_own_build(flowforge, sql):
    flowforge("run", a=FIRST, b=view("select gone from {{ ref('a') }}"))
    flowforge("run", a=WITHOUT, b="select id from {{ ref('a') }}")
    assert sql("from b") == [(1,)]


def test_a_view_that_was_broken_already_is_no_reason(flowforge, sql):
    flowforge("run", a=FIRST)
    sql("create table h as select 1 as i; create view f as select id, i from a, h; drop table h")
    flowforge("run", a=WITHOUT)
    sql("create table h as select 1 as j")
    flowforge("run", a="select 'y' as id")
    assert sql("from a") == [("y",)]


def test_a_view_that_fits_keeps_its_comments(flowforge, sql):
    flowforge("run", a=FIRST)
    sql("create view f as select * from a; comment on view f is 'kept'; comment on column f.id is 'too'")
    flowforge("run", a="select 'y' as id, 3 as more")
    assert sql("from f") == [("y", 3)]
    said = "select comment from duckdb_views() where view_name = 'f'"
    assert sql(f"{said} union all select comment from duckdb_columns() where table_name = 'f'") == [
        ("kept",),
        ("too",),
        (None,),
    ]


@pytest.mark.parametrize(
    "made",
    [
        "create view f as select upper(id) from a",
        "create view f as select gone from query('select * from a')",
        "create macro m() as table select gone from a; create view f as from m()",
        "create macro m(x) as (select max(gone) + x from a); create view f as select m(1)",
        "create view f as select rowid from a",
        "create view f as select * from a union all select 1, 'y', 3",
        'create view f as select gone from "SHOP"."Main"."A"',
    ],
)
def test_whatever_way_a_view_reads_a_table_it_is_found(flowforge, sql, made):
    flowforge("run", a=FIRST.replace("1 as", "'1' as") if "upper" in made else FIRST)
    sql(made)
    before = sql("from f")
    said = flowforge("run", 1, a=view(WITHOUT))
    assert "view main.f could not be read any more" in said
    assert sql("from f") == before


@pytest.mark.parametrize("query", ["select v from i", "select * from i union select 1, 2"])
def test_columns_that_change_in_place_are_held_by_the_views_on_them(flowforge, sql, query):
    model = GROWS + "sync_all_columns') }} select "
    flowforge("run", i=model + "1 as id, 2 as v")
    sql(f"create view f as {query}")
    now = "3 as id" if "select v" in query else "3 as id, 4 as v, 5 as w"
    said = flowforge("run", 1, i=model + now)
    assert "i cannot be changed so: view main.f could not be read any more" in said
    assert sql("from i") == [(1, 2)]
    sql("drop view f")
    flowforge("run", i=model + now)


def test_a_python_model_takes_its_views_along(flowforge, sql, tmp_path):
    file = tmp_path / "models" / "p.ff.py"
    text = (
        "import pandas as pd\nfrom flowforge import model\n\n@model(name='p')\ndef p():\n    return pd.DataFrame({})\n"
    )
    file.write_text(text.replace("{}", "{'id': [1], 'gone': [2]}"), encoding="utf-8")
    flowforge("run", b=view("select id, gone from {{ ref('p') }}"))
    file.write_text(text.replace("{}", "{'id': [1]}"), encoding="utf-8")
    assert "view main.b" in flowforge("run", 1)
    assert sql("from b") == [(1, 2)]
    flowforge("run", b=view("select id from {{ ref('p') }}"))
    assert sql("from b") == [(1,)]


def test_what_a_hook_adds_counts(flowforge, sql):
    hook = "{{ config(post_hook='alter table {{ this }} add column added int default 7') }} "
    flowforge("run", a=hook + "select 1 as id")
    sql("create view f as select id, added from a")
    flowforge("run", a=hook + "select 2 as id, 3 as more")
    assert sql("from f") == [(2, 7)]
    assert "view main.f could not be read any more" in flowforge("run", 1, a="select 2 as id")


def test_a_seed_keeps_the_views_of_others_and_leaves_those_of_the_project_to_the_run(flowforge, sql, tmp_path):
    (tmp_path / "seeds" / "s.csv").write_text("id,gone\n1,2\n", encoding="utf-8")
    (tmp_path / "seeds" / "q.sql").write_text("select 1 as id, 2 as gone", encoding="utf-8")
    flowforge("seed")
    flowforge("run", b=view("select id, gone from {{ ref('s') }}"))
    sql("create view f as select gone from s; create view g as select gone from q")
    (tmp_path / "seeds" / "s.csv").write_text("id\n1\n", encoding="utf-8")
    said = flowforge("seed", 1)
    assert "seeds/s.csv" in said
    assert "view main.f could not be read any more" in said
    assert "main.b" not in said
    assert sql("from f") == [(2,)]
    sql("drop view f")
    flowforge("seed")
    flowforge("run", b=view("select id from {{ ref('s') }}"))
    (tmp_path / "seeds" / "q.sql").write_text("select 1 as id", encoding="utf-8")
    assert "view main.g could not be read any more" in flowforge("seed", 1)
