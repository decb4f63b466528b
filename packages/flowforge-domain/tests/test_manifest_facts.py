"""Facts of a project, and what differs between two of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowforge_domain.checks import Check
from flowforge_domain.config import ColumnConfig, ModelConfig
from flowforge_domain.errors import ConfigError
from flowforge_domain.hooks import Hook
from flowforge_domain.macros import Macro
from flowforge_domain.manifest import Manifest
from flowforge_domain.manifest_facts import manifest_facts, modified_parts, modified_tests, require_comparable
from flowforge_domain.model import Node, Seed, SeedOptions, SourceTable
from flowforge_domain.text import Location

CONFIG = ModelConfig(tags=("a", "b"), meta={"b": 1, "a": [1]}, columns={"id": ColumnConfig(tags=("key",))})
USERS = Node("users", "sql", Path("/home/me/users.ff.sql"), file="models/users.ff.sql", checksum="1")
DAILY = Node("daily", "sql", Path("x"), ["users"], (("shop", "orders"),), config=CONFIG, checksum="2")
PEOPLE = Seed("people", "csv", Path("/home/me/people.csv"), "people", "seeds/people.csv")


def manifest(*nodes, seeds=(PEOPLE,), root="/home/me"):
    return Manifest("shop", Path(root), {node.name: node for node in nodes}, seeds={seed.name: seed for seed in seeds})


def stored(*nodes, seeds=(PEOPLE,), sums=None):
    return json.loads(json.dumps(manifest_facts(manifest(*nodes, seeds=seeds), sums)))


def parts(then, *nodes, seeds=(PEOPLE,), sums=None):
    return modified_parts(manifest_facts(manifest(*nodes, seeds=seeds), sums), then)


def test_facts_tell_no_place_and_only_settings_that_were_made():
    facts = stored(USERS, DAILY)
    assert "/home" not in json.dumps(facts)
    assert facts["nodes"]["users"]["config"] == {}
    assert facts["nodes"]["daily"]["config"] == {
        "tags": ["a", "b"],
        "meta": {"a": [1], "b": 1},
        "columns": {"id": {"tags": ["key"]}},
    }


def test_nothing_is_modified_in_an_unchanged_project_elsewhere():
    moved = replace(USERS, path=Path("/elsewhere/users.ff.sql"), lines={"": 3})
    assert parts(stored(USERS, DAILY), moved, DAILY) == {name: frozenset() for name in ("users", "daily", "people")}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"sources": (("shop", "orders"), ("shop", "visits"))}, "config"),
        ({"checksum": "3"}, "body"),
        ({"deps": ["other"]}, "body"),
        ({"config": replace(CONFIG, unique_key=("id",))}, "config"),
        ({"config": replace(CONFIG, meta={"a": [2], "b": 1})}, "config"),
        ({"config": replace(CONFIG, schema="marts"), "relation": "marts.daily"}, "config"),
        ({"written": {"schema": "{{ env_var('MARTS') }}"}, "relation": "marts.daily"}, "config"),
    ],
)
def test_each_part_is_told_apart(change, part):
    assert parts(stored(USERS, DAILY), USERS, replace(DAILY, **change))["daily"] == {part}


def test_what_the_environment_makes_of_a_name_modifies_nothing():
    def reading(schema):
        daily = replace(
            DAILY,
            config=replace(CONFIG, schema=schema),
            relation=f"{schema}.daily",
            written={"schema": "{{ env_var('MARTS') }}", "alias": ""},
        )
        orders = SourceTable("shop", "orders", f"{schema}.orders", written="{{ env_var('RAW') }}.orders")
        return replace(manifest(USERS, daily), sources={("shop", "orders"): orders})

    assert differing(reading("dev"), reading("prod")) == frozenset()
    facts = manifest_facts(reading("prod"))["nodes"]["daily"]
    assert (facts["relation"], facts["config"]["schema"]) == ("prod.daily", "{{ env_var('MARTS') }}")
    assert "alias" not in facts["config"]


def test_a_macro_modifies_the_models_that_may_reach_it():
    def with_macro(digest):
        macros = {"cents": Macro("cents", "macros/m.sql", 1, digest=digest)}
        return replace(manifest(USERS, replace(DAILY, macros=("cents",))), macros=macros)

    then = json.loads(json.dumps(manifest_facts(with_macro("1"))))
    assert modified_parts(manifest_facts(with_macro("1")), then)["daily"] == frozenset()
    differs = modified_parts(manifest_facts(with_macro("2")), then)
    assert (differs["daily"], differs["users"]) == ({"macros"}, frozenset())


def differing(then, now):
    """Return what of `daily` differs between two projects that hold it, given what belongs to both."""
    return modified_parts(manifest_facts(now), json.loads(json.dumps(manifest_facts(then))))["daily"]


def test_a_source_is_compared_by_the_relation_that_it_stands_for():
    def reading(relation):
        return replace(manifest(USERS, DAILY), sources={("shop", "orders"): SourceTable("shop", "orders", relation)})

    assert differing(reading("orders"), reading("orders")) == frozenset()
    assert differing(reading("orders"), reading("orders_v2")) == {"config"}


@pytest.mark.parametrize(
    "reading",
    [
        {"variables": ("rate",)},
        {"variables": ("",)},
        {"hooks": (Hook("pre_hook", "select 1", Location("x"), variables=("rate",)),)},
        {"macros": ("cents",)},
    ],
)
def test_the_value_of_a_variable_modifies_the_models_that_may_read_it(reading):
    def with_rate(rate, **more):
        macros = {"cents": Macro("cents", "macros/m.sql", 1, variables=("rate",))}
        daily = replace(DAILY, **reading)
        return replace(manifest(USERS, daily), macros=macros, variables={"rate": rate, **more})

    assert differing(with_rate([1]), with_rate([1])) == frozenset()
    assert differing(with_rate([1]), with_rate([2])) == {"config"}
    assert "geheim" not in json.dumps(manifest_facts(with_rate("geheim")))
    assert modified_parts(manifest_facts(with_rate(1)), manifest_facts(with_rate(2)))["users"] == frozenset()


def test_a_module_that_a_python_model_imports_belongs_to_its_body():
    def importing(**modules):
        return manifest_facts(manifest(USERS, DAILY), modules={"daily": modules})

    assert modified_parts(importing(a="1"), importing(a="1"))["daily"] == frozenset()
    assert modified_parts(importing(a="2"), importing(a="1"))["daily"] == {"body"}
    assert modified_parts(importing(a="1"), importing(a="1", b="1"))["daily"] == {"body"}


def test_tests_are_compared_by_their_titles():
    def tested(*checks):
        return json.loads(json.dumps(manifest_facts(replace(manifest(USERS), checks=checks))))

    least, most = (Check("row_count_between", "users", parameters=rows) for rows in ({"min": 2}, {"max": 9}))
    unique = Check("unique", "users", "id")
    moved = replace(unique, where=Location("models/users.yml", 3))
    assert modified_tests(tested(least, moved, most), tested(unique, least, most)) == {
        "row_count_between users": frozenset(),
        "unique users.id": frozenset(),
    }
    assert modified_tests(tested(least, unique), tested(least, most)) == {
        "row_count_between users": {"config"},
        "unique users.id": None,
    }
    stricter = replace(unique, severity="warn")
    assert modified_tests(tested(stricter), tested(unique)) == {"unique users.id": {"config"}}


def test_a_node_that_was_not_there_is_new():
    assert parts(stored(USERS), USERS, DAILY)["daily"] is None


def test_a_seed_is_compared_by_options_and_by_content_where_both_are_known():
    then = stored(sums={"people": "1"})
    assert parts(then)["people"] == frozenset()
    assert parts(then, sums={"people": "1"})["people"] == frozenset()
    assert parts(then, sums={"people": "2"})["people"] == {"body"}
    assert parts(then, seeds=[replace(PEOPLE, options=SeedOptions(delimiter=";"))])["people"] == {"config"}


@pytest.mark.parametrize("facts", [None, [], {}, {"nodes": []}, {"format": 1}])
def test_what_is_no_manifest_is_refused(facts):
    with pytest.raises(ConfigError, match=r"x/manifest\.json is no manifest of FlowForge"):
        require_comparable(facts, "x/manifest.json")


def test_a_manifest_of_another_version_is_refused_with_a_way_out():
    require_comparable(stored(USERS), "m")
    with pytest.raises(ConfigError, match=r"another version of FlowForge \(format 1\)"):
        require_comparable({"format": 1, "nodes": {}}, "m")
