"""Helpers of a run that died are gone after the next one; nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.swap import aside

MODELS = {"a": "select 1 as n", "b": "select * from {{ ref('a') }}"}
NEW = aside("a", "new")
HELPERS = [aside("a"), aside("b"), NEW, aside(NEW, "changes"), aside("_flowforge_state")]
OURS_NOT = ["_flowforge_notes", "_flowforge_0123456789abcdef", aside("someone_elses"), "mine"]


def names(world):
    return {name for name in world.engine.catalog.relations() if name not in {"a", "b", "_flowforge_state"}}


def make(world, *tables, content="select 9 as n"):
    world.sql(*(f'create table "{table}" as {content}' for table in tables))


@pytest.mark.parametrize("built_before", [True, False])
def test_helpers_are_gone_after_the_next_run_and_nothing_else(world, built_before):
    if built_before:
        assert world.given(MODELS).run().ok
    make(world, *HELPERS, *OURS_NOT)
    assert world.given(MODELS).run(select="b" if built_before else None).ok
    assert names(world) == set(OURS_NOT)
    assert world.rows("select n from b") == [(1,)]


def test_a_helper_that_is_a_view_is_dropped_as_one(world):
    world.sql(f'create view "{NEW}" as select 1 as n')
    assert world.given(MODELS).run().ok
    assert names(world) == set()


def test_the_only_copy_takes_its_place_where_a_swap_is_no_transaction(world):
    """Dropped was the old one, and the process died before the new one had its name."""
    assert world.given(MODELS).run().ok
    world.sql("drop table a")
    make(world, aside("a"), content="select 7 as n")
    engine = world.without(capabilities=world.engine.capabilities - {Capability.TRANSACTIONAL_STATE})
    assert world.run(select="b", engine=engine).ok
    assert world.rows("select n from b") == [(7,)]
    assert names(world) == set()


def test_an_only_copy_that_cannot_be_renamed_is_dropped_and_the_model_built_anew(world):
    assert world.given(MODELS).run().ok
    world.sql("drop table a")
    make(world, aside("a"), content="select 7 as n")
    capabilities = world.engine.capabilities - {Capability.TRANSACTIONAL_STATE}
    dialect = replace(world.engine.dialect, renames=frozenset())
    assert world.run(engine=world.without(capabilities=capabilities, dialect=dialect)).ok
    assert (world.rows("select n from b"), names(world)) == ([(1,)], set())


def test_the_only_copy_of_the_state_takes_its_place(world):
    assert world.given(MODELS).run().ok
    world.sql(f'alter table _flowforge_state rename to "{aside("_flowforge_state")}"')
    engine = world.without(capabilities=world.engine.capabilities - {Capability.TRANSACTIONAL_STATE})
    assert world.run(select="b", engine=engine).ok
    assert world.state() == [("a", 1), ("b", 1)]
    assert names(world) == set()


def test_a_helper_beside_its_relation_is_no_better_copy(world):
    assert world.given(MODELS).run().ok
    make(world, aside("a"), content="select 7 as n")
    engine = world.without(capabilities=world.engine.capabilities - {Capability.TRANSACTIONAL_STATE})
    assert world.run(select="b", engine=engine).ok
    assert (world.rows("select n from b"), names(world)) == ([(1,)], set())
