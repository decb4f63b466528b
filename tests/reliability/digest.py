"""What a table holds, whatever the order of its rows, as a few characters; and what its columns are.

    digests = table_digests(query, "duckdb", ["users", "orders"])

`query` runs one statement and returns its rows. Two tables with equal digests hold the same rows, as often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Query = Callable[[str], list[tuple[Any, ...]]]

# The sum of the rows' hashes counts a row that is there twice twice, which their exclusive or would not.
_CONTENT = {
    "duckdb": "select count(*), coalesce(sum(hash(t)::hugeint), 0)::varchar from (select * from {table}) t",
    "postgres": "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from {table} t",
}
_COLUMNS = (
    "select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) "
    "from information_schema.columns where table_name = '{table}' and table_schema in ('main', 'public')"
)


@dataclass(frozen=True)
class Digest:
    """A table's schema, its number of rows, and the sum of their hashes."""

    columns: str
    rows: int
    content: str


def table_digest(query: Query, engine: str, table: str) -> Digest:
    """Return the digest of one table."""
    ((rows, content),) = query(_CONTENT[engine].format(table=table))
    ((columns,),) = query(_COLUMNS.format(table=table))
    return Digest(columns, rows, content)


def table_digests(query: Query, engine: str, tables: Iterable[str]) -> dict[str, Digest]:
    """Return the digests of several tables, by name."""
    return {table: table_digest(query, engine, table) for table in tables}
