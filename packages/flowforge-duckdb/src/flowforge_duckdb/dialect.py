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
    },
    # A timestamp without zone means the session's zone, as everywhere in DuckDB.
    age_minutes="(epoch(now()) - epoch({column}::timestamptz)) / 60",
    seconds_between="epoch({later} - {earlier})",
    schemas=True,
)
