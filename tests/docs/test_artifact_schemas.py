"""The schemas in the reference are what real artifacts look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from flowforge_cli.main import main

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
FAILING = """
from flowforge import model

@model(deps=["users_enriched"], tags=["late"])
def p(df):
    raise {error}
"""


def artifact(shop, name):
    written = json.loads((shop / f".flowforge/{name}.json").read_text("utf-8"))
    schema = json.loads((REFERENCE / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(written)
    return written


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    assert main(["init", str(folder), "--engine", "sqlite"]) == 0
    assert main(["seed", str(folder), "-q"]) == 0
    return folder


@pytest.mark.parametrize(
    ("error", "code", "status", "model"),
    [
        ("ValueError('no')", 1, "failed", "failed"),
        ("KeyboardInterrupt", 130, "interrupted", "unfinished"),
    ],
)
def test_artifacts_are_as_the_schemas_say_however_a_run_ends(shop, error, code, status, model):
    assert main(["run", str(shop), "-q"]) == 0
    results = artifact(shop, "run_results")
    assert (results["status"], {each["status"] for each in results["results"]}) == ("ok", {"built"})
    python = FAILING.replace("users_enriched", "customers").format(error=error)
    (shop / "models" / "p.ff.py").write_text(python, encoding="utf-8")
    assert main(["run", str(shop), "-q"]) == code
    results = artifact(shop, "run_results")
    assert results["status"] == status
    assert {each["name"]: each["status"] for each in results["results"]}["p"] == model
    nodes = artifact(shop, "manifest")["nodes"]
    assert (nodes["p"]["file"], nodes["p"]["deps"]) == ("models/p.ff.py", ["customers"])


def test_an_ephemeral_model_has_no_relation(shop):
    text = "{{ config(materialized='ephemeral', schema='s') }}\nselect * from {{ ref('customers') }}\n"
    (shop / "models" / "inner.ff.sql").write_text(text, encoding="utf-8")
    assert main(["compile", str(shop), "-q"]) == 0
    nodes = artifact(shop, "manifest")["nodes"]
    assert (nodes["inner"]["relation"], nodes["customers"]["relation"]) == (None, "customers")


TESTS = """
  - {type: row_count_between, table: orders, min: 99, tags: [bad]}
  - {type: row_count_between, table: customers, min: 99, severity: warn}
  - {type: unique, table: nowhere, column: id}
"""


@pytest.mark.parametrize(("command", "more", "below"), [("build", ["--no-cache"], "skipped"), ("test", [], "passed")])
def test_tests_are_told_as_well(shop, command, more, below):
    assert main(["run", str(shop), "-q"]) == 0
    before = artifact(shop, "run_results")
    assert before["tests"] == []
    with (shop / "project.yml").open("a") as file:
        file.write(TESTS)
    assert main([command, str(shop), "-q", *more]) == 1
    results = artifact(shop, "run_results")
    assert (results["command"], results["status"]) == (command, "failed")
    tests = {(test["name"], test["severity"]): test for test in results["tests"]}
    assert {name: test["status"] for (name, _), test in tests.items()} == {
        "unique customers.customer_id": "passed",
        "not_null customers.email": "passed",
        "non_negative_sum revenue_by_customer.revenue": below,
        "row_count_between revenue_by_customer": below,
        "row_count_between orders": "failed",
        "row_count_between customers": "warned",
        "unique nowhere.id": "error",
    }
    assert [test["line"] for test in results["tests"]] == sorted(test["line"] for test in results["tests"])
    assert tests["row_count_between orders", "error"]["cause"].startswith("orders has ")
    assert "nowhere" in tests["unique nowhere.id", "error"]["cause"]
    assert [one["name"] for one in results["results"] if one["materialized"] != "seed"] == (
        [] if command == "test" else [one["name"] for one in before["results"]]
    )


def test_tests_that_a_build_did_not_come_to_are_told(shop):
    python = FAILING.replace("users_enriched", "customers").format(error="KeyboardInterrupt")
    (shop / "models" / "p.ff.py").write_text(python, encoding="utf-8")
    with (shop / "project.yml").open("a") as file:
        file.write("  - {type: row_count_between, table: p}\n")
    assert main(["build", str(shop), "-q"]) == 130
    (last,) = (test for test in artifact(shop, "run_results")["tests"] if test["name"] == "row_count_between p")
    assert last == {
        **dict.fromkeys(last, ""),
        "name": "row_count_between p",
        "status": "not run",
        "line": 0,
        "seconds": 0.0,
    }
