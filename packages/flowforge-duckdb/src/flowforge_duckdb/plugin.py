"""Announces the engine; nothing here imports DuckDB."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_duckdb.dialect import DUCKDB
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl

SPEC = EngineSpec(
    name="duckdb",
    distribution="flowforge-duckdb",
    dialect=DUCKDB,
    capabilities=frozenset(
        {
            Capability.ATOMIC_REPLACE,
            Capability.TRANSACTIONAL_STATE,
            Capability.TRANSACTIONAL_SEEDS,
            Capability.VIEWS,
            Capability.PYTHON_MODELS,
            Capability.INCREMENTAL,
            Capability.ROW_CHANGES,
            Capability.CSV_SEEDS,
            Capability.PARQUET_SEEDS,
            Capability.SQL_SEEDS,
            Capability.CONCURRENT_SESSIONS,
            Capability.STREAMS,
        }
    ),
    profile="flowforge_duckdb.settings:DuckDBProfile",
    open="flowforge_duckdb.engine:open_engine",
    environment={"FF_DUCKDB_PATH": ("duckdb", "path")},
    example={"path": ".local/data.duckdb"},
    jobs=4,
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce DuckDB."""
    return [SPEC]
