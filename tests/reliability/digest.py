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
_HASHES = {"duckdb": "sum(hash(t)::hugeint)::varchar", "postgres": "sum(hashtextextended(t::text, 0)::numeric)::text"}
_COLUMNS = (
    "select table_name, string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) "
    "from information_schema.columns where table_schema in ('main', 'public') group by table_name"
)


@dataclass(frozen=True)
class Digest:
    """A table's schema, its number of rows, and the sum of their hashes."""

    columns: str
    rows: int
    content: str


def table_digests(query: Query, engine: str, tables: Iterable[str]) -> dict[str, Digest]:
    """Return the digests of tables, by name, asked for by two statements."""
    columns = table_columns(query)
    asked = (f"select '{table}', count(*), {_HASHES[engine]} from {table} t" for table in tables)
    found = query(" union all ".join(asked))
    return {table: Digest(columns[table], rows, content or "") for table, rows, content in sorted(found)}


def table_columns(query: Query) -> dict[str, str]:
    """Return the names and types of the columns of every table and view, by its name."""
    return dict(query(_COLUMNS))
