"""Faults strike where they are told to, once, and leave everything else as it is."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import EngineError
from flowforge_testkit.fakes import claim
from flowforge_testkit.faults import Faults, faulty
from flowforge_testkit.sqlite.engine import open_engine
from flowforge_testkit.sqlite.settings import SqliteProfile


@pytest.fixture
def engine(tmp_path):
    opened = open_engine(SqliteProfile(engine="sqlite"), tmp_path, claim())
    yield opened
    opened.session.close()


def statements(engine):
    engine.session.begin()
    engine.session.execute("create table t as select 1 as a")
    engine.session.commit()


@pytest.mark.parametrize(("after", "left"), [(False, set()), (True, {"t"})])
def test_it_strikes_instead_of_a_side_effect_or_after_it(engine, after, left):
    faults = Faults(at=2, after=after)
    with pytest.raises(EngineError, match="planted at side effect 2: create table"):
        statements(faulty(engine, faults))
    assert faults.struck
    assert set(engine.catalog.relations()) == left


def test_past_the_last_side_effect_nothing_happens(engine):
    faults = Faults(at=4)
    statements(faulty(engine, faults))
    assert not faults.struck
    assert len(faults.made) == 3
    assert engine.session.query("select a from t").rows == [(1,)]


def test_queries_and_rollback_are_no_side_effects(engine):
    faults = Faults(at=1)
    broken = faulty(engine, faults)
    broken.session.rollback()
    assert broken.session.query("select 1").rows == [(1,)]
    assert faults.made == []
