"""A schema of PostgreSQL that is not there yet: what writes makes it, and what only looks leaves none behind."""

from __future__ import annotations

import postgres_server
import pytest

PROFILE = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\", db_schema: Stage}}\n"


@pytest.fixture
def dsn():
    with postgres_server.lent_database() as lent:
        yield lent


@pytest.fixture
def flowforge(dsn, in_shell, new_project):
    files = {"profiles.yml": PROFILE, "models/n.ff.sql": "select 1 as a", "seeds/s.csv": "a\n1\n"}
    folder = new_project(files)

    def run(command, code=0):
        done = in_shell(f"flowforge {command}", folder, FF_PG_DSN=dsn, NO_COLOR="1")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def made(dsn):
    return postgres_server.run("select 1 from pg_namespace where nspname = 'Stage'", dsn) != []


@pytest.mark.parametrize(("command", "code"), [("debug", 0), ("why n", 0), ("show n", 1)])
def test_what_only_looks_leaves_no_schema_behind(flowforge, dsn, command, code):
    flowforge(command, code)
    assert not made(dsn)


@pytest.mark.parametrize("command", ["run", "seed", "build"])
def test_what_writes_makes_it(flowforge, dsn, command):
    flowforge(command)
    assert made(dsn)


def test_debug_tries_what_a_run_would_do_there(flowforge, dsn):
    said = flowforge("debug")
    assert "opens, the schema Stage has 0 tables and views" in said
    for step in ("create      a table was created", "replace     it was replaced", "state       it tells of 0"):
        assert f"✓ {step}" in said


def test_debug_counts_what_its_own_schema_holds(flowforge, dsn):
    for there in ('schema "Stage"', "schema other", 'table "Stage".a ()', "table other.b ()", "table public.c ()"):
        postgres_server.run(f"create {there}", dsn)
    assert "opens, the schema Stage has 1 tables and views" in flowforge("debug")
