"""Announces the engine; nothing here imports a driver."""

from __future__ import annotations

from flowforge_bigquery.dialect import BIGQUERY
from flowforge_domain.capability import Capability
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl

SPEC = EngineSpec(
    name="bigquery",
    distribution="flowforge-bigquery",
    dialect=BIGQUERY,
    # BigQuery has no transaction that a `create table` could be part of: each statement is committed by itself.
    capabilities=frozenset(
        {
            Capability.ATOMIC_REPLACE,
            Capability.VIEWS,
            Capability.PYTHON_MODELS,
            Capability.INCREMENTAL,
            Capability.ROW_CHANGES,
            Capability.CSV_SEEDS,
            Capability.PARQUET_SEEDS,
            Capability.SQL_SEEDS,
            Capability.CONCURRENT_SESSIONS,
        }
    ),
    profile="flowforge_bigquery.settings:BigQueryProfile",
    open="flowforge_bigquery.engine:open_engine",
    environment={
        "FF_BQ_PROJECT": ("bigquery", "project"),
        "FF_BQ_DATASET": ("bigquery", "dataset"),
        "FF_BQ_LOCATION": ("bigquery", "location"),
        "FF_BQ_USE_BIGFRAMES": ("bigquery", "use_bigframes"),
        "FF_BQ_KEYFILE": ("bigquery", "keyfile"),
        "FF_BQ_TOKEN": ("bigquery", "token"),
        "FF_BQ_ENDPOINT": ("bigquery", "endpoint"),
        "FF_BQ_STORAGE_ENDPOINT": ("bigquery", "storage_endpoint"),
        "FF_BQ_ANONYMOUS": ("bigquery", "anonymous"),
        "FF_BQ_RETRY_DEADLINE": ("bigquery", "retry_deadline"),
    },
    example={"project": "{{ env_var('FF_BQ_PROJECT') }}", "dataset": "analytics", "location": "EU"},
    jobs=4,
    unproved="an account of Google's; the tests run against an emulator",
    variants={("bigquery", "use_bigframes"): {True: "bigquery+bigframes"}},
    schema=("bigquery", "dataset"),
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce BigQuery."""
    return [SPEC]
