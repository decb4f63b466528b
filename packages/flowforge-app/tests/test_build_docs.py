from __future__ import annotations

import pytest

from flowforge_app.narrow import narrowed
from flowforge_domain.errors import DependencyNotFoundError
from flowforge_domain.model import model
from flowforge_domain.selection import EVERYTHING, Selection

MODELS = {"a": "select 1 as n", "b": "select {{ this }} from {{ ref('a') }}", "c": "select * from {{ ref('b') }}"}


def test_the_site_gets_code_and_compiled_sql(world):
    world.given(MODELS)
    content = world.site(world.compiler)
    assert content.code == MODELS
    assert content.compiled["a"] == "create table `a` as select 1 as n"
    assert (content.environment, content.engine) == ("dev", "sqlite")


def test_without_a_profile_there_is_no_compiled_sql(world):
    content = world.given(MODELS).site()
    assert (content.compiled, content.engine) == ({}, "")


def test_a_model_that_does_not_compile_is_shown_without_sql(world):
    world.given({"a": "select {{ nope }}", "b": "select 1 as n"})
    assert world.site(world.compiler).compiled.keys() == {"b"}


def test_no_user_code_runs(world):
    @model()
    def p():
        raise AssertionError("ran")

    assert "def p" in world.given({"p": p}).site().code["p"]


def test_a_wrong_graph_is_an_error(world):
    with pytest.raises(DependencyNotFoundError):
        world.given({"a": "select * from {{ ref('nope') }}"}).site()


class TestNarrowed:
    def test_everything_is_the_project_itself(self, world):
        manifest = world.given(MODELS).manifest
        assert narrowed(manifest, EVERYTHING) is manifest

    def test_references_to_what_is_left_out_are_gone(self, world):
        kept = narrowed(world.given(MODELS).manifest, Selection(("b", "c"))).nodes
        assert {name: list(node.deps) for name, node in kept.items()} == {"b": [], "c": ["b"]}

    def test_a_missing_dependency_stays_an_error(self, world):
        with pytest.raises(DependencyNotFoundError):
            narrowed(world.given({**MODELS, "d": "select * from {{ ref('x') }}"}).manifest, Selection(("a",)))
