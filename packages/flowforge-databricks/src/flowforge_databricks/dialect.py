"""Spark's SQL, as far as the core must know it: a dialect for each table format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flowforge_domain.capability import Capability
from flowforge_domain.dialect import Dialect

# Hive's metastore and Spark's own catalog take plain names for tables; Hive's, none that is longer.
_TABLE_NAMES = r"[A-Za-z0-9_]{1,128}"

SPARK = Dialect(
    name="databricks_spark",
    types={
        "text": "string",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp_ntz",
        "date": "date",
        "timestamptz": "timestamp",
        "decimal": "decimal(38, 9)",
        "binary": "binary",
    },
    # A timestamp without zone is taken in the zone of the session, which is UTC.
    age_minutes="(unix_micros(current_timestamp()) - unix_micros(cast({column} as timestamp))) / 60000000",
    quote="`",
    replaces=frozenset({"view"}),
    schemas=True,
    swaps=True,
    backslash_escapes=True,
    table_names=_TABLE_NAMES,
    deletes=False,
    gathers_state=True,
)
"""Of plain files, parquet: nothing replaces a table where it stands, and no row of one is deleted."""

_LAKE = replace(SPARK, replaces=frozenset({"table", "view"}), swaps=False, deletes=True)
"""Of a table format with a log of its own."""

_ABILITIES = frozenset(
    {
        Capability.VIEWS,
        Capability.PYTHON_MODELS,
        Capability.CSV_SEEDS,
        Capability.PARQUET_SEEDS,
        Capability.SQL_SEEDS,
    }
)


@dataclass(frozen=True, slots=True)
class TableFormat:
    """What a table format knows and promises; `conf` is what a session needs for it, beside its jars."""

    dialect: Dialect
    capabilities: frozenset[Capability]
    conf: Mapping[str, str]


FORMATS: Mapping[str, TableFormat] = {
    "parquet": TableFormat(SPARK, _ABILITIES, {"spark.sql.sources.default": "parquet"}),
    "delta": TableFormat(_LAKE, _ABILITIES | {Capability.ATOMIC_REPLACE}, {"spark.sql.sources.default": "delta"}),
    "iceberg": TableFormat(_LAKE, _ABILITIES | {Capability.ATOMIC_REPLACE}, {"spark.sql.sources.default": "iceberg"}),
}
