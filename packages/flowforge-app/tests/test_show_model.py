from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_domain.errors import EngineError, SelectionError
from flowforge_domain.model import Seed

MODELS = {"daily": "create table mart as select 1 as n union all select 2 union all select 3", "later": "select 1 as n"}


@pytest.fixture
def shown(world):
    seeds = [Seed("cities", "csv", Path("cities.csv"), "cities", "seeds/cities.csv")]
    world.given(MODELS, seeds=seeds).run(select="daily")
    return world


@pytest.mark.parametrize("name", ["daily", "daily.ff", "daily.ff.sql", "mart"])
def test_by_any_spelling_or_by_relation(shown, name):
    rows = shown.show(name, 2)
    assert rows.columns == ("n",)
    assert rows.rows == [(1,), (2,)]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("later", "Build it first: flowforge run --select +later"),
        ("cities", "Load it first: flowforge seed"),
        ("dayly", "Did you mean 'daily'?"),
    ],
)
def test_what_is_not_there_gives_the_next_step(shown, name, hint):
    with pytest.raises(SelectionError, match="There is no table") as caught:
        shown.show(name)
    assert caught.value.hint == hint


def test_an_empty_project_says_so(world):
    with pytest.raises(SelectionError) as caught:
        world.show("x")
    assert caught.value.hint == "The project has no models or seeds."


def test_another_error_is_the_engines(shown):
    shown.sql("create table gone as select 1 as n", "create view v as select * from gone", "drop table gone")
    with pytest.raises((SelectionError, EngineError)):
        shown.show("v")
