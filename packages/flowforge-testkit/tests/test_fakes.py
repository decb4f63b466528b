"""The fakes behave like the ports they stand for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import TemplateError
from flowforge_domain.model import Seed, SourceTable, model
from flowforge_ports.progress import ModelStarted
from flowforge_ports.project import RenderContext
from flowforge_testkit.fakes import Clock, ListSource, Recorder, memory_project

CONTEXT = RenderContext(
    ref=lambda name: f"<{name}>",
    source=lambda group, table: f"<{group}.{table}>",
    this="<this>",
    target={},
    variables={"limit": 5},
    environment={},
)


@model(deps=["users.ff"], requires={"users": ["id"]})
def adults(users):
    return users


MODELS = {
    "users": "create or replace view people as\nselect * from {{ source('crm', 'raw') }}\njoin {{ ref('seed.ff') }}",
    "top": "{{ config(materialized='view') }}select * from {{ ref(\"users\") }} limit {{ var('limit') }} -- {{ this }}",
    "adults": adults,
}
PROJECT = memory_project(
    MODELS,
    seeds=[Seed("seed", "csv", Path("s.csv"), "seed")],
    sources=[SourceTable("crm", "raw", "raw.users")],
    configs={"adults": ModelConfig(tags=("batch",))},
)
NODES = PROJECT.reader.manifest().nodes


def test_nodes_are_read_from_text_and_marker():
    users, top, python = NODES["users"], NODES["top"], NODES["adults"]
    assert (users.relation, users.config.materialized, users.deps) == ("people", "view", ("seed",))
    assert (users.sources, users.where("seed").line) == ((("crm", "raw"),), 3)
    assert (top.relation, top.config.materialized, top.deps) == ("top", "view", ("users",))
    assert (python.kind, python.deps, python.requires) == ("python", ("users",), {"users": frozenset({"id"})})
    assert python.config.tags == ("batch",)


def test_templates_are_rendered():
    assert PROJECT.renderer.render(NODES["top"], CONTEXT) == "select * from <users> limit 5 -- <this>"
    assert "<crm.raw>\njoin <seed.ff>" in PROJECT.renderer.render(NODES["users"], CONTEXT)


def test_other_templates_are_refused_with_their_line():
    project = memory_project({"bad": "select 1\n{{ now() }}"})
    with pytest.raises(TemplateError) as caught:
        project.renderer.render(project.reader.manifest().nodes["bad"], CONTEXT)
    assert str(caught.value.where) == "models/bad.ff.sql:2"


def test_text_and_function_are_the_models_own():
    assert PROJECT.reader.text(NODES["users"]) == MODELS["users"]
    assert "return users" in PROJECT.reader.text(NODES["adults"])
    assert PROJECT.functions.function(NODES["adults"]) is adults
    assert PROJECT.reader.profiles({}) == {}


def test_recorder_and_clock():
    recorder, clock = Recorder(), Clock()
    recorder(ModelStarted("a", 1, 1))
    assert recorder.events == [ModelStarted("a", 1, 1)]
    assert [clock(), clock()] == [datetime(2024, 1, 1, 0, 0, second, tzinfo=UTC) for second in (0, 1)]


def test_list_is_a_stream():
    source = ListSource([{"n": 1}, {"n": 2}, {"n": 3}])
    first = source.read("", 2)
    assert (first.events, first.position) == ([{"n": 1}, {"n": 2}], "2")
    assert source.read("2", 2).position == source.read("3", 2).position == "3"
