"""DuckDB's SQL, as far as the core must know it."""

from __future__ import annotations

from flowforge_domain.dialect import Dialect

DUCKDB = Dialect(
    name="duckdb",
    types={
        "text": "varchar",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "date": "date",
        "timestamptz": "timestamp with time zone",
        "decimal": "decimal(38, 9)",
        "binary": "blob",
        "json": "json",
        "list": "bigint[]",
        "struct": "struct(a bigint, b varchar)",
    },
    # A timestamp without zone is taken as UTC: what a test says must not depend on the zone of the shell it runs in.
    age_minutes="(epoch(now()) - epoch({column})) / 60",
    schemas=True,
    default_schema="main",
    taken_schemas=frozenset({"temp", "system", "pg_catalog", "information_schema"}),
    shares_transactions=True,
    streams_windows=True,
)
