"""A role of PostgreSQL that lacks a right is told so by every command, with what gives it."""

from __future__ import annotations

import postgres_server
import pytest

ROLE = "ff_modest"


@pytest.fixture
def dsn():
    """An empty database with a schema `stage`, and a role that has no right there."""
    with postgres_server.lent_database() as lent:
        postgres_server.run(
            f"do $$ begin if to_regrole('{ROLE}') is null then create role {ROLE} login; end if; end $$", lent
        )
        postgres_server.run("create schema stage", lent)
        yield lent
        postgres_server.run(f"drop owned by {ROLE}", lent)


@pytest.fixture
def flowforge(dsn, in_shell, tmp_path):
    """Run `flowforge` with the rights of the owner, or of the modest role, and return what it said."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "n.ff.sql").write_text("select 1 as a", encoding="utf-8")
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(
        "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\", db_schema: stage}}\n",
        encoding="utf-8",
    )
    modest = dsn.replace("postgres:@", f"{ROLE}@")
    assert modest != dsn

    def run(command, code=1, owner=False):
        done = in_shell(f"flowforge {command}", tmp_path, FF_PG_DSN=dsn if owner else modest, NO_COLOR="1")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("command", ["run", "show n", "debug", "why n", "clean --dry-run"])
def test_a_schema_that_the_role_may_not_use_is_no_missing_one(flowforge, dsn, command):
    flowforge("run", code=0, owner=True)
    said = flowforge(command)
    assert f"The role '{ROLE}' has no right to use the schema 'stage'." in said
    [fix] = (line.partition("Let its owner run: ")[2] for line in said.splitlines() if "Let its owner run: " in line)
    assert "no table" not in said
    assert "Create what the profile names" not in said
    postgres_server.run(fix, dsn)
    assert "has no right to use" not in flowforge("debug")


def test_debug_tells_of_a_schema_in_which_nothing_can_be_made(flowforge, dsn):
    postgres_server.run(f"grant usage on schema stage to {ROLE}", dsn)
    assert "✗ create      permission denied for schema stage" in flowforge("debug")


@pytest.mark.parametrize(
    ("granted", "ok"),
    [
        ("", False),
        ("select", False),
        ("select, insert", False),
        ("select, delete", False),
        ("select, insert, delete", True),
    ],
)
def test_debug_tells_of_a_state_table_that_cannot_be_kept(flowforge, dsn, granted, ok):
    flowforge("run", code=0, owner=True)
    postgres_server.run(f"grant usage, create on schema stage to {ROLE}", dsn)
    if granted:
        postgres_server.run(f"grant {granted} on stage._flowforge_state to {ROLE}", dsn)
    before = postgres_server.run("select * from stage._flowforge_state order by 1, 2", dsn)
    said = flowforge("debug", code=0 if ok else 1)
    refused = f"✗ state       The role '{ROLE}' has no right to read and write the table stage._flowforge_state."
    kept = "✓ state       it tells of 1 tables and views; one was written, and taken back"
    assert (kept if ok else refused) in said
    assert postgres_server.run("select * from stage._flowforge_state order by 1, 2", dsn) == before


@pytest.mark.parametrize("command", ["run", "why n", "clean --dry-run", "debug"])
def test_a_state_table_that_the_role_may_not_read_is_told_with_the_grant(flowforge, dsn, command):
    flowforge("run", code=0, owner=True)
    postgres_server.run(f"grant usage, create on schema stage to {ROLE}", dsn)
    said = flowforge(command)
    assert f"The role '{ROLE}' has no right to read and write the table stage._flowforge_state." in said
    [fix] = (line.partition("Let its owner run: ")[2] for line in said.splitlines() if "Let its owner run: " in line)
    postgres_server.run(fix, dsn)
    assert "✓ state" in flowforge("debug", code=0)


def test_debug_keeps_no_state_table_that_was_not_there(flowforge, dsn):
    assert "✓ state       it tells of 0 tables and views" in flowforge("debug", code=0, owner=True)
    assert postgres_server.run("select relname from pg_class where relname like '\\_flowforge%'", dsn) == []


def test_a_table_that_the_role_may_not_even_read_is_not_replaced(flowforge, dsn):
    postgres_server.run(f"grant usage, create on schema stage to {ROLE}", dsn)
    postgres_server.run("create table stage.n (a int)", dsn)
    assert "models/n.ff.sql: Model 'n' failed: n is a table with rows that no run" in flowforge("run")
