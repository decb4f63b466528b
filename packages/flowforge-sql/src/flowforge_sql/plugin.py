"""Announces the SQL analysis; nothing here imports sqlglot."""

from __future__ import annotations

from flowforge_ports.hooks import hookimpl
from flowforge_ports.sql import SqlSpec


@hookimpl
def flowforge_sql() -> list[SqlSpec]:
    """Announce the analysis by sqlglot."""
    return [SqlSpec(name="sqlglot", open="flowforge_sql.analysis:open_analysis")]
