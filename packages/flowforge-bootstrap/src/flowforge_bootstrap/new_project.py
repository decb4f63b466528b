"""Starts a project: the project format writes its files, the engine says what its profile needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from flowforge_bootstrap.artifacts import unwritable
from flowforge_bootstrap.plugins import SHIPPED_ENGINES, Plugins, load_plugins, resolve
from flowforge_domain.capability import Capability
from flowforge_ports.engine import EngineSpec


def create_project(root: Path, engine: str | None = None) -> list[str]:
    """Write a small project into `root` and return its files, relative to it.

    Raises `ConfigError` when a file is in the way, `PluginError` for an engine that is not installed.
    """
    plugins = load_plugins()
    spec = plugins.engine(engine or _default_engine(plugins))
    try:
        written: list[str] = resolve(plugins.project().create)(root, *_profile(spec, plugins))
    except OSError as error:
        raise unwritable(root, error) from error
    return written


def _profile(spec: EngineSpec, plugins: Plugins) -> tuple[str, Mapping[str, Any]]:
    """Return the engine of a profile, and the settings below it; a variant is a setting of another engine."""
    found = plugins.handing_over(spec.name)
    if found is None:
        return spec.name, spec.example
    base, (_, *keys), value = found
    return base.name, {**base.example, **reduce(lambda inner, key: {key: inner}, reversed(keys), value)}


def lacking_seeds(engine: str | None = None) -> str:
    """Return the engine of a new project where it cannot load the project's seeds, which are CSV files; else ""."""
    plugins = load_plugins()
    spec = plugins.engine(engine or _default_engine(plugins))
    return "" if Capability.CSV_SEEDS in spec.capabilities else spec.name


def _default_engine(plugins: Plugins) -> str:
    """Return the first engine of ours that is installed, else any, else the one to install."""
    return next((name for name in (*SHIPPED_ENGINES, *sorted(plugins.engines)) if name in plugins.engines), "duckdb")
