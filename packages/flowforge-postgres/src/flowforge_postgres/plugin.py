"""Announces the engine; nothing here imports a driver."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl
from flowforge_postgres.dialect import POSTGRES

SPEC = EngineSpec(
    name="postgres",
    distribution="flowforge-postgres",
    dialect=POSTGRES,
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
    profile="flowforge_postgres.settings:PostgresProfile",
    open="flowforge_postgres.engine:open_engine",
    environment={"FF_PG_DSN": ("postgres", "dsn"), "FF_PG_SCHEMA": ("postgres", "db_schema")},
    example={"dsn": "{{ env_var('FF_PG_DSN') }}", "db_schema": "public"},
    jobs=4,
    schema=("postgres", "db_schema"),
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce PostgreSQL."""
    return [SPEC]
