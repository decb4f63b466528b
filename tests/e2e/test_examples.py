"""Every example is a test: seeded, run, tested and drawn as its reader would."""

from __future__ import annotations

from pathlib import Path

import pytest

# Those that need a server, Spark, or data that is made first, have a test of their own, which sees to that.
WITH_SERVER = {
    "bigquery": "test_bigquery_example.py",
    "databricks": "test_databricks_example.py",
    "postgres": "test_postgres_example.py",
    "snowflake": "test_snowflake_example.py",
    "tpch": "test_tpch.py",
}
FOUND = sorted(path.parent.name for path in (Path(__file__).parents[2] / "examples").glob("*/project.yml"))
EXAMPLES = [name for name in FOUND if name not in WITH_SERVER]


def test_every_example_is_a_test():
    assert {"simple_duckdb", *WITH_SERVER} <= set(FOUND)
    assert all((Path(__file__).parent / file).is_file() for file in WITH_SERVER.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_goes_green_twice(name, fresh_tree, in_shell):
    project = fresh_tree / "examples" / name
    for command in ("seed", "run", "test", "seed", "run", "test", "dag --html", "debug"):
        answer = in_shell(f"flowforge {command} examples/{name}", fresh_tree)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (project / ".flowforge/docs/index.html").is_file()


def test_the_tables_of_simple_duckdb(built_tree, in_shell):
    def shown(model):
        return in_shell(f"flowforge show {model} examples/simple_duckdb", built_tree).stdout.splitlines()

    assert shown("users_enriched") == [
        "id   email           is_gmail",
        "─────────────────────────────",
        " 1   a@example.com   False",
        " 2   b@gmail.com     True",
        " 3   c@gmail.com     True",
        "3 rows",
    ]
    assert len(shown("marts_daily")) == 6
    assert shown("mart_orders_enriched")[-1] == "2 rows"
