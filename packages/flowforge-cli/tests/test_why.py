"""`flowforge why`: what it says of a model."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def ephemeral(shop):
    (shop / "models/inner.ff.sql").write_text("{{ config(materialized='ephemeral') }} select 1 as n")
    return shop


class TestEphemeral:
    def test_nothing_is_built_and_nothing_stands(self, flowforge, ephemeral):
        answer = flowforge("why", "inner", ephemeral)
        assert answer.lines[:2] == [
            "inner is never built: it is ephemeral, a part of the queries that read it.",
            "It is written in models/inner.ff.sql.",
        ]
        (event,) = flowforge("why", "inner", ephemeral, "--log-format", "json").events
        assert (event["data"]["due"], event["data"]["reasons"], event["data"]["relation"]) == (False, [], None)

    def test_a_list_tells_no_relation_either(self, flowforge, ephemeral):
        listed = [json.loads(line) for line in flowforge("ls", ephemeral, "-o", "json").lines]
        relations = {one["name"]: one["relation"] for one in listed}
        assert (relations["inner"], relations["orders"]) == (None, "orders")


def test_its_relation_is_named(flowforge, shop):
    assert "It is written in models/orders.ff.sql; its relation is orders." in flowforge("why", "orders", shop).lines
    (event,) = flowforge("why", "orders", shop, "--log-format", "json").events
    assert event["data"]["relation"] == "orders"


def test_a_variable_that_is_not_given_any_more_is_unset(flowforge, shop):
    (shop / "models/orders.ff.sql").write_text(
        "select {{ var('day', 1) }} as n, '{{ env_var('REGION', 'north') }}' as r"
    )
    assert flowforge("run", shop, "-s", "orders", "--vars", "{day: 7}").code == 0
    assert "  · the variable day changed: 7 became unset, and has its default" in flowforge("why", "orders", shop).lines
    assert flowforge("run", shop, "-s", "orders").code == 0
    said = flowforge("why", "orders", shop, "--vars", "{day: 7}").lines
    assert "  · the variable day changed: unset, with its default, became 7" in said


class TestSettings:
    """Each setting is told with the place that won, or all places where values add up."""

    @pytest.fixture
    def told(self, flowforge, shop):
        (shop / "project.yml").write_text(
            "defaults:\n"
            "  owner: everybody\n"
            "  tags: [all]\n"
            "folders:\n"
            "  deep:\n"
            "    materialized: view\n"
            "    tags: [deep]\n"
            "    owner:\n"
            "  /deep/down/: {materialized: incremental, owner: inner}\n"
            "models:\n"
            "  orders.ff: {tags: [here]}\n"
        )
        (shop / "models/deep/down").mkdir(parents=True)
        (shop / "models/deep/down/other.ff.sql").write_text("select 1 as n")

        def tell(model, text, name="models/deep/down/m.ff.sql"):
            (shop / name).write_text(text)
            answer = flowforge("why", model, shop)
            assert answer.code == 0, answer.err
            return [line.strip() for line in answer.lines if " = " in line]

        return tell

    def test_the_nearest_folder_wins_and_tags_add_up(self, told):
        assert told("m", "select 1 as n") == [
            "materialized = incremental  (project.yml:9, models/deep/down)",
            "owner = inner  (project.yml:9, models/deep/down)",
            'tags = ["all", "deep"]  (project.yml:3, defaults; project.yml:7, models/deep)',
        ]

    def test_the_file_of_yaml_goes_before_folders(self, shop, told):
        beside = "# m\nmodels:\n  m:\n    description: |\n      two\n      lines\n    materialized: table\n"
        (shop / "models/_models.yml").write_text(beside)
        assert told("m", "select 1 as n")[:3] == [
            "materialized = table  (models/_models.yml:7)",
            "description = two lines  (models/_models.yml:4)",
            "owner = inner  (project.yml:9, models/deep/down)",
        ]

    def test_the_models_own_text_goes_before_all(self, told):
        text = "{{ config(\n  materialized='table',\n  owner='me') }}\nselect 1 as n"
        assert told("m", text)[:2] == [
            "materialized = table  (models/deep/down/m.ff.sql:2)",
            "owner = me  (models/deep/down/m.ff.sql:3)",
        ]

    def test_what_a_text_cannot_follow_comes_from_the_text(self, told):
        text = "-- mine\ncreate or replace table m as select 1 as n"
        assert told("m", text)[0] == "materialized = table  (models/deep/down/m.ff.sql:2)"

    def test_one_of_several_functions_in_a_file(self, told):
        text = "from flowforge import model\n@model('a')\ndef a(): ...\n@model('b', owner='me')\ndef b(): ...\n"
        assert told("b", text, "models/deep/p.ff.py")[:2] == [
            "materialized = table  (models/deep/p.ff.py:4)",
            "owner = me  (models/deep/p.ff.py:4)",
        ]

    def test_what_nobody_said(self, told):
        assert told("customers", "select 1 as n", "models/customers.ff.sql")[0] == "materialized = table  (by default)"

    def test_json_tells_them_too(self, flowforge, shop, told):
        told("m", "select 1 as n")
        (event,) = flowforge("why", "m", shop, "--log-format", "json").events
        assert event["data"]["settings"]["owner"] == {
            "value": "inner",
            "places": ["project.yml:9, models/deep/down"],
        }

    def test_every_spelling_of_a_name(self, told):
        assert 'tags = ["all", "here"]  (project.yml:3, defaults; project.yml:11)' in told(
            "orders", "select 1 as n", "models/orders.ff.sql"
        )
