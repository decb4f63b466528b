from __future__ import annotations

import pytest

from flowforge_app.transaction import transaction


def test_what_the_block_does_is_committed(world):
    with transaction(world.engine.session):
        world.sql("create table t as select 1 as n")
    world.engine.session.rollback()
    assert world.rows("select n from t") == [(1,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_error_rolls_back_and_goes_on_up(world, error):
    with pytest.raises(error), transaction(world.engine.session):
        world.sql("create table t as select 1 as n")
        raise error
    assert dict(world.engine.catalog.relations()) == {}
