"""Swaps: what runs, in which order, and what makes them refuse."""

from __future__ import annotations

import pytest

from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.swap import Grant, Newcomer, Standing, aside, removal_steps, renewal_steps, swap_steps, view_steps

PLAIN = Dialect("plain", {}, "", replaces=frozenset(), longest_name=63, names_in_bytes=True, swaps=True)
TABLE = Standing("users", "table")
NEW = Newcomer(aside("users"), "table", {"id", "name"})


def statements(old=TABLE, views=(), new=NEW):
    return [step.sql for step in swap_steps(old, views, new, PLAIN)]


def test_bare_table_is_dropped_and_the_new_one_renamed():
    assert statements() == ['drop table "users"', f'alter table "{aside("users")}" rename to "users"']


@pytest.mark.parametrize("relation", ["users", "analytics.users", '"my ""db"."x"', "u" * 63, '"ä ö"'])
def test_name_beside_is_short_stable_and_in_the_same_schema(relation):
    *_, name = aside(relation).rpartition(".")
    assert aside(relation) == aside(relation)
    assert aside(relation) != relation
    assert len(name.encode()) <= 63
    assert aside(relation).startswith(relation.rpartition(".")[0])


def test_names_beside_differ():
    assert len({aside(f"users{i}") for i in range(1_000)}) == 1_000


def test_kind_may_change_and_what_only_tables_have_goes():
    old = Standing("users", "table", indexes=(("i", "create index i on users (id)"),), not_null=("id",))
    made = statements(old, new=Newcomer("new", "view", {"id"}))
    assert made == ['drop table "users"', 'alter view "new" rename to "users"']
    assert statements(Standing("users", "view", options="x=1"))[0] == 'drop view "users"'


def test_views_go_first_from_the_outermost_and_come_back_in_their_order():
    inner, outer = (
        Standing("a.inner", "view", "select 1"),
        Standing("outer", "view", "select 2", "security_barrier=true"),
    )
    made = statements(views=(inner, outer))
    assert made[:3] == ['drop view "outer"', 'drop view "a"."inner"', 'drop table "users"']
    assert [step.sql for step in removal_steps("users", (inner, outer), PLAIN)] == made[:2]
    assert [step.sql for view in (inner, outer) for step in view_steps(view, (), PLAIN)] == [
        'create view "a"."inner" as select 1',
        'create view "outer" with (security_barrier=true) as select 2',
    ]


def test_a_view_of_another_text_gets_what_hung_on_the_old_one_and_fits_it():
    comments, grants = (("", "it"), ("gone", "g")), (Grant("SELECT", "r"), Grant("SELECT", "r", "gone"))
    old = Standing("v", "view", "select 1", "check_option=local", comments=comments, grants=grants)
    assert [step.sql for step in renewal_steps(old, Newcomer("v", "view", {"id"}, ("",)), PLAIN)] == [
        'alter view "v" set (check_option=local)',
        "comment on view \"v\" is 'it'",
        'revoke all on "v" from public',
        'grant SELECT on "v" to "r"',
    ]


def test_belongings_come_back_each_with_what_drops_it():
    old = Standing(
        "s.users",
        "table",
        options="fillfactor=70",
        persistence="unlogged",
        owner="crm",
        indexes=(("by name", 'create index "by name" on s.users (name)'),),
        constraints=(("key", "primary key (id)"),),
        not_null=("id", "gone"),
        grants=(Grant("SELECT", ""), Grant("UPDATE", 'o"r', "name", True), Grant("UPDATE", "r", "gone")),
        comments=(("", "it's"), ("name", "n"), ("gone", "g")),
        settings=(("", "cluster it", ""), ("name", "stretch name", "shrink name"), ("gone", "stretch gone", "")),
    )
    steps = swap_steps(old, (), Newcomer("s.new", "table", {"id", "name"}, ("", "r")), PLAIN)
    assert [step.sql for step in steps[2:]] == [
        'alter table "s"."users" set unlogged',
        'alter table "s"."users" set (fillfactor=70)',
        'alter table "s"."users" alter column "id" set not null',
        'alter table "s"."users" add constraint "key" primary key (id)',
        'create index "by name" on s.users (name)',
        "cluster it",
        "stretch name",
        "comment on table \"s\".\"users\" is 'it''s'",
        'comment on column "s"."users"."name" is \'n\'',
        'revoke all on "s"."users" from public',
        'revoke all on "s"."users" from "r"',
        'grant SELECT on "s"."users" to public',
        'grant UPDATE ("name") on "s"."users" to "o""r" with grant option',
        'alter table "s"."users" owner to "crm"',
    ]
    assert [step.fix for step in steps if step.fix] == [
        'alter table "s"."users" reset (fillfactor)',
        'alter table "s"."users" alter column "id" drop not null',
        'alter table "s"."users" drop constraint "key"',
        'drop index "s"."by name"',
        "shrink name",
    ]


def test_a_view_has_the_options_of_the_old_one_but_for_those_that_its_own_statement_says():
    old = Standing("v", "view", options="security_barrier=true, check_option=local")
    said = 'alter view "v" set ({})'.format
    assert statements(old, new=Newcomer("n", "view", {"id"}))[2:] == [said("security_barrier=true, check_option=local")]
    new = Newcomer("n", "view", {"id"}, options={"security_barrier"})
    assert statements(old, new=new)[2:] == [said("check_option=local")]
    assert statements(old, new=Newcomer("n", "table", {"id"}))[2:] == []


def test_no_plan_drops_along():
    views = (Standing("v", "view", "select 1"),)
    assert not any("cascade" in sql.casefold() for sql in statements(views=views))


def test_obstacles_of_all_are_listed_before_anything_runs():
    views = (Standing("v", "view", obstacles=("trigger x on view v",)),)
    with pytest.raises(EngineError, match="policy p, trigger x on view v") as caught:
        statements(Standing("users", "table", obstacles=("policy p",)), views)
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert caught.value.hint
    with pytest.raises(EngineError, match="cannot be altered") as caught:
        removal_steps("users", (Standing("m", "table", obstacles=("materialized view s.m",)),), PLAIN)
    assert caught.value.hint == "Drop it first: drop materialized view s.m"


@pytest.mark.parametrize(("letter", "fits"), [("x", 63), ("ä", 31), ("🦆", 15)])
def test_names_are_counted_in_bytes_where_the_engine_does(letter, fits):
    assert quote_name(letter * fits, PLAIN)
    with pytest.raises(ConfigError, match="64 bytes"):
        quote_name(letter * (fits + 1), PLAIN)
