"""The commands, the Makefile, the summary and the Python example of the original design run as they are written."""

from __future__ import annotations

import re
import subprocess
import sys

import duckdb
import pytest

COMMANDS = """\
# seeden
flowforge seed examples/simple_duckdb --env dev

# ausführen
flowforge run examples/simple_duckdb --env dev

# DAG (Mermaid-Datei)
flowforge dag examples/simple_duckdb --env dev

# DAG (HTML)
flowforge dag examples/simple_duckdb --env dev --html

# Datenqualität
flowforge test examples/simple_duckdb --env dev --select batch
"""

MAKEFILE = """\
DB ?= .local/demo.duckdb
PROJECT ?= examples/simple_duckdb

seed:
\tflowforge seed $(PROJECT) --env dev

run:
\tFF_ENGINE=duckdb FF_DUCKDB_PATH="$(DB)" flowforge run "$(PROJECT)" --env dev

dag:
\tflowforge dag "$(PROJECT)" --env dev --html

test:
\tflowforge test "$(PROJECT)" --env dev --select batch
"""

PYTHON = """\
from pathlib import Path
from jinja2 import Environment, FileSystemLoader
from flowforge.core import REGISTRY
from flowforge.dag import topo_sort
from flowforge.executors.duckdb_exec import DuckExecutor

proj = Path("examples/simple_duckdb").resolve()
REGISTRY.load_project(proj)
env = REGISTRY.env  # jinja env vom Registry-Load

order = topo_sort(REGISTRY.nodes)
ex = DuckExecutor(db_path=str(proj / ".local" / "demo.duckdb"))

for name in order:
    node = REGISTRY.nodes[name]
    if node.kind == "sql":
        ex.run_sql(node, env)
    else:
        ex.run_python(node)

print("✓ Done")
"""

# What the example's models make of its two seeds.
BUILT = {
    "users": [(1, "a@example.com"), (2, "b@gmail.com"), (3, "c@gmail.com")],
    "orders": [(100, 1, 19.9), (101, 2, 0.0)],
    "users_enriched": [(1, "a@example.com", False), (2, "b@gmail.com", True), (3, "c@gmail.com", True)],
    "mart_users": [(1, "a@example.com", False), (2, "b@gmail.com", True), (3, "c@gmail.com", True)],
    "mart_orders_enriched": [(100, 1, 19.9, "a@example.com", False), (101, 2, 0.0, "b@gmail.com", True)],
}

BOTH = """\
Data Quality Summary
────────────────────
✅ not_null           users.email                              (3ms)
❌ unique             users.id                                 (2ms)
   ↳ users.id has 1 duplicates

Totals
──────
✓ passed: 1
✗ failed: 1
"""

PASSED = """\
Data Quality Summary
────────────────────
✅ not_null           users.email                              (3ms)
✅ unique             users.id                                 (2ms)

Totals
──────
✓ passed: 2
✗ failed: 0
"""

TESTS = """\
tests:
  - type: not_null
    table: users
    column: email
    tags: [batch]

  - type: unique
    table: users
    column: id
    tags: [batch]
"""


def without_times(text):
    return re.sub(r"\(\d+(\.\d+)?m?s\)", "(…)", text)


def test_the_commands(fresh_tree, in_shell):
    answer = in_shell(f"set -e\n{COMMANDS}", fresh_tree)
    assert answer.returncode == 0, answer.stderr
    docs = fresh_tree / "examples/simple_duckdb/.flowforge/docs"
    assert (docs / "dag.mmd").is_file()
    assert (docs / "index.html").is_file()
    assert answer.stdout.endswith("✓ passed: 3\n✗ failed: 0\n")


def test_the_makefile(fresh_tree, in_shell):
    (fresh_tree / "Makefile").write_text(MAKEFILE)
    answer = in_shell("make seed run dag test", fresh_tree)
    assert answer.returncode == 0, answer.stderr
    assert (fresh_tree / "examples/simple_duckdb/.local/demo.duckdb").is_file()


def test_the_makefile_beside_the_models(tree, in_shell):
    answer = in_shell("make PROJECT=. seed test", tree / "examples/simple_duckdb")
    assert answer.returncode == 0, answer.stderr


def test_the_examples_own_makefile_is_that_one(fresh_tree):
    assert (fresh_tree / "examples/simple_duckdb/Makefile").read_text().startswith(MAKEFILE)


def test_the_python_example(fresh_tree, in_shell, environment):
    example = fresh_tree / "examples/simple_duckdb"
    assert in_shell("flowforge seed examples/simple_duckdb", fresh_tree).returncode == 0
    answer = subprocess.run(
        [sys.executable, "-c", PYTHON], cwd=fresh_tree, env=environment, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "✓ Done\n", "")
    with duckdb.connect(example / ".local/demo.duckdb", read_only=True) as made:
        assert {table: made.sql(f"select * from {table} order by all").fetchall() for table in BUILT} == BUILT


@pytest.mark.parametrize(("duplicate", "code", "summary"), [(True, 2, BOTH), (False, 0, PASSED)])
def test_the_data_quality_summary(tree, in_shell, duplicate, code, summary):
    project = tree / "examples/simple_duckdb"
    (project / "project.yml").write_text(TESTS)
    if duplicate:
        twice = "create or replace table users as\nselect 1 as id, 'a@example.com' as email from range(2);\n"
        (project / "models/users.ff.sql").write_text(twice)
        assert in_shell("flowforge run examples/simple_duckdb --select users", tree).returncode == 0
    answer = in_shell("flowforge test examples/simple_duckdb --env dev --select batch", tree)
    assert answer.returncode == code
    assert without_times(answer.stdout) == without_times(summary)
    assert answer.stderr == ""
