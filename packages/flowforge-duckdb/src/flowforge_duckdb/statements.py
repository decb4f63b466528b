"""Statements that are run for what they do: each to its end, and no column called otherwise than in its query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import duckdb

from flowforge_domain.ddl import made_by
from flowforge_domain.dialect import quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, scan_relation
from flowforge_domain.text import place_of
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated

_BATCH = 2048
_NUMBERED = re.compile(r"(.*)_\d+", re.DOTALL).fullmatch
# Where no two columns can have one name: each ends with another word, and nothing brings columns that no word tells of.
_ENDS = re.compile(
    r'("[^"]*"|\w+|\W)\s*'
    r"(?=,|;|$|\b(?:from|where|group|having|qualify|window|order|limit|offset|using|union|except|intersect)\b)",
    re.IGNORECASE,
).findall
_UNTOLD = re.compile(
    r"\*(?!\))|--|#|(?<!:):(?!:)|\b(?:unnest|columns|pivot)\b|(?:\b(?:select|distinct)|,)\s*\(|(?:^|[()])\s*from\b",
    re.IGNORECASE,
).search
_ALTERS = re.compile(r"\s*alter\s+table\s+", re.IGNORECASE)
_HINT = "Give one of them another by `as`; where it comes of a `*`, list the columns instead."


def run_out(connection: duckdb.DuckDBPyConnection, sql: str) -> int | None:
    """Run a statement and return the rows it wrote, None for one that writes none.

    Raises `EngineError`, also where two columns of a table or view that it makes have one name: DuckDB would call the
    second `name_1`, which no other engine does.
    """
    with _naming_indexes(connection, sql), translated(sql):
        result = connection.execute(sql)
        columns = columns_of(result)
        rows = result.fetchmany(_BATCH) if columns else []
        # What writes rows answers with one row, their count; a view or other DDL with none.
        written = rows[0][0] if rows and columns == ("Count",) else None
        # To its last row, but few at a time: a query is worked out only as far as its rows are taken.
        while rows:
            rows = result.fetchmany(_BATCH)
        if (made := made_by(sql, DUCKDB)) and _may_repeat(made[1]):
            _require_own_names(connection, *made, sql)
    return written


def columns_of(result: duckdb.DuckDBPyConnection | None) -> tuple[str, ...]:
    """Return the names of a result's columns; a statement of comments alone has no result."""
    return tuple(column[0] for column in (result.description if result is not None else None) or ())


@contextmanager
def _naming_indexes(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[None]:
    """Name the indexes of a table that cannot be altered because of them.

    They cannot be taken away for the change either: DuckDB refuses it also in the transaction that dropped them.
    """
    try:
        yield
    except EngineError as error:
        altered = _ALTERS.match(sql)
        if altered and error.kind is ErrorKind.DEPENDENTS:
            *schema, table = scan_relation(sql, altered.end())[0]
            where = f"schema_name = {quote_text(schema[-1], DUCKDB) if schema else 'current_schema()'}"
            query = f"select schema_name, index_name from duckdb_indexes() where {where} and table_name = "
            # On a cursor of its own: this transaction takes no more statements.
            found = connection.cursor().execute(f"{query}{quote_text(table, DUCKDB)} order by all").fetchall()
            if found:
                drops = "; ".join(f"drop index {quote_relation(relation_name(*index), DUCKDB)}" for index in found)
                error.message += f"\nIndex of {table}: {', '.join(name for _, name in found)}."
                error.hint = (
                    f"Drop it for this run: {drops}\nA post_hook of `create index if not exists` makes it again."
                )
        raise


def _may_repeat(query: str) -> bool:
    """Tell whether two columns may have one name, by the words alone: to look at the table takes ten times as long."""
    return bool(_UNTOLD(query)) or _repeated(end.strip('"') for end in _ENDS(query)) != ""


def _require_own_names(connection: duckdb.DuckDBPyConnection, relation: str, query: str, sql: str) -> None:
    """Raise `EngineError` for a name that DuckDB made `name_1` of in what `sql` has just created."""
    # By SQL: `table()` of DuckDB 1.5 knows no view by a quoted name.
    columns = connection.sql(f"from {quote_relation(relation, DUCKDB)}").columns
    # Only here the query is looked at once more: that costs several times what a look at the table does.
    if _are_numbered({name.casefold() for name in columns}):
        # What follows `as` may be no query after all, as in a default of a hook's `create table`.
        with suppress(duckdb.ParserException):
            described = connection.execute(f"describe {query}").fetchall()
            if twice := _repeated(name for name, *_ in described):
                line, column = _place(twice, sql)
                message = f"Two columns of the query have the name {twice!r}"
                raise EngineError(message, kind=ErrorKind.SYNTAX, line=line, column=column, hint=_HINT)


def _are_numbered(names: set[str]) -> bool:
    """Tell whether a name may be that of a column beside it with a number of DuckDB's."""
    return any(numbered[1] in names for numbered in map(_NUMBERED, names) if numbered)


def _repeated(names: Iterable[str]) -> str:
    """Return the first name that stands twice, in whatever case, "" where each is one column's own."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return ""


def _place(name: str, sql: str) -> tuple[int, int]:
    """Return line and column of where `as` gives the name last, zeros unless it is given so twice."""
    given = [*re.finditer(rf'\bas\s+"?({re.escape(name)})\b', sql, re.IGNORECASE)]
    if len(given) < 2:
        return 0, 0
    return place_of(sql, given[-1].start(1))
