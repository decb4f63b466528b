"""A column whose name changes its case in the query is that of the table, also where the engine tells cases apart."""

from __future__ import annotations

import postgres_server
import pytest

from flowforge import Project

GROWS = "materialized='incremental', on_schema_change='{}', unique_key='ID', incremental_strategy='{}'"
RULES = ("ignore", "append_new_columns", "sync_all_columns", "fail")
SETTINGS = [
    *(GROWS.format(rule, "merge") for rule in RULES),
    GROWS.format("ignore", "delete+insert"),
    "materialized='incremental', on_schema_change='ignore'",
    "materialized='incremental', on_schema_change='ignore', incremental_strategy='insert_overwrite', partition_by='iD'",
]
SNAPSHOTS = ["strategy='check'", "strategy='check', check_cols='AMOUNT'", "strategy='timestamp', updated_at='amount'"]


@pytest.fixture(params=["postgres", "duckdb"])
def run(request, tmp_path):
    """Build a model of this text, and return what its table holds."""
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    profile = tmp_path / "profiles.yml"
    profile.write_text("default: {engine: duckdb, duckdb: {path: shop.duckdb}}\n", encoding="utf-8")

    def built(text):
        (tmp_path / "models" / "i.ff.sql").write_text(text, encoding="utf-8")
        with Project.load(tmp_path) as project:
            [result] = project.run().results
            assert result.error is None, result.error
            return project.show("i", limit=99)

    if request.param == "duckdb":
        yield built
        return
    with postgres_server.lent_database() as dsn:
        profile.write_text(f"default: {{engine: postgres, postgres: {{dsn: '{dsn}'}}}}\n", encoding="utf-8")
        yield built


@pytest.mark.parametrize("settings", SETTINGS)
def test_new_rows_come_into_the_column_that_stands(run, settings):
    run(f"{{{{ config({settings}) }}}} select 1 as id, 2 as amount")
    found = run(f'{{{{ config({settings}) }}}} select 2 as "Id", 3 as "Amount"')
    assert found.columns == ("id", "amount")
    assert sorted(found.rows) == [(1, 2), (2, 3)]
    if "unique_key" in settings:
        assert sorted(run(f'{{{{ config({settings}) }}}} select 2 as "Id", 5 as "Amount"').rows) == [(1, 2), (2, 5)]


def test_a_column_may_grow_and_change_its_case_at_once(run):
    config = "{{ config(materialized='incremental', on_schema_change='append_new_columns') }}"
    run(f"{config} select 1 as id, 2 as amount")
    found = run(f'{config} select 2 as id, 3000000000 as "Amount", 1 as "More"')
    assert found.columns == ("id", "amount", "More")
    assert sorted(found.rows, key=str) == [(1, 2, None), (2, 3000000000, 1)]


@pytest.mark.parametrize("settings", SNAPSHOTS)
def test_a_snapshot_goes_on_with_the_column_that_stands(run, settings):
    config = f"{{{{ config(materialized='snapshot', unique_key='id', {settings}) }}}}"
    run(f"{config} select 1 as id, timestamp '2026-01-01' as amount")
    found = run(f'{config} select 1 as "ID", timestamp \'2026-02-02\' as "Amount"')
    assert found.columns[:2] == ("id", "amount")
    assert len(found.rows) == 2
