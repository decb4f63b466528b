"""Why a model would be built."""

from __future__ import annotations

import pytest

from flowforge_app.explain_model import ExplainModel
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import SelectionError

CHAIN = {"a": "select 1 as n", "b": "select n from {{ ref('a') }}"}


@pytest.fixture
def why(world):
    return lambda name: ExplainModel(world.manifest, world.engine, world.compiler, world.project.reader)(name)


def test_what_was_never_built(world, why):
    world.given(CHAIN)
    assert why("a").reasons == ("it was not built yet",)


def test_what_is_unchanged(world, why):
    world.given(CHAIN).run()
    assert why("b").reasons == ()
    assert why("b").above == {}


def test_what_changed_above(world, why):
    world.given(CHAIN).run()
    world.given(CHAIN | {"a": "select 2 as n"})
    assert why("a").reasons == ("its text changed",)
    assert (why("b").reasons, why("b").above) == (("a is built anew",), {"a": "its text changed"})


def test_a_hook_is_told_apart_from_the_text(world, why):
    def hooked(**hooks):
        return world.given({"a": "select 1 as n"}, configs={"a": ModelConfig(**hooks)})

    hooked(post_hook=("analyze",)).run()
    hooked(post_hook=("analyze a",))
    assert why("a").reasons == ("its post_hook changed",)
    hooked(pre_hook=("analyze",), post_hook=("analyze",))
    assert why("a").reasons == ("its pre_hook changed",)
    hooked()
    assert why("a").reasons == ("its post_hook changed",)


def test_all_reasons_are_told(world, why):
    world.given(CHAIN).run()
    world.sql("drop table b")
    world.given(CHAIN | {"b": "select n, random() as r from {{ ref('a') }}"})
    assert why("b").reasons == (
        "b is not there any more",
        "its text changed",
        "its SQL gives another result each time: random (models/b.ff.sql, line 1 of the SQL)",
    )


SNAPSHOT = ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check", check_cols=("n",))


@pytest.mark.parametrize("kind", ["table", "view"])
@pytest.mark.parametrize("before", [SNAPSHOT, ModelConfig(materialized="incremental")])
def test_kept_rows_that_another_kind_replaces(world, why, before, kind):
    world.given(CHAIN, configs={"a": before}).run()
    world.given(CHAIN, configs={"a": ModelConfig(materialized=kind)})
    assert f"the setting materialized changed: {before.materialized} became {kind}" in why("a").reasons
    assert why("a").from_scratch == f"it becomes a {kind}, and they were kept as {before.materialized}"
    world.given(CHAIN, configs={"a": ModelConfig(materialized=kind, full_refresh=False)})
    assert why("a").from_scratch == ""
    refused = f"as a {kind} it would replace the rows kept as {before.materialized}, and full_refresh is false."
    assert why("a").refused == refused


def test_nothing_is_written(world, why):
    world.given(CHAIN)
    why("b")
    assert world.engine.catalog.relations() == {}


def test_an_unknown_name(world, why):
    world.given(CHAIN)
    with pytest.raises(SelectionError, match="no model 'c'"):
        why("c")
