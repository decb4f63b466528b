"""Views on PostgreSQL do not keep from changing what they stand on, and lose nothing by it."""

from __future__ import annotations

import postgres_server
import pytest

from flowforge_cli.main import main

GROWS = "{{ config(materialized='incremental', unique_key='id', on_schema_change='"


@pytest.fixture
def dsn():
    with postgres_server.lent_database() as lent:
        yield lent


@pytest.fixture
def flowforge(dsn, capsys, monkeypatch, tmp_path):
    """Write models, run `flowforge` on their project and return what it said."""
    monkeypatch.setenv("FF_PG_DSN", dsn)
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(
        "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\", db_schema: shop}}\n",
        encoding="utf-8",
    )

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


def options(dsn, name):
    return postgres_server.run(f"select reloptions from pg_class where oid = '{name}'::regclass", dsn)[0][0]


@pytest.mark.parametrize("query", ["select 1 as id", "select 2 as id, 'x' as more"])
def test_a_view_that_is_built_again_keeps_its_options(flowforge, dsn, query):
    flowforge("run", a=view("select 1 as id"))
    postgres_server.run("alter view shop.a set (security_barrier=true, security_invoker=true)", dsn)
    flowforge("run --no-cache", a=view(query))
    assert options(dsn, "shop.a") == ["security_barrier=true", "security_invoker=true"]
    assert postgres_server.run("select * from shop.a", dsn) == [(1,) if "more" not in query else (2, "x")]


def test_a_view_keeps_its_check_option_or_is_refused(flowforge, dsn):
    flowforge("run", t="select 1 as id", a=view("select id from {{ ref('t') }}"))
    postgres_server.run("alter view shop.a set (check_option=local)", dsn)
    flowforge("run --no-cache")
    assert options(dsn, "shop.a") == ["check_option=local"]
    said = flowforge("run -s a", 1, a=view("select count(*) as id from {{ ref('t') }}"))
    assert "shop.a cannot be replaced: the new one cannot have its options" in said
    assert 'alter view "shop"."a" reset (check_option)' in said


def test_what_the_text_of_a_view_says_of_options_counts(flowforge, dsn):
    flowforge("run", a="create view a with (security_barrier=true) as select 1 as id")
    postgres_server.run("alter view shop.a set (security_invoker=true)", dsn)
    flowforge("run", a="create view a with (security_barrier=false) as select 1 as id")
    assert options(dsn, "shop.a") == ["security_barrier=false", "security_invoker=true"]


def rows(dsn, name):
    return postgres_server.run(f"select * from shop.{name} order by 1", dsn)


FIRST = "select 1 as id, 'x' as name, 2 as gone"
WITHOUT = "select 1 as id, 'x' as name"


@pytest.mark.parametrize("query", ["select * from {{ ref('a') }}", "select id, gone as g from {{ ref('a') }}"])
def test_a_view_of_the_project_follows_what_it_reads(flowforge, dsn, query):
    flowforge("run", a=FIRST, b=view(query), c=view("select * from {{ ref('b') }}"))
    postgres_server.run("comment on view shop.b is 'kept'; comment on column shop.b.id is 'too'", dsn)
    postgres_server.run("alter view shop.b set (security_barrier=true)", dsn)
    flowforge("run", a=WITHOUT, b=view("select * from {{ ref('a') }}"))
    assert rows(dsn, "c") == rows(dsn, "b") == [(1, "x")]
    assert options(dsn, "shop.b") == ["security_barrier=true"]
    kept = "select obj_description('shop.b'::regclass), col_description('shop.b'::regclass, 1)"
    assert postgres_server.run(kept, dsn) == [("kept", "too")]
    assert "skipped (unchanged)" in flowforge("run")


def test_a_view_whose_own_build_fails_stands_as_its_text_is_now(flowforge, dsn):
    flowforge("run", a=FIRST, b=view("select * from {{ ref('a') }}"))
    bad = "{{ config(materialized='view', post_hook='select 1 / 0') }} select * from {{ ref('a') }}"
    said = flowforge("run", 1, a=WITHOUT, b=bad)
    assert "division by zero" in said
    assert rows(dsn, "b") == rows(dsn, "a") == [(1, "x")]
    assert "b" in flowforge("run", b=view("select id from {{ ref('a') }}"))
    assert rows(dsn, "b") == [(1,)]


def test_where_the_view_is_not_built_along_what_builds_it_is_named(flowforge, dsn):
    flowforge("run", a=FIRST, b=view("select * from {{ ref('a') }}"), c=view("select * from {{ ref('b') }}"))
    said = flowforge("run -s a", 1, a=WITHOUT)
    assert 'the new one cannot have view shop.b: column "gone" does not exist' in said
    assert "flowforge run --select a+" in said
    assert rows(dsn, "b") == [(1, "x", 2)]
    flowforge("run --select a+")
    assert rows(dsn, "c") == rows(dsn, "b") == [(1, "x")]


def test_views_of_others_that_do_not_fit_are_listed_with_what_drops_them(flowforge, dsn):
    flowforge("run", a=FIRST, b=view("select * from {{ ref('a') }}"))
    postgres_server.run("create view shop.f as select gone from shop.b", dsn)
    postgres_server.run("create view shop.g as select gone from shop.f", dsn)
    said = flowforge("run", 1, a=WITHOUT)
    assert "cannot have view shop.f" in said
    assert "view shop.g" in said
    fix = said.partition("or drop it: ")[2].partition("\n")[0]
    assert fix == 'drop view "shop"."g"; drop view "shop"."f"'
    assert rows(dsn, "a") == [(1, "x", 2)]
    postgres_server.run(fix, dsn)
    flowforge("run")
    assert rows(dsn, "b") == [(1, "x")]


