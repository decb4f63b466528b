from __future__ import annotations

import pytest

from flowforge_domain.errors import DependencyNotFoundError, TemplateError
from flowforge_domain.model import SourceTable, model
from flowforge_domain.selection import Selection

MODELS = {
    "a": "select * from {{ source('crm', 'users') }}",
    "b": "create or replace view b as\nselect * from {{ ref('a') }};",
}
SOURCES = [SourceTable("crm", "users", "raw.users")]


def test_statements_in_run_order_with_quoted_relations(world):
    compiled = world.given(MODELS, sources=SOURCES).compiler()
    assert compiled == {
        "a": "create table `a` as select * from `raw`.`users`",
        "b": "create view `b` as\nselect * from `a`",
    }
    assert list(compiled) == ["a", "b"]


def test_no_engine_is_touched(world):
    world.engine.session.close()
    assert world.given(MODELS, sources=SOURCES).compiler(Selection(("b",))).keys() == {"b"}


def test_python_models_have_no_sql(world):
    @model()
    def p(): ...

    assert world.given({"p": p}).compiler() == {}


def test_wrong_graph_and_wrong_template(world):
    with pytest.raises(DependencyNotFoundError):
        world.given(MODELS).compiler()
    with pytest.raises(TemplateError):
        world.given({"a": "select {{ nope }}"}).compiler()
