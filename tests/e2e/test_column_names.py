"""Two columns of one name: DuckDB would call the second `a_1`, and nobody would hear of it."""

from __future__ import annotations

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
