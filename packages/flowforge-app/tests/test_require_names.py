"""Every name of the kit's corpus is refused before the engine is asked, or builds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.require_names import require_names
from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ConfigError
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_name
from flowforge_domain.text import Location
from flowforge_testkit.conformance.names import NAMES

# Without those that sqlite keeps for itself, and of two that differ in case one.
DISTINCT = {name.casefold(): name for name in NAMES if not name.casefold().startswith("sqlite_")}


def refused(world, *things, **dialect):
    compiler = world.compiler
    with pytest.raises(ConfigError) as caught:
        require_names(replace(compiler, dialect=replace(compiler.dialect, **dialect)), things)
    return caught.value


def test_what_is_not_refused_is_built(world):
    world.given({"m": "select 1 as a"})
    held = []
    for name in DISTINCT.values():
        node = replace(world.manifest.nodes["m"], relation=relation_name(name))
        try:
            require_names(world.compiler, [node])
        except ConfigError as error:
            assert (error.where, bool(error.hint)) == (node.where(), True)
        else:
            held.append(name)
            world.sql(world.compiler.statement(node))
    assert len(held) > 0.9 * len(DISTINCT)
    assert {name for (name,) in world.rows("select name from sqlite_schema where type = 'table'")} == set(held)


def test_a_seed_and_a_test_are_refused_at_their_place(world, tmp_path):
    seed = Seed("people", "csv", tmp_path / "people.csv", "people", "seeds/people.csv")
    assert refused(world, seed, longest_name=5).where == Location("seeds/people.csv")
    check = Check("not_null", "people", "identity", where=Location("project.yml", 7))
    assert refused(world, check, longest_name=7).where == Location("project.yml", 7)
    require_names(world.compiler, [seed, check])


def test_an_ephemeral_model_counts_where_it_is_read(world):
    inner = ModelConfig(materialized="ephemeral")
    world.given({"inner": "select 1 as a", "outer": "select a from {{ ref('inner') }}"}, configs={"inner": inner})
    nodes = world.manifest.nodes
    assert refused(world, nodes["outer"], longest_name=15).where == nodes["inner"].where()
    require_names(replace(world.compiler, dialect=replace(world.compiler.dialect, longest_name=15)), [nodes["inner"]])
