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
    said = flowforge("run -s a", code=1, a=view("select count(*) as id from {{ ref('t') }}"))
    assert "shop.a cannot be replaced: the new one cannot have its options" in said
    assert 'alter view "shop"."a" reset (check_option)' in said


def test_what_the_text_of_a_view_says_of_options_counts(flowforge, dsn):
    flowforge("run", a="create view a with (security_barrier=true) as select 1 as id")
    postgres_server.run("alter view shop.a set (security_invoker=true)", dsn)
    flowforge("run", a="create view a with (security_barrier=false) as select 1 as id")
    assert options(dsn, "shop.a") == ["security_barrier=false", "security_invoker=true"]
