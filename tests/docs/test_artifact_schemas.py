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
