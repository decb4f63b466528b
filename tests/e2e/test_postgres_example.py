"""examples/postgres as a user runs it: the simple project on a real server, with only the profile changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import postgres_server
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/postgres"
TABLES = {"seed_users", "seed_orders", "users", "orders", "users_enriched", "mart_orders_enriched", "mart_users"}


@pytest.fixture
def dsn():
    made = postgres_server.new_database()
    yield made.replace("postgresql://", "postgresql+psycopg://")
    postgres_server.drop_database(made)


@pytest.fixture
def flowforge(dsn, warm_environment, tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".flowforge", ".local"))
    secret = dsn.replace("postgres:@", "postgres:hunter22@")
    assert secret != dsn

    def run(*arguments, code=0, dsn=secret):
        environment = {**warm_environment, "FF_PG_DSN": dsn, "NO_COLOR": "1", "PYTHONWARNINGS": "error"}
        command = ["flowforge", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        assert "hunter22" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_only_the_profile_differs_from_the_simple_project():
    simple, ours = (contents(ROOT / "examples" / name) for name in ("simple_duckdb", "postgres"))
    assert {name for name in simple | ours if simple.get(name) != ours.get(name)} <= {
        "profiles.yml",
        "README.md",
        "Makefile",
    }


def test_example_runs(flowforge, dsn):
    flowforge("debug", "shop")
    for _ in range(2):
        flowforge("seed", "shop")
        flowforge("run", "shop")
        assert "failed: 0" in flowforge("test", "shop")
    flowforge("dag", "shop", "--html")
    assert "a@example.com" in flowforge("show", "users", "shop")
    plain = dsn.replace("+psycopg", "")
    found = postgres_server.run("select relname from pg_class where relnamespace = 'shop'::regnamespace", plain)
    assert {name for (name,) in found} == {*TABLES, "_flowforge_state"}
    assert postgres_server.run("select id, is_gmail from shop.mart_users order by id", plain) == [
        (1, False),
        (2, True),
        (3, True),
    ]
    assert postgres_server.run("select count(*) from shop.mart_orders_enriched", plain) == [(2,)]


def test_broken_model_names_its_line_and_keeps_the_table(flowforge, dsn, tmp_path):
    flowforge("seed", "shop")
    flowforge("run", "shop")
    model = tmp_path / "shop/models/users.ff.sql"
    model.write_text(model.read_text().replace("id, email", "id,\n  emial"))
    said = flowforge("run", "shop", "--select", "users", code=1)
    assert "models/users.ff.sql:3" in said
    assert "email" in said
    assert postgres_server.run("select count(email) from shop.users", dsn.replace("+psycopg", "")) == [(3,)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("postgresql://ann:hunter22@127.0.0.1:1/shop", "Check host"),
        ("mysql://ann:hunter22@127.0.0.1/shop", "postgresql://"),
        ("postgresql://ann:hunter22@127.0.0.1:x/shop", "dsn"),
    ],
)
def test_wrong_dsn_is_told_in_a_few_lines_without_its_password(flowforge, wrong, said):
    for command in ("debug", "run"):
        answer = flowforge(command, "shop", code=1, dsn=wrong)
        assert said in answer
        assert "Traceback" not in answer


def test_executor_of_the_original_design(dsn, monkeypatch):
    from flowforge.core import REGISTRY
    from flowforge.dag import topo_sort
    from flowforge.executors.postgres_exec import PostgresExecutor
    from flowforge.settings import PostgresProfile
    from flowforge.testing import row_count_between, unique

    monkeypatch.setenv("FF_PG_DSN", dsn)
    REGISTRY.load_project(EXAMPLE)
    executor = PostgresExecutor(dsn, schema="scripts")
    executor.con.execute("create table seed_users as select 1 as id, 'a@gmail.com' as email")
    executor.con.execute("create table seed_orders as select 1 as order_id, 1 as user_id, 2.5::float8 as amount")
    for name in topo_sort(REGISTRY.nodes):
        node = REGISTRY.nodes[name]
        executor.run_sql(node, REGISTRY.env) if node.kind == "sql" else executor.run_python(node)
    unique(executor, "mart_users", "id")
    row_count_between(executor, "mart_orders_enriched", 1, 1)
    executor.close()
    assert PostgresProfile.__name__ == "PostgresProfile"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".") and "__pycache__" not in path.parts
    }
