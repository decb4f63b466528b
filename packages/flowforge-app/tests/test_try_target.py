from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.try_target import TryTarget
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.state import STATE_TABLE, create_state


def test_it_creates_replaces_and_leaves_nothing(world):
    tried = TryTarget(world.engine)
    with tried.created():
        assert world.engine.catalog.relations()[tried.relation].kind == "table"
        tried.replace()
        assert world.rows(f"select a from {tried.relation}") == [(1,)]
    assert dict(world.engine.catalog.relations()) == {}


def test_a_replace_that_fails_leaves_nothing_either(world):
    tried = TryTarget(world.engine)
    with pytest.raises(EngineError), tried.created():
        replace(tried, relation="_flowforge_other").replace()
    assert dict(world.engine.catalog.relations()) == {}


def test_two_never_meet(world):
    assert TryTarget(world.engine).relation != TryTarget(world.engine).relation


def test_a_target_that_may_not_be_written(world):
    world.sql("pragma query_only = on")
    with pytest.raises(EngineError, match="readonly") as caught, TryTarget(world.engine).created():
        pytest.fail("the table was created")
    assert caught.value.kind is ErrorKind.PERMISSION


def test_a_state_row_is_tried_and_not_kept(world):
    assert not TryTarget(world.engine).keep_state()
    world.engine.session.execute(create_state(world.engine.dialect))
    assert TryTarget(world.engine).keep_state()
    assert world.rows(f"select * from {STATE_TABLE}") == []


def test_a_state_table_that_takes_no_row_is_told(world):
    world.sql(f"create view {STATE_TABLE} as select 1 as relation")
    with pytest.raises(EngineError, match="view"):
        TryTarget(world.engine).keep_state()
