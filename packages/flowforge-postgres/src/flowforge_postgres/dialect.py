"""PostgreSQL's SQL, as far as the core must know it."""

from __future__ import annotations

from flowforge_domain.dialect import Dialect

POSTGRES = Dialect(
    name="postgres",
    types={
        "text": "text",
        "bigint": "bigint",
        "double": "double precision",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "date": "date",
        "timestamptz": "timestamp with time zone",
        "decimal": "numeric(38, 9)",
        "binary": "bytea",
        "json": "jsonb",
        "list": "bigint[]",
        "struct": "jsonb",
    },
    # A timestamp without zone is taken as UTC; the clock is the server's, and not the transaction's.
    age_minutes="((extract(epoch from clock_timestamp()) - extract(epoch from {column})) / 60)::double precision",
    replaces=frozenset(),
    longest_name=63,
    names_in_bytes=True,
    schemas=True,
    swaps=True,
)
