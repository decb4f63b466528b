"""The SQL of sqlite, and what the engine can do."""

from __future__ import annotations

from flowforge_domain.capability import Capability
from flowforge_domain.dialect import VOLATILE, Dialect

# Functions of time mean now where they are given nothing.
_VOLATILE = VOLATILE | {
    "randomblob()", "last_insert_rowid()", "changes()", "total_changes()", "date()", "time()", "datetime()",
    "julianday()", "unixepoch()", "strftime()", "timediff()", "load_extension()", "sqlite_*()",
}  # fmt: skip
# Quoted with backticks: sqlite reads a double-quoted name that no column bears as a text literal, so that a check of
# a missing column would hold (https://www.sqlite.org/quirks.html#dblquote).
DIALECT = Dialect(
    name="sqlite",
    version="select sqlite_version()",
    types={
        "text": "text",
        "bigint": "bigint",
        "double": "double",
        "boolean": "boolean",
        "timestamp": "timestamp",
        "binary": "blob",
    },
    age_minutes="(julianday('now') - julianday({column})) * 1440",
    quote="`",
    replaces=frozenset(),
    default_schema="main",
    shares_transactions=True,
    streams_windows=True,
    merges=False,
    # A column takes the values of each type: there is nothing to do.
    retype="select 1",
    retype_empty="select 1",
    moment="{text}",
    volatile=_VOLATILE,
)

CAPABILITIES = frozenset(Capability) - {Capability.PARQUET_SEEDS}
