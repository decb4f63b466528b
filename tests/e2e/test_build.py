"""`flowforge build`: what it tells where it cannot begin, and of projects whose models are layered."""

from __future__ import annotations

import json


def test_seeds_that_cannot_be_loaded_are_in_the_results(in_shell, new_project):
    root = new_project({"seeds/s.csv": "id,v\n1,10\n", "models/a.ff.sql": "select * from {{ ref('s') }}"})
    assert in_shell("flowforge build", root).returncode == 0
    (root / "seeds/s.csv").write_text("id,v\n1,10\n1\n", encoding="utf-8")
    assert in_shell("flowforge build", root).returncode == 1
    told = json.loads((root / ".flowforge/run_results.json").read_text(encoding="utf-8"))
    assert told["status"] == "failed"
    assert "seeds/s.csv:3" in told["error"]
    assert {result["name"]: result["status"] for result in told["results"]} == {"a": "not run", "s": "unfinished"}
    assert in_shell("flowforge ls -s result:not_run", root).stdout.split() == ["a"]


def test_each_of_many_layers_of_ephemeral_models_costs_what_its_models_do(in_shell, new_project):
    # Each reads both of the layer below: there are 2 ** 30 ways from the first to the last.
    inner = "{{ config(materialized='ephemeral') }} select "
    models = {f"models/{name}0.ff.sql": f"{inner} 1 as x" for name in "ab"}
    for layer in range(1, 30):
        read = f"a.x from {{{{ ref('a{layer - 1}') }}}} a, {{{{ ref('b{layer - 1}') }}}} b"
        models |= {f"models/{name}{layer}.ff.sql": f"{inner}{read}" for name in "ab"}
    root = new_project({**models, "models/last.ff.sql": "select * from {{ ref('a29') }}"})
    for said in ("built: 1", "skipped (unchanged)"):
        done = in_shell("flowforge run", root)
        assert said in done.stdout, done.stdout + done.stderr
