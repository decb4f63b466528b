"""The views on what is changed: DuckDB binds them when they are read, and a change breaks them unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from flowforge_domain.dialect import quote_relation
from flowforge_domain.late_views import Renewals, follow, possible_readers
from flowforge_domain.relation import relation_name
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated
from flowforge_duckdb.statements import run_out

_VIEWS = """
select schema_name, view_name, sql from duckdb_views() where not internal and database_name = current_database()
"""
# What a macro reads stands in no view that calls it.
_MACROS = """
select '()', function_name, macro_definition from duckdb_functions()
where not internal and database_name = current_database() and macro_definition is not null
"""


@dataclass(frozen=True)
class DuckDBLateViews:
    """The views on what one session changes."""

    connection: duckdb.DuckDBPyConnection

    @contextmanager
    def keeping(self, relation: str, renewals: Renewals) -> Iterator[None]:
        with self.connection.cursor() as committed:
            was = _shape(committed, relation)
            yield
            # As a rule the rows alone are others, which no view is broken by.
            if was is None or _shape(self.connection, relation) != was:
                self._require_kept(relation, renewals, committed)

    def _require_kept(self, relation: str, renewals: Renewals, committed: duckdb.DuckDBPyConnection) -> None:
        views = self._readers(relation)

        def broken() -> dict[str, str]:
            found = {view: _fault(self.connection, _as_view(view)) for view in views}
            return {view: why for view, why in found.items() if why and not _fault(committed, _as_view(view))}

        follow(relation, broken, lambda _, statement: self._make(statement), renewals, DUCKDB)

    def _readers(self, relation: str) -> list[str]:
        views, macros = (_definitions(_rows(self.connection, query)) for query in (_VIEWS, _MACROS))
        return [name for name in possible_readers(relation, views | macros) if name in views]

    def _make(self, statement: str) -> str:
        if why := _fault(self.connection, statement):
            return why
        run_out(self.connection, statement)
        return ""


def _shape(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[Any, ...] | None:
    """Return all that a view can tell of a relation, None where there is none that can be read."""
    try:
        found = connection.table(quote_relation(relation, DUCKDB))
        return found.type, found.columns, found.types
    except duckdb.Error:
        return None


def _fault(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """Return why a statement cannot be bound, "" where it can; asked in any other way, that ends a transaction."""
    [(plan,)] = _rows(connection, "select json_serialize_plan(?)", statement)
    said = json.loads(plan)
    return said["error_message"].splitlines()[0] if said["error"] else ""


def _as_view(relation: str) -> str:
    """Return a statement that can be bound if a relation can be read: of a query, not each scan can be serialized."""
    return f"create or replace temporary view flowforge_bound as select * from {quote_relation(relation, DUCKDB)}"


def _definitions(rows: list[tuple[Any, ...]]) -> dict[str, str]:
    return {relation_name(schema, name): text for schema, name, text in rows}


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> list[tuple[Any, ...]]:
    with translated():
        return connection.execute(query, values).fetchall()
