"""A table that nobody knows of may be the only copy of its rows: no model takes its place unasked."""

from __future__ import annotations

import duckdb
import pytest

FILES = {
    "models/users.ff.sql": "create or replace table users as\nselect 2 as id\n",
    "models/seen.ff.sql": "{{ config(\n  materialized='view',\n  alias='raw_seen') }}\nselect 3 as id\n",
    "models/grown.ff.sql": "{{ config(materialized='incremental') }}\nselect 4 as id\n",
    "models/report.ff.sql": "select id from {{ ref('users') }}\n",
}


@pytest.fixture
def shop(new_project):
    return new_project(FILES)


@pytest.fixture
def flowforge(shop, in_shell):
    def run(command, code=0):
        done = in_shell(f"flowforge {command}", shop, COLUMNS="200")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def sql(shop):
    def run(*statements):
        with duckdb.connect(str(shop / "shop.duckdb")) as connection:
            for statement in statements:
                found = connection.sql(statement)
            return found.fetchall() if found else []

    return run


WHY = "is a table with rows that no run of FlowForge has built: building it would replace them."


def test_a_models_table_is_not_replaced_unless_that_is_said(flowforge, sql):
    sql("create table users as select 1 as id")
    said = flowforge("run", code=1)
    assert f"models/users.ff.sql: Model 'users' failed: users {WHY}" in said
    assert "Rename the model, or drop the table; or replace it: flowforge run --full-refresh --select users" in said
    assert "skipped" in said
    assert WHY in flowforge("why users")
    assert WHY in flowforge("build --select users", code=1)
    assert sql("select * from users") == [(1,)]
    assert "! users replaces the table users, which FlowForge did not make" in flowforge(
        "run --full-refresh --select users"
    )
    assert sql("select * from users") == [(2,)]
    flowforge("run")


def test_a_views_place_is_named_where_its_name_is_said(flowforge, sql):
    sql("create table raw_seen as select 1 as id")
    said = flowforge("run", code=1)
    assert f"models/seen.ff.sql:3: Model 'seen' failed: raw_seen {WHY}" in said
    assert sql("select * from raw_seen") == [(1,)]


def test_what_holds_no_rows_is_replaced_and_that_is_told(flowforge, sql):
    sql("create table users (id int)", "create view raw_seen as select 1 as id")
    said = flowforge("run")
    assert "! users replaces the table users, which FlowForge did not make" in said
    assert "! seen replaces the view raw_seen, which FlowForge did not make" in said


def test_where_the_state_is_lost_one_command_takes_all_tables_and_no_rows_that_are_kept(flowforge, sql):
    flowforge("run")
    sql("drop table _flowforge_state", "insert into grown values (5)")
    said = flowforge("run", code=1)
    assert "or replace all like it: flowforge run --full-refresh --select config.materialized:table" in said
    flowforge("run --full-refresh --select config.materialized:table")
    assert sql("select id from grown order by id") == [(4,), (4,), (5,)]
    flowforge("run")
