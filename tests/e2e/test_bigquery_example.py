"""examples/bigquery as a user runs it: the simple project over BigQuery's client, with an emulator behind it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bigquery_emulator
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/bigquery"
TABLES = {"seed_users", "seed_orders", "users", "orders", "users_enriched", "mart_orders_enriched", "mart_users"}


@pytest.fixture
def settings():
    return bigquery_emulator.new_target()


@pytest.fixture
def flowforge(settings, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".flowforge", ".local"))
    settings = {**settings, "dataset": "shop"}
    said = {f"FF_BQ_{name.upper()}": str(value) for name, value in settings.items() if name in NAMES}

    def run(*arguments, code=0, **more):
        environment = {**os.environ, **said, "NO_COLOR": "1", **more}
        # BigQuery's own client warns of its own storage client.
        command = [sys.executable, "-W", "error", "-W", "ignore::PendingDeprecationWarning", "-m", "flowforge"]
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


NAMES = {"project", "location", "endpoint", "storage_endpoint", "anonymous"}


def test_only_the_profile_differs_from_the_simple_project():
    simple, ours = (contents(ROOT / "examples" / name) for name in ("simple_duckdb", "bigquery"))
    assert {name for name in simple | ours if simple.get(name) != ours.get(name)} <= {
        "profiles.yml",
        "README.md",
        "Makefile",
    }


def test_example_runs(flowforge, settings):
    flowforge("debug", "shop")
    flowforge("seed", "shop")
    flowforge("run", "shop")
    assert "failed: 0" in flowforge("test", "shop")
    assert "failed: 0" in flowforge("build", "shop")
    assert "a@example.com" in flowforge("show", "users", "shop")
    executor = executor_of(settings, "shop")
    assert set(executor.engine.catalog.relations()) == {*TABLES, "_flowforge_state"}
    found = executor.con.execute("select id, is_gmail from mart_users order by id").fetchall()
    assert found == [(1, False), (2, True), (3, True)]
    assert executor.con.execute("select count(*) from mart_orders_enriched").fetchone() == (2,)
    executor.close()


def test_broken_model_keeps_its_table(flowforge, settings, tmp_path):
    flowforge("seed", "shop")
    flowforge("run", "shop", "--select", "users")
    model = tmp_path / "shop/models/users.ff.sql"
    model.write_text(model.read_text().replace("id, email", "id,\n  emial"))
    assert "models/users.ff.sql" in flowforge("run", "shop", "--select", "users", code=1)
    executor = executor_of(settings, "shop")
    assert executor.con.execute("select count(email) from users").fetchone() == (3,)
    executor.close()


def test_views_name_the_dataset_of_what_they_read(flowforge, settings, tmp_path):
    """BigQuery's views know no default dataset, and the emulator refuses them without one as BigQuery does."""
    models = tmp_path / "shop/models"
    for name, text in VIEWS.items():
        (models / f"{name}.ff.sql").write_text(text)
    flowforge("compile", "shop", "--select", "named")
    [compiled] = (tmp_path / "shop/.flowforge/compiled").rglob("named*")
    assert "`shop`.`seed_users`" in compiled.read_text()
    assert "failed: 0" in flowforge("build", "shop")
    assert "(unchanged)" in flowforge("run", "shop")
    assert "b@gmail.com" in flowforge("show", "plain", "shop")
    (models / "named.ff.sql").unlink()
    assert "named" in flowforge("clean", "shop")
    executor = executor_of(settings, "shop")
    kinds = {name: entry.kind for name, entry in executor.engine.catalog.relations().items()}
    assert {name: kinds.get(name) for name in ("plain", "named", "sourced", "grown")} == {
        "plain": "view",
        "named": None,
        "sourced": "view",
        "grown": "table",
    }
    executor.close()


def test_a_view_that_reads_a_bare_name_is_told_to_name_it(flowforge, tmp_path):
    flowforge("seed", "shop")
    (tmp_path / "shop/models/plain.ff.sql").write_text("{{ config(materialized='view') }} select id from seed_users")
    told = flowforge("run", "shop", "--select", "plain", code=1)
    assert "models/plain.ff.sql" in told
    assert "name what it reads by ref() or source()" in told


def test_address_where_nobody_listens_is_told_in_a_few_lines(flowforge, tmp_path):
    answer = flowforge("run", "shop", code=1, FF_BQ_ENDPOINT="http://127.0.0.1:1", FF_BQ_RETRY_DEADLINE="0")
    assert "cannot be reached" in answer
    assert "Traceback" not in answer
    assert len(answer.splitlines()) < 20


def test_executor_of_the_original_design(settings, monkeypatch):
    from flowforge.core import REGISTRY
    from flowforge.dag import topo_sort
    from flowforge.settings import BigQueryProfile
    from flowforge.testing import row_count_between, unique

    monkeypatch.setenv("FF_BQ_PROJECT", settings["project"])
    REGISTRY.load_project(EXAMPLE)
    executor = executor_of(settings, "scripts")
    executor.engine.session.execute("create table seed_users as select 1 as id, 'a@gmail.com' as email")
    executor.engine.session.execute("create table seed_orders as select 1 as order_id, 1 as user_id, 2.5 as amount")
    for name in topo_sort(REGISTRY.nodes):
        node = REGISTRY.nodes[name]
        executor.run_sql(node, REGISTRY.env) if node.kind == "sql" else executor.run_python(node)
    unique(executor, "mart_users", "id")
    row_count_between(executor, "mart_orders_enriched", 1, 1)
    executor.close()
    assert BigQueryProfile.__name__ == "BigQueryProfile"


VIEWS = {
    "inner": "{{ config(materialized='ephemeral') }} select id, email from {{ ref('users') }}",
    "plain": "{{ config(materialized='view') }} select id, email from {{ ref('inner') }}",
    "named": "create or replace view named as select id from {{ ref('seed_users') }}",
    "sourced": "{{ config(materialized='view') }} select * from {{ source('crm', 'users') }}",
    "grown": "{{ config(materialized='incremental', unique_key='id') }} select id from {{ ref('plain') }}"
    "{% if is_incremental() %} where id > (select max(id) from {{ this }}){% endif %}",
}


def executor_of(settings, dataset):
    from flowforge.executors.bigquery_exec import BigQueryExecutor

    return BigQueryExecutor(**{**settings, "dataset": dataset})


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".") and "__pycache__" not in path.parts
    }
