"""Every path that users may import from, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest

PATHS = {
    "flowforge": ("Project", "__version__", "model", "ref", "relation_for", "source"),
    "flowforge.core": ("Node", "REGISTRY", "Registry", "model", "ref", "relation_for", "source"),
    "flowforge.dag": ("mermaid", "topo_sort"),
    "flowforge.docs": ("render_site",),
    "flowforge.errors": (
        "DependencyNotFoundError",
        "FlowForgeError",
        "ModelCycleError",
        "ModuleLoadError",
        "TestFailureError",
    ),
    "flowforge.executors.base": ("BaseExecutor",),
    "flowforge.executors.bigquery_bf_exec": ("BigQueryBFExecutor",),
    "flowforge.executors.bigquery_exec": ("BigQueryExecutor",),
    "flowforge.executors.duckdb_exec": ("DuckExecutor",),
    "flowforge.executors.snowflake_snowpark_exec": ("SnowflakeSnowparkExecutor",),
    "flowforge.seeding": ("seed_project",),
    "flowforge.settings": (
        "BigQueryProfile",
        "DuckDBProfile",
        "EnvSettings",
        "SnowflakeSnowparkProfile",
        "resolve_profile",
    ),
    "flowforge.streaming.file_tail": ("FileTailSource",),
    "flowforge.streaming.sessionizer": ("StreamSessionizer",),
    "flowforge.testing": (
        "TestFailure",
        "_exec",
        "_scalar",
        "freshness",
        "greater_equal",
        "non_negative_sum",
        "not_null",
        "row_count_between",
        "unique",
    ),
    "flowforge.validation": ("RequiredColumnsError", "validate_required_columns"),
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in PATHS for name in PATHS[module]])
def test_it_can_be_imported(module, name):
    assert getattr(import_module(module), name) is not None


@pytest.mark.parametrize("module", ["flowforge", "flowforge.settings"])
def test_what_is_not_there_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="nothing"):
        _ = import_module(module).nothing


def test_the_version_is_the_distributions():
    assert import_module("flowforge").__version__ == version("flowforge")


def test_every_error_is_public():
    from flowforge_domain import errors

    listed = import_module("flowforge.errors").__all__
    raised = [name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")]
    assert sorted(raised) == sorted(listed)


def test_importing_the_package_costs_nothing():
    code = "import sys; before = set(sys.modules); import flowforge; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert "flowforge" in loaded
    assert not {name for name in loaded if name.startswith("flowforge_")}


def test_the_marker_costs_no_engine_and_no_container():
    code = "import sys; from flowforge import model, source; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"duckdb", "pandas", "pydantic", "dependency_injector", "yaml", "jinja2"} & set(answer.stdout.split())
