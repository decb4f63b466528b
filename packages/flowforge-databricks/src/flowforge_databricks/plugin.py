"""Announces the engine, once for each table format; nothing here imports Spark."""

from __future__ import annotations

from dataclasses import replace

from flowforge_databricks.dialect import SPARK, SPARK_COMMITS
from flowforge_domain.capability import Capability
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl

SPEC = EngineSpec(
    name="databricks_spark",
    distribution="flowforge-databricks",
    dialect=SPARK,
    # Every statement is kept when it ends; between a table's drop and the rename of its successor there is none.
    capabilities=frozenset(
        {
            Capability.VIEWS,
            Capability.PYTHON_MODELS,
            Capability.INCREMENTAL,
            Capability.CSV_SEEDS,
            Capability.PARQUET_SEEDS,
            Capability.SQL_SEEDS,
        }
    ),
    profile="flowforge_databricks.settings:DatabricksSparkProfile",
    open="flowforge_databricks.engine:open_engine",
    environment={
        "FF_SPARK_MASTER": ("databricks_spark", "master"),
        "FF_SPARK_REMOTE": ("databricks_spark", "remote"),
        "FF_SPARK_DATABASE": ("databricks_spark", "database"),
        "FF_SPARK_WAREHOUSE": ("databricks_spark", "warehouse"),
        "FF_SPARK_FORMAT": ("databricks_spark", "format"),
    },
    example={"warehouse": ".local/warehouse", "database": "analytics"},
    unproved="Databricks and clusters; the tests run on Spark of this machine",
    variants={
        ("databricks_spark", "format"): {"delta": "databricks_spark+delta", "iceberg": "databricks_spark+iceberg"}
    },
    schema=("databricks_spark", "database"),
)
DELTA, ICEBERG = (
    replace(
        SPEC,
        name=f"databricks_spark+{name}",
        dialect=SPARK_COMMITS,
        capabilities=SPEC.capabilities | {Capability.ATOMIC_REPLACE, Capability.ROW_CHANGES},
        unproved=unproved,
        variants={},
    )
    for name, unproved in (("delta", "anything: no statement was run on Delta"), ("iceberg", SPEC.unproved))
)
SPECS = {"parquet": SPEC, "delta": DELTA, "iceberg": ICEBERG}


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce Spark with tables of each format."""
    return list(SPECS.values())
