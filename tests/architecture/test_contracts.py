"""The import contracts leave nobody out: every package stands in them, and every third-party import has its homes."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINTER = CONFIG["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in LINTER["contracts"]}
PACKAGES = {folder.name.replace("-", "_"): folder for folder in (ROOT / "packages").iterdir() if folder.is_dir()}

ADAPTERS = {
    "flowforge_bigframes",
    "flowforge_bigquery",
    "flowforge_databricks",
    "flowforge_docs_html",
    "flowforge_duckdb",
    "flowforge_postgres",
    "flowforge_project",
    "flowforge_snowflake",
    "flowforge_sql",
    "flowforge_stream_file",
}
HOMES = {
    "bigframes": {"flowforge_bigframes"},
    "dependency_injector": {"flowforge_bootstrap"},
    "dotenv": {"flowforge_bootstrap"},
    "duckdb": {"flowforge_duckdb"},
    "filelock": {"flowforge_databricks", "flowforge_duckdb"},
    "google": {"flowforge_bigframes", "flowforge_bigquery"},
    "grpc": {"flowforge_bigquery", "flowforge_databricks"},
    "jinja2": {"flowforge_project", "flowforge_docs_html"},
    "markupsafe": {"flowforge_project", "flowforge_docs_html"},
    "numpy": {"flowforge_bigframes", "flowforge_bigquery", "flowforge_duckdb", "flowforge_postgres"},
    "pandas": {"flowforge_bigframes", "flowforge_bigquery", "flowforge_duckdb", "flowforge_postgres"},
    "pluggy": {"flowforge_ports", "flowforge_bootstrap"},
    "py4j": {"flowforge_databricks"},
    "pyarrow": {
        "flowforge_bigframes",
        "flowforge_bigquery",
        "flowforge_duckdb",
        "flowforge_postgres",
        "flowforge_snowflake",
    },
    "psycopg": {"flowforge_postgres"},
    "pydantic": {
        "flowforge_project",
        "flowforge_bigframes",
        "flowforge_bigquery",
        "flowforge_bootstrap",
        "flowforge_databricks",
        "flowforge_duckdb",
        "flowforge_postgres",
        "flowforge_snowflake",
        "flowforge_testkit",
    },
    "pydantic_core": {
        "flowforge_project",
        "flowforge_bigframes",
        "flowforge_bigquery",
        "flowforge_bootstrap",
        "flowforge_databricks",
        "flowforge_duckdb",
        "flowforge_postgres",
        "flowforge_snowflake",
        "flowforge_testkit",
    },
    "pyspark": {"flowforge_databricks"},
    "pytest": {"flowforge_testkit"},
    "requests": {"flowforge_bigquery"},
    "rich": {"flowforge_cli"},
    "snowflake": {"flowforge_snowflake"},
    "sqlalchemy": {"flowforge_postgres"},
    "typer": {"flowforge_cli"},
    "sqlglot": {"flowforge_sql"},
    "yaml": {"flowforge_project"},
}


def test_every_package_is_a_root_of_the_contracts():
    assert sorted(LINTER["root_packages"]) == sorted(PACKAGES)


def test_every_package_has_a_layer():
    layers = [name.strip() for layer in CONTRACTS["layers"]["layers"] for name in layer.split("|")]
    assert sorted(layers) == sorted(PACKAGES)


def test_every_package_holds_one_import_package_of_its_name():
    for name, folder in PACKAGES.items():
        assert [p.name for p in (folder / "src").iterdir() if p.is_dir()] == [name]


def test_adapters_are_those_that_announce_themselves():
    announced = {name for name, folder in PACKAGES.items() if "flowforge" in entry_points(folder)}
    assert announced - {"flowforge_testkit"} == ADAPTERS - {"flowforge_stream_file"}, "a stream is opened by its class"
    assert set(CONTRACTS["no-adapters"]["forbidden_modules"]) == ADAPTERS


@pytest.mark.parametrize("library", HOMES)
def test_library_is_forbidden_everywhere_but_at_home(library):
    forbidding = [c for c in CONTRACTS.values() if library in c.get("forbidden_modules", ())]
    assert {m for c in forbidding for m in c["source_modules"]} == set(PACKAGES) - HOMES[library]


def test_no_contract_names_a_module_that_is_not_there():
    known = set(PACKAGES) | set(HOMES)
    named = {m for c in CONTRACTS.values() for key in ("source_modules", "forbidden_modules") for m in c.get(key, ())}
    assert named <= known


def test_no_contract_ignores_an_import():
    assert [c["id"] for c in CONTRACTS.values() if c.get("ignore_imports")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_third_party_import_has_a_home(package):
    ours_or_python = set(PACKAGES) | set(sys.stdlib_module_names)
    strangers = {m for m in imported(PACKAGES[package]) if m not in ours_or_python and package not in HOMES.get(m, ())}
    assert strangers == set()


def test_domain_needs_the_standard_library_alone():
    assert imported(PACKAGES["flowforge_domain"]) - set(sys.stdlib_module_names) <= {"flowforge_domain"}


def test_linter_sees_a_planted_import(tmp_path):
    """The same contract type, on a tree where the lower layer reaches up, must break."""
    for name, source in {"low": "import high", "high": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["low", "high"]\n'
        '[[tool.importlinter.contracts]]\nname = "n"\ntype = "layers"\nlayers = ["high", "low"]\n'
    )
    linter = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as c; c()"
    answer = subprocess.run([sys.executable, "-c", linter], cwd=tmp_path, capture_output=True, text=True)
    assert (answer.returncode, "low is not allowed to import high" in answer.stdout) == (1, True), answer


def entry_points(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("entry-points", {})


def imported(folder: Path) -> set[str]:
    """Return the top-level modules that a package's source names, wherever the import stands."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (folder / "src").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    dotted = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level}
    return {name.partition(".")[0] for name in plain | dotted}
