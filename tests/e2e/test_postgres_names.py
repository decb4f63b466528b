"""On PostgreSQL a relation of the profile's schema is one, with that schema's name or without it."""

from __future__ import annotations

import subprocess

import postgres_server
import pytest


@pytest.fixture(params=["public", "Sales"])
def schema(request):
    return request.param


@pytest.fixture
def flowforge(schema, warm_environment, tmp_path):
    dsn = postgres_server.new_database()
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(
        "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n", encoding="utf-8"
    )

    def run(models, code=0):
        for name, text in models.items():
            (tmp_path / "models" / f"{name}.ff.sql").write_text(text, encoding="utf-8")
        environment = {**warm_environment, "FF_PG_DSN": dsn, "FF_PG_SCHEMA": schema, "NO_COLOR": "1"}
        done = subprocess.run(
            ["flowforge", "run"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    yield lambda models, code=0: run(models, code), dsn
    postgres_server.drop_database(dsn)


def test_two_spellings_of_one_relation_are_refused(flowforge, schema):
    run, dsn = flowforge
    said = run({"users": "select 1 as a", "more": f'create table "{schema}".users as select 2 as a'}, code=1)
    assert "is given twice" in said
    assert "users.ff.sql" in said
    assert "more.ff.sql" in said
    assert postgres_server.run("select relname from pg_class where relname = 'users'", dsn) == []


def test_another_schema_is_another_relation(flowforge, schema):
    run, dsn = flowforge
    run({"users": "select 1 as a", "more": "create table elsewhere.users as select 2 as a"})
    assert postgres_server.run(f'select a, (select a from elsewhere.users) from "{schema}".users', dsn) == [(1, 2)]


def test_a_qualified_table_becomes_a_view_and_is_found_by_its_short_name(flowforge, schema):
    run, dsn = flowforge
    run({"v": f'create table "{schema}".v as select 1 as a'})
    run({"v": f'create view "{schema}".v as select 2 as a', "w": "select a from v, (select 1 from {{ ref('v') }}) t"})
    assert postgres_server.run(f'select a from "{schema}".w', dsn) == [(2,)]
