from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.try_target import TryTarget
from flowforge_domain.errors import EngineError, ErrorKind


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
