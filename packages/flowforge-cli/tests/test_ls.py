"""`flowforge ls`, and the options of a selection on every command that has them."""

from __future__ import annotations

import json

import pytest


def test_names_paths_and_objects(flowforge, shop):
    assert flowforge("ls", shop).lines == [
        "seed_customers",
        "seed_orders",
        "customers",
        "orders",
        "revenue_by_customer",
    ]
    assert flowforge("ls", shop, "-s", "+orders", "--resource", "model", "-o", "path").lines == ["models/orders.ff.sql"]
    answer = flowforge("ls", shop, "--select", "seed_orders+", "--output", "json")
    assert [json.loads(line)["name"] for line in answer.lines] == ["seed_orders", "orders", "revenue_by_customer"]
    assert answer.code == 0


def test_tests_are_listed_by_their_own_names(flowforge, shop):
    lines = flowforge("ls", shop, "--resource", "test").lines
    assert lines
    assert flowforge("ls", shop, "--resource", "test", "--select", lines[0]).lines == [lines[0]]


def test_what_is_of_another_kind_is_told(flowforge, shop):
    answer = flowforge("ls", shop, "-s", "source:*")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "✗ The selection names 2 sources, and no seed or model.\n"
        "Add + for what reads it: source:*+. Or list other kinds: --resource source.\n"
    )
    assert flowforge("run", shop, "-s", "seed_orders").err == (
        "✗ The selection names 1 seed, and no model.\nAdd + for what reads it: seed_orders+.\n"
    )


def test_a_source_that_there_is_not_is_told_with_those_that_there_are(flowforge, shop):
    for term in ("source:zzz", "source:zzz+"):
        said = flowforge("ls", shop, "-s", term).err
        assert said.startswith(f"✗ No seed or model matches {term!r}.\nKnown: ")
        assert "shop.orders" in said


def test_what_nothing_reads_is_told_without_the_plus_that_is_there(flowforge, shop):
    (shop / "seeds/alone.csv").write_text("id\n1\n")
    for term in ("alone+", "alone+1", "@alone"):
        said = "✗ The selection names 1 seed, and no model.\nNo model reads it.\n"
        assert flowforge("run", shop, "-s", term).err == said
    (shop / "models/lone.ff.sql").write_text("select 1 as n\n")
    said = "✗ The selection names 1 model, and no seed.\nIt reads no seed."
    assert flowforge("seed", shop, "-s", "+lone").err.startswith(said)


def test_no_code_of_the_project_is_run(flowforge, shop):
    trap = shop / "trap"
    code = f"from flowforge import model\nopen({str(trap)!r}, 'w')\n\n\n@model(deps=['orders'])\ndef x(df): ...\n"
    (shop / "models/x.ff.py").write_text(code)
    assert "x" in flowforge("ls", shop, "-s", "kind:python").lines
    assert not trap.exists()


@pytest.mark.parametrize("command", ["run", "seed", "test", "compile", "dag", "ls"])
class TestOptions:
    def test_a_selector_that_does_not_exist_is_told(self, flowforge, shop, command):
        answer = flowforge(command, shop, "--selector", "nope")
        assert answer.code == 1
        assert "There is no selector 'nope'" in answer.err

    def test_a_selection_that_is_no_selection_is_told(self, flowforge, shop, command):
        answer = flowforge(command, shop, "--select", "@orders+")
        assert answer.code == 1
        assert answer.err.splitlines()[-1] == "Did you mean '@orders'? It follows both ways."

    def test_a_state_needs_a_manifest(self, flowforge, shop, command):
        answer = flowforge(command, shop, "--select", "state:modified", "--state", shop / "models")
        assert answer.code == 1
        assert "manifest.json' cannot be read" in answer.err

    def test_a_reference_is_never_an_option_of_git(self, flowforge, shop, command):
        answer = flowforge(command, shop, "--changed-since=--output=x")
        assert answer.code == 1
        assert len(answer.err.splitlines()) == 2
