"""What a command loads: a question about a project costs no engine, and one about FlowForge costs nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

DRIVERS = {"duckdb", "psycopg", "sqlalchemy", "google.cloud.bigquery", "bigframes", "pyspark", "snowflake.connector"}
FRAMES = {"pandas", "numpy", "pyarrow"}
HEAVY = {*DRIVERS, *FRAMES, "jinja2", "sqlglot", "dependency_injector", "pydantic", "yaml"}
OURS = {"pluggy", "flowforge_bootstrap", "flowforge_project", "flowforge_duckdb"}
# typer 0.29 converts every option but flags with it, its own `--show-completion` among them.
TYPERS_OWN = {"pydantic"}
ENGINES = {*DRIVERS, *FRAMES, "dependency_injector", "sqlite3"}

LISTING = """
import sys
from flowforge.__main__ import main
sys.argv[1:] = {arguments!r}
try:
    code = main()
except SystemExit as end:  # typer's completion
    code = end.code or 0
print(code, *sys.modules, file=sys.stderr)
"""


@pytest.fixture
def loaded(environment):
    def run(*arguments, cwd=None, **variables):
        code = LISTING.format(arguments=list(arguments))
        answer = subprocess.run(
            [sys.executable, "-c", code],
            cwd=cwd,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        code, *modules = answer.stderr.splitlines()[-1].split()
        assert code == "0", answer.stderr
        return set(modules)

    return run


def test_the_version_needs_not_even_typer(loaded):
    assert not (HEAVY | {"typer", "flowforge_cli", "pluggy"}) & loaded("--version")


def test_help_needs_only_typer(loaded):
    assert not (HEAVY | OURS) & loaded("--help")


@pytest.mark.parametrize("arguments", [("run", "--help"), ("show", "-h"), ("--show-completion", "zsh")])
def test_help_of_a_command_and_completion_scripts(loaded, arguments):
    assert not ((HEAVY | OURS) - TYPERS_OWN) & loaded(*arguments)


def test_a_completion(loaded):
    asked = {"_FLOWFORGE_COMPLETE": "complete_bash", "COMP_WORDS": "flowforge ru", "COMP_CWORD": "1"}
    assert not ((HEAVY | OURS) - TYPERS_OWN) & loaded(**asked)


@pytest.mark.parametrize("cache", ["cold", "warm"])
def test_a_graph_opens_no_engine_and_no_container(loaded, tree, cache):
    project = tree / "examples/simple_duckdb"
    if cache == "cold":
        shutil.rmtree(project / ".flowforge")
    assert not ENGINES & loaded("dag", str(project))
    assert not ENGINES & loaded("dag", str(project), "--env", "dev")


def test_a_site_opens_no_engine_either(loaded, tree):
    assert not ENGINES & loaded("dag", str(tree / "examples/simple_duckdb"), "--html")


def test_sql_models_load_no_frame_library(loaded, tree):
    modules = loaded("run", str(tree / "examples/simple_duckdb"), "--select", "users")
    assert not {"pandas", "pyarrow", "numpy", "jinja2"} & modules


def test_no_command_that_only_reads_runs_user_code(tree, in_shell):
    """A model that would end the process if it were imported."""
    project = tree / "examples/simple_duckdb"
    (project / "models/trap.ff.py").write_text(
        "import os\nos._exit(77)\nfrom flowforge import model\n@model()\ndef trap():\n    return None\n"
    )
    for command in ("dag --html", "compile", "debug", "show users", "test", "run --select users", "seed"):
        answer = in_shell(f"flowforge {command}", project)
        assert answer.returncode == 0, answer.stdout + answer.stderr
