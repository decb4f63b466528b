"""examples/databricks as a user runs it: each command in a process of its own, tables kept in a warehouse between.

Neither pandas nor what comes with it can be imported there, and one runs on the Java of a package from PyPI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
import spark_local

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/databricks"
OTHER = {"profiles.yml", "README.md", "Makefile", "models/users_enriched.ff.py", "models/mart_orders_enriched.ff.py"}
# `python -m flowforge` where they are not installed.
WITHOUT_PANDAS = """
import sys
sys.modules.update(dict.fromkeys(("pandas", "numpy", "pyarrow")))
from flowforge.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def flowforge(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".flowforge", ".local"))
    quick = spark_local.quick_commands()

    def run(*arguments, code=0, **environment):
        command = [sys.executable, "-c", WITHOUT_PANDAS, *arguments]
        environment = {**os.environ, "NO_COLOR": "1", **quick, **environment}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_only_profile_and_python_models_differ_from_the_simple_project():
    simple, ours = (contents(ROOT / "examples" / name) for name in ("simple_duckdb", "databricks"))
    assert {name for name in simple | ours if simple.get(name) != ours.get(name)} <= OTHER


def test_example_runs(flowforge, tmp_path):
    java = spark_local.packaged_java(tmp_path / "java")
    assert "failed: 0" in flowforge("build", "shop", JAVA_HOME=str(java))
    # Another Spark, on the machine's own Java, finds the tables, and the state beside them.
    assert "unchanged: 5" in flowforge("run", "shop")
    warehouse = tmp_path / "shop/.local/warehouse/shop.db"
    assert "c@gmail.com" in pyarrow.parquet.read_table(warehouse / "mart_users")["email"].to_pylist()
    assert {path.name for path in warehouse.iterdir()} == {
        "_flowforge_state",
        "mart_orders_enriched",
        "mart_users",
        "orders",
        "seed_orders",
        "seed_users",
        "users",
        "users_enriched",
    }


def test_missing_java_is_one_line_with_a_fix(flowforge, tmp_path):
    said = flowforge("run", "shop", code=1, JAVA_HOME=str(tmp_path))
    assert "Spark needs Java 17 or newer" in said
    assert "JAVA_HOME" in said


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".") and "__pycache__" not in path.parts
    }
