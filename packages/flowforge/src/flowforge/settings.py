"""Profiles: the environment, how one is chosen, and each engine's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowforge_bootstrap.profiles import EnvSettings, choose_profile, profiles_file

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
    entries = plugins.open_project(Path(project_dir)).reader.profiles(env.variables)
    file = profiles_file(Path(project_dir))
    return choose_profile(entries, plugins, env.variables, env_name, file=file).settings


def __getattr__(name: str) -> Any:
    if name not in _ENGINES:
        raise AttributeError(f"module 'flowforge.settings' has no attribute {name!r}")
    from flowforge_bootstrap.plugins import load_plugins, resolve

    return resolve(load_plugins().engine(_ENGINES[name]).profile)
