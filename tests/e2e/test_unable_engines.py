"""What an engine cannot do is told of all models at once, by what its plugin says: Spark is not even started."""

from __future__ import annotations

import pytest

SPARK = "default: {engine: databricks_spark, databricks_spark: {warehouse: w}}\n"
MERGED = "{{ config(materialized='incremental',\n  unique_key='id') }}\nselect 1 as id\n"
FILES = {
    "profiles.yml": SPARK,
    "models/grown.ff.sql": MERGED,
    "models/history.ff.sql": "select 1 as id\n",
    "models/plain.ff.sql": "select 1 as id\n",
    "project.yml": (
        "name: shop\n"
        "models:\n"
        "  history:\n"
        "    materialized: snapshot\n"
        "    unique_key: id\n"
        "    strategy: check\n"
        "    check_cols: all\n"
    ),
}
CANNOT = "Engine 'databricks_spark' does not support changing rows of a table: "
EACH = [
    "  models/grown.ff.sql:2: grown is incremental by merge: set materialized='table'",
    "  project.yml:4: history is a snapshot: leave it out, as with --exclude history",
]
FORMAT = "Or set databricks_spark.format to delta or iceberg."


@pytest.fixture
def told(new_project, in_shell):
    """Run a command where no Spark can start, and return what it says, line by line, with its exit code."""
    root = new_project(FILES)

    def run(command):
        answer = in_shell(command, root, JAVA_HOME=str(root / "nowhere"))
        assert "Traceback" not in answer.stdout + answer.stderr
        assert not (root / "w").exists()
        return answer.returncode, (answer.stdout + answer.stderr).splitlines()

    return run


@pytest.mark.parametrize("command", ["run", "build"])
def test_every_model_is_named_with_its_line_and_its_way_out(told, command):
    code, [first, *lines] = told(f"flowforge {command}")
    assert code == 1
    assert first.startswith(f"✗ {CANNOT}")
    assert lines == [*EACH, FORMAT]


def test_one_model(told):
    code, [first, *lines] = told("flowforge run --select grown")
    assert code == 1
    assert first.startswith(f"✗ models/grown.ff.sql:2: {CANNOT}")
    assert lines == ["grown is incremental by merge: set materialized='table'", FORMAT]


def test_what_is_not_selected_is_not_asked_for(told):
    _, lines = told("flowforge run --select plain")
    assert "Spark needs Java" in "\n".join(lines)


def test_debug_says_it_too_and_ticks_nothing_that_cannot_be(told):
    code, lines = told("flowforge debug")
    assert code == 1
    at = next(index for index, line in enumerate(lines) if line.startswith("✗ models"))
    assert CANNOT in lines[at]
    assert [line.strip() for line in lines[at + 1 : at + 4]] == [line.strip() for line in (*EACH, FORMAT)]
