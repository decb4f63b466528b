"""Profiles: the environment, how one is chosen, and each engine's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowforge_bootstrap.profiles import EnvSettings, choose_profile

__all__ = ["EnvSettings", "resolve_profile"]

_ENGINES = {
    "BigQueryProfile": "bigquery",
    "DatabricksSparkProfile": "databricks_spark",
    "DuckDBProfile": "duckdb",
    "PostgresProfile": "postgres",
    "SnowflakeSnowparkProfile": "snowflake_snowpark",
}


def resolve_profile(project_dir: Path | str, env_name: str | None, env: EnvSettings) -> Any:
    """Return the validated profile `env_name` of a project; raise `ProfileError` naming the known ones."""
    from flowforge_bootstrap.plugins import load_plugins

    plugins = load_plugins()
    reader = plugins.open_project(Path(project_dir)).reader
    return choose_profile(reader.profiles(env.variables), plugins, env.variables, env_name).settings


def __getattr__(name: str) -> Any:
    if name not in _ENGINES:
        raise AttributeError(f"module 'flowforge.settings' has no attribute {name!r}")
    from flowforge_bootstrap.plugins import load_plugins, resolve

    return resolve(load_plugins().engine(_ENGINES[name]).profile)
