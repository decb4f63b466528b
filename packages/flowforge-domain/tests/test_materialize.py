"""Plans: the statement that builds a model, and what must run before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import Dialect, quote_relation
from flowforge_domain.errors import TemplateError
from flowforge_domain.materialize import built_as, create_statement, prepare_statements, schema_statements
from flowforge_domain.model import Node

REPLACING = Dialect("replacing", {}, "", schemas=True)
PLAIN = Dialect("plain", {}, "", quote="`", replaces=frozenset())
HALF = Dialect("half", {}, "", replaces=frozenset({"view"}))


def node(relation="users", kind="table"):
    return Node("m", "sql", Path("m.ff.sql"), relation=relation, config=ModelConfig(kind), file="models/m.ff.sql")


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("select 1", 'create or replace table "users" as select 1'),
        ("select 1;\n", 'create or replace table "users" as select 1'),
        ("create table users as select 1", 'create or replace table "users" as select 1'),
        ("create or replace table users as select 1;", 'create or replace table "users" as select 1'),
        ("create table if not exists users as select 1", 'create or replace table "users" as select 1'),
        ("-- why\ncreate table users\nas\nselect 1", '-- why\ncreate or replace table "users"\nas\nselect 1'),
    ],
)
def test_table_is_created_or_replaced(sql, statement):
    assert create_statement(node(), sql, REPLACING) == statement


def test_dialect_without_replace_creates():
    assert (
        create_statement(node(), "create or replace table users as select 1", PLAIN)
        == "create table `users` as select 1"
    )
    assert create_statement(node(kind="view"), "select 1", HALF) == 'create or replace view "users" as select 1'
    assert create_statement(node(), "select 1", HALF) == 'create table "users" as select 1'


def test_a_dialect_that_qualifies_names_the_schema_of_relations_and_of_no_schema():
    dialect = replace(REPLACING, qualifies=True, default_schema="my shop")
    assert quote_relation("users", dialect) == '"my shop"."users"'
    assert quote_relation("other.users", dialect) == '"other"."users"'
    assert quote_relation("users", replace(dialect, default_schema="")) == '"users"'
    assert create_statement(node(), "create table users as select 1", dialect).startswith(
        'create or replace table "my shop"."users" as'
    )
    assert schema_statements(["other.users"], {}, dialect) == ('create schema if not exists "other"',)


def test_parts_of_a_relation_are_quoted_one_by_one():
    statement = create_statement(node('a."b ""c"""'), "select 1", REPLACING)
    assert statement == 'create or replace table "a"."b ""c""" as select 1'


@pytest.mark.parametrize("sql", ["select 1\n\nfrom t", "-- a\n\ncreate table users as\n\nselect 1\nfrom t"])
def test_lines_of_the_model_stay_where_they_are(sql):
    statement = create_statement(node(), sql, REPLACING)
    assert [line for line in statement.split("\n") if "from" in line] == ["from t"]
    assert statement.split("\n").index("from t") == sql.split("\n").index("from t")


@pytest.mark.parametrize("sql", ["", " \n", "-- nothing\n", ";"])
def test_model_that_renders_to_nothing_is_refused(sql):
    with pytest.raises(TemplateError, match="renders to no SQL") as caught:
        create_statement(node(), sql, REPLACING)
    assert caught.value.where.path == "models/m.ff.sql"


@pytest.mark.parametrize("sql", ["create table other as select 1", "create view users as select 1"])
def test_model_that_renders_to_something_else_is_refused(sql):
    with pytest.raises(TemplateError, match="but its file promises table users"):
        create_statement(node(), sql, REPLACING)


def test_second_statement_is_refused():
    with pytest.raises(TemplateError, match="one statement"):
        create_statement(node(), "select 1; drop table users", REPLACING)


@pytest.mark.parametrize(
    ("kind", "existing", "dialect", "statements"),
    [
        ("table", None, REPLACING, ()),
        ("table", "table", REPLACING, ()),
        ("view", "view", REPLACING, ()),
        ("table", "view", REPLACING, ('drop view "users"',)),
        ("view", "table", REPLACING, ('drop table "users"',)),
        ("table", None, PLAIN, ()),
        ("table", "table", PLAIN, ("drop table `users`",)),
        ("view", "view", HALF, ()),
        ("table", "table", HALF, ('drop table "users"',)),
    ],
)
def test_what_is_in_the_way_is_dropped_first(kind, existing, dialect, statements):
    assert prepare_statements("users", kind, existing, dialect) == statements


def test_schema_is_created_with_its_first_table():
    made = ('create schema if not exists "a"', 'create schema if not exists "c"."a b"')
    assert schema_statements(["a.users", "users", 'c."a b".users', "a.orders"], (), REPLACING) == made
    assert schema_statements(["a.users"], {"a.users"}, REPLACING) == ()
    assert schema_statements(["a.users"], (), PLAIN) == ()
    assert schema_statements(["a.users"], (), replace(REPLACING, swaps=True)) == ()


@pytest.mark.parametrize("kind", ["table", "view"])
@pytest.mark.parametrize("existing", [None, "table", "view"])
def test_nothing_is_prepared_where_relations_are_swapped(kind, existing):
    swapping = Dialect("swapping", {}, "", replaces=frozenset(), schemas=True, swaps=True)
    assert prepare_statements("analytics.users", kind, existing, swapping) == ()


@pytest.mark.parametrize("sql", ["select 1\nas a", "-- why\ncreate table users\nas\nselect 'create table users as'"])
def test_statement_is_built_under_another_name_on_the_same_lines(sql):
    statement = create_statement(node(), sql, PLAIN)
    moved = built_as(statement, 'other."new one"', PLAIN)
    assert moved == statement.replace("`users`", "`other`.`new one`", 1)
    assert built_as(statement, "users", PLAIN) == statement
    assert built_as("select 1", "other", PLAIN) == "select 1"


def test_what_stands_behind_the_name_stands_there_once():
    dialect = replace(REPLACING, after_name=" copy grants", folds_up=True)
    node = Node("m", "sql", Path("m.ff.sql"), relation="m", config=ModelConfig(materialized="table"), file="m.ff.sql")
    made = create_statement(node, "create table m as select 1", dialect)
    assert made == 'create or replace table "M" copy grants as select 1'
    assert built_as(made, "m", dialect) == made
    assert built_as(made, "other", dialect) == 'create or replace table "OTHER" copy grants as select 1'


def test_partitions_and_clusters_lay_out_a_table_where_the_dialect_knows_them():
    dialect = replace(REPLACING, partitions=" partition by {}", clusters=" cluster by {}", after_name=" copy grants")
    config = ModelConfig(partition_by=("day",), cluster_by=("a", "b c"))
    laid = Node("t", "sql", Path("t.ff.sql"), config=config, file="t.ff.sql")
    laid_out = 'create or replace table "t" partition by "day" cluster by "a", "b c" copy grants as select 1'
    assert create_statement(laid, "select 1", dialect) == laid_out
    assert built_as(laid_out, "u", dialect) == laid_out.replace('"t"', '"u"')
    assert create_statement(laid, "select 1", REPLACING) == 'create or replace table "t" as select 1'
