"""Two columns of one name: DuckDB would call the second `a_1`, and nobody would hear of it."""

from __future__ import annotations

import postgres_server
import pytest

HEADS = {
    "table": "",
    "view": "{{ config(materialized='view') }}",
    "incremental": "{{ config(materialized='incremental', unique_key='n') }}",
    "snapshot": "{{ config(materialized='snapshot', unique_key='n', strategy='check') }}",
    "create": "create or replace table m as",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_they_are_told_with_file_and_line(new_project, in_shell, head):
    shop = new_project({"models/m.ff.sql": f"{head}\nselect\n  1 as n,\n  'x' as a,\n  'y' as a\n"})
    ran = in_shell("flowforge run", shop)
    assert ran.returncode == 1
    assert "models/m.ff.sql:5: Model 'm' failed: Two columns of the query have the name 'a'" in ran.stdout
    assert "    5 |   'y' as a\n" in ran.stdout
    assert "Give one of them another by `as`" in ran.stdout
    assert in_shell("flowforge show m", shop).returncode == 1


def test_those_of_a_join_are_told_with_the_query(new_project, in_shell):
    shop = new_project(
        {
            "models/a.ff.sql": "select 1 as id, 2 as n",
            "models/m.ff.sql": "-- both\nselect *\nfrom {{ ref('a') }} as x\njoin {{ ref('a') }} as y using (id)\n",
        }
    )
    ran = in_shell("flowforge run", shop)
    assert ran.returncode == 1
    assert "models/m.ff.sql:2: Model 'm' failed: Two columns of the query have the name 'n'" in ran.stdout


@pytest.mark.parametrize("name", ["'a\\ud800b'", "''", "'a\\0b'", "'x' * 300"])
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_those_of_a_frame_that_no_table_can_have_are_the_models_failure(new_project, in_shell, engine, name):
    head = "from flowforge import model\nimport pandas as pd\n\n@model(name='m')\n"
    code = f"{head}def m():\n    return pd.DataFrame({{{name}: [1]}})\n"
    profile = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n"
    files = {"models/m.ff.py": code, "models/other.ff.sql": "select 1 as a"}
    shop = new_project(files if engine == "duckdb" else files | {"profiles.yml": profile})
    with postgres_server.lent_database() as dsn:
        ran = in_shell("flowforge run", shop, FF_PG_DSN=dsn)
    assert ran.returncode == 1
    assert "models/m.ff.py:4: Model 'm' failed: The model returned a frame with" in ran.stdout
    assert "Rename it, or drop it." in ran.stdout
    assert "✓ other" in ran.stdout