def test_a_view_that_needs_what_is_not_built_yet_is_told_so(flowforge, dsn):
    flowforge("run", a=FIRST, b=view("select * from {{ ref('a') }}"))
    said = flowforge("run", 1, a=WITHOUT, z="select id from {{ ref('a') }}", b=view("select * from {{ ref('z') }}"))
    assert 'relation "z" does not exist' in said
    fix = said.partition("or drop it: ")[2].partition("\n")[0]
    assert fix == 'drop view "shop"."b"'
    postgres_server.run(fix, dsn)
    flowforge("run")
    assert rows(dsn, "b") == [(1,)]


def test_views_may_change_their_places(flowforge, dsn):
    flowforge("run", a=FIRST, b=view("select * from {{ ref('a') }}"), c=view("select * from {{ ref('b') }}"))
    flowforge("run", a=WITHOUT, b=view("select * from {{ ref('c') }}"), c=view("select * from {{ ref('a') }}"))
    assert rows(dsn, "c") == rows(dsn, "b") == [(1, "x")]


def test_a_python_model_takes_its_views_along(flowforge, dsn, tmp_path):
    file = tmp_path / "models" / "p.ff.py"
    text = (
        "import pandas as pd\nfrom flowforge import model\n\n@model(name='p')\ndef p():\n    return pd.DataFrame({})\n"
    )
    file.write_text(text.replace("{}", "{'id': [1], 'gone': [2]}"), encoding="utf-8")
    flowforge("run", b=view("select * from {{ ref('p') }}"))
    file.write_text(text.replace("{}", "{'id': [1]}"), encoding="utf-8")
    flowforge("run")
    assert rows(dsn, "b") == [(1,)]


@pytest.mark.parametrize("rule", ["append_new_columns", "sync_all_columns"])
def test_columns_change_in_place_below_views(flowforge, dsn, rule):
    model = f"{GROWS}{rule}') }}}} select "
    flowforge(
        "run",
        i=model + "1 as id, 1.5::numeric(10, 2) as v, 'x'::varchar(5) as w",
        v=view("select * from {{ ref('i') }}"),
    )
    postgres_server.run("create view shop.f as select id, v from shop.v", dsn)
    postgres_server.run("grant select on shop.f to public", dsn)
    flowforge("run", i=model + "2 as id, 1.2345::numeric(14, 4) as v, 'xxxxxxxx'::text as w")
    assert [str(v) for _, v in rows(dsn, "f")] == ["1.5000", "1.2345"]
    assert rows(dsn, "v")[1][2] == "xxxxxxxx"
    granted = "select has_table_privilege('pg_monitor', 'shop.f', 'select')"
    assert postgres_server.run(granted, dsn) == [(True,)]


def test_a_dropped_column_goes_below_views_of_the_project_alone(flowforge, dsn):
    model = GROWS + "sync_all_columns') }} select "
    flowforge("run", i=model + "1 as id, 'x' as name, 2 as gone", v=view("select * from {{ ref('i') }}"))
    flowforge("run", i=model + "2 as id, 'y' as name")
    assert rows(dsn, "v") == [(1, "x"), (2, "y")]
    postgres_server.run("create view shop.f as select name from shop.v", dsn)
    said = flowforge("run", 1, i=model + "3 as id")
    assert "cannot be altered" in said
    assert 'drop view "shop"."f"' in said
    assert rows(dsn, "i") == [(1, "x"), (2, "y")]
    assert "flowforge run --select i+" in flowforge("run -s i", 1)


def test_a_snapshot_widens_below_a_view(flowforge, dsn):
    model = "{{ config(materialized='snapshot', unique_key='id', strategy='check') }} select 1 as id, "
    flowforge("run", s=model + "1.5::numeric(10, 2) as v", v=view("select id, v from {{ ref('s') }}"))
    flowforge("run", s=model + "1.2345::numeric(14, 4) as v")
    assert sorted(str(v) for _, v in rows(dsn, "v")) == ["1.2345", "1.5000"]


def test_a_view_that_does_not_use_the_column_is_left_alone(flowforge, dsn):
    model = GROWS + "append_new_columns') }} select "
    flowforge("run", i=model + "1 as id, 1.5::numeric(10, 2) as v")
    postgres_server.run("create view shop.f as select id from shop.i", dsn)
    postgres_server.run("create rule r as on insert to shop.f do instead nothing", dsn)
    before = postgres_server.run("select 'shop.f'::regclass::oid", dsn)
    flowforge("run", i=model + "2 as id, 1.2345::numeric(14, 4) as v, 3 as more")
    assert postgres_server.run("select 'shop.f'::regclass::oid", dsn) == before


def test_a_materialized_view_in_the_way_is_named_with_what_drops_it(flowforge, dsn):
    model = GROWS + "append_new_columns') }} select "
    flowforge("run", i=model + "1 as id, 1.5::numeric(10, 2) as v")
    postgres_server.run("create materialized view shop.m as select v from shop.i", dsn)
    said = flowforge("run", 1, i=model + "2 as id, 1.2345::numeric(14, 4) as v")
    assert "shop.i cannot be altered" in said
    fix = said.partition("Drop it first: ")[2].partition("\n")[0]
    postgres_server.run(f"set search_path = shop; {fix}", dsn)
    flowforge("run")


def test_a_full_refresh_takes_the_views_along(flowforge, dsn):
    model = GROWS + "ignore') }} select "
    flowforge("run", i=model + "1 as id, 'x' as name, 2 as gone", v=view("select * from {{ ref('i') }}"))
    flowforge("run -f", i=model + "2 as id, 'y' as name")
    assert rows(dsn, "v") == [(2, "y")]
