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


def test_what_stands_is_named(flowforge, shop):
    assert "It is written in models/orders.ff.sql and stands as orders." in flowforge("why", "orders", shop).lines
    (event,) = flowforge("why", "orders", shop, "--log-format", "json").events
    assert event["data"]["relation"] == "orders"
