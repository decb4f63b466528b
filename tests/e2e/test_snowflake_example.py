"""examples/snowflake as a user runs it, over the emulator: Snowpark models, and pandas made unimportable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import snowflake_server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/snowflake"
TABLES = {"SEED_USERS", "SEED_ORDERS", "USERS", "ORDERS", "USERS_ENRICHED", "MART_ORDERS_ENRICHED", "MART_USERS"}
NO_PANDAS = "raise ImportError('pandas was imported')\n"


@pytest.fixture
def settings():
    made = snowflake_server.settings()
    yield made
    snowflake_server.drop_database(made["database"])


@pytest.fixture
def flowforge(settings, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".flowforge", "__pycache__"))
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "pandas.py").write_text(NO_PANDAS)
    named = ("account", "user", "password", "database", "host", "port", "protocol")
    ours = {f"FF_SF_{name.upper()}": str(settings[name]) for name in named}

    def run(*arguments, code=0, **other):
        environment = {**os.environ, **ours, "NO_COLOR": "1", "PYTHONPATH": str(blocked), **other}
        command = [sys.executable, "-m", "flowforge", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == code, done.stdout + done.stderr
        assert "hunter22" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_only_the_profile_and_the_frames_differ_from_the_simple_project():
    simple, ours = (contents(ROOT / "examples" / name) for name in ("simple_duckdb", "snowflake"))
    assert {name for name in simple | ours if simple.get(name) != ours.get(name)} <= {
        "profiles.yml",
        "README.md",
        "Makefile",
        "models/users_enriched.ff.py",
        "models/mart_orders_enriched.ff.py",
    }


def test_example_runs_without_pandas(flowforge, settings):
    flowforge("debug", "shop")
    flowforge("seed", "shop")
    flowforge("run", "shop")
    assert "failed: 0" in flowforge("test", "shop")
    assert "failed: 0" in flowforge("build", "shop")
    assert "a@example.com" in flowforge("show", "users", "shop")

    def found(sql):
        return snowflake_server.run(sql, settings["database"], "SHOP")

    tables = found("select table_name from information_schema.tables where table_schema = 'SHOP'")
    assert {name for (name,) in tables} == {*TABLES, "_FLOWFORGE_STATE", "_FLOWFORGE_LOCK"}
    assert found("select id, is_gmail from mart_users order by id") == [(1, False), (2, True), (3, True)]
    assert found("select count(*) from mart_orders_enriched") == [(2,)]


def test_broken_model_names_its_file_and_keeps_the_table(flowforge, settings, tmp_path):
    flowforge("seed", "shop")
    flowforge("run", "shop", "--select", "users")
    model = tmp_path / "shop/models/users.ff.sql"
    model.write_text(model.read_text().replace("id, email", "id,\n  emial"))
    assert "models/users.ff.sql" in flowforge("run", "shop", "--select", "users", code=1)
    assert snowflake_server.run("select count(email) from users", settings["database"], "SHOP") == [(3,)]


def test_unreachable_account_is_told_in_a_few_lines(flowforge, tmp_path):
    profile = tmp_path / "shop/profiles.yml"
    profile.write_text(profile.read_text() + "    login_timeout: 2\n")
    said = flowforge("run", "shop", code=1, FF_SF_PORT="1")
    assert "Check account, host" in said
    assert "Traceback" not in said


def test_executor_of_the_original_design(settings, monkeypatch):
    from flowforge.core import REGISTRY
    from flowforge.dag import topo_sort
    from flowforge.executors.snowflake_snowpark_exec import SnowflakeSnowparkExecutor
    from flowforge.settings import SnowflakeSnowparkProfile
    from flowforge.testing import row_count_between, unique

    REGISTRY.load_project(EXAMPLE)
    executor = SnowflakeSnowparkExecutor(schema="scripts", **settings)
    executor.con.execute("create table seed_users as select 1 as id, 'a@gmail.com' as email")
    executor.con.execute("create table seed_orders as select 1 as order_id, 1 as user_id, 2.5::float as amount")
    for name in topo_sort(REGISTRY.nodes):
        node = REGISTRY.nodes[name]
        executor.run_sql(node, REGISTRY.env) if node.kind == "sql" else executor.run_python(node)
    unique(executor, "mart_users", "id")
    row_count_between(executor, "mart_orders_enriched", 1, 1)
    executor.close()
    assert SnowflakeSnowparkProfile.__name__ == "SnowflakeSnowparkProfile"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".") and "__pycache__" not in path.parts
    }
