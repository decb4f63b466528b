"""Spark's SQL, as far as the core must know it; what every table format can do, which is what parquet can."""

from __future__ import annotations

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
