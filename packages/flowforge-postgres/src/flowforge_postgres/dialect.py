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
    },
    # A timestamp without zone means the session's zone; the clock is that of the server, and not the transaction's.
    age_minutes="(extract(epoch from clock_timestamp() - ({column})::timestamptz) / 60)::double precision",
    seconds_between="extract(epoch from ({later}) - ({earlier}))::double precision",
    replaces=frozenset(),
    longest_name=63,
    names_in_bytes=True,
    schemas=True,
    swaps=True,
)
