"""The hooks a plugin may implement: each announces specs, none does work.

A plugin is a module named in the entry-point group `flowforge`:

    [project.entry-points.flowforge]
    duckdb = "flowforge_duckdb.plugin"
"""

from __future__ import annotations

import pluggy

from flowforge_ports.docs import SiteSpec
from flowforge_ports.engine import EngineSpec
from flowforge_ports.materialization import MaterializationSpec
from flowforge_ports.project import ProjectSpec
from flowforge_ports.sql import SqlSpec

PROJECT = "flowforge"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def flowforge_engines() -> list[EngineSpec]:  # type: ignore[empty-body]
    """Announce engines."""


@hookspec
def flowforge_materializations() -> list[MaterializationSpec]:  # type: ignore[empty-body]
    """Announce ways to materialize a model."""


@hookspec
def flowforge_projects() -> list[ProjectSpec]:  # type: ignore[empty-body]
    """Announce project formats."""


@hookspec
def flowforge_sites() -> list[SiteSpec]:  # type: ignore[empty-body]
    """Announce documentation sites."""


@hookspec
def flowforge_sql() -> list[SqlSpec]:  # type: ignore[empty-body]
    """Announce ways to analyse SQL."""
