"""The frames of the reference engine: column names and a list of dicts, no library."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.materialize import prepare_statements
from flowforge_domain.relation import same_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Catalog, Session
from flowforge_testkit.sqlite.dialect import DIALECT
from flowforge_testkit.sqlite.errors import translated


@dataclass(frozen=True)
class Frame:
    """A table in memory; `columns` are kept apart from `rows`, so that an empty frame still has them."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]] = field(default_factory=list)


class Connected(Session, Protocol):
    """A session that shows its connection to its neighbours in this package."""

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the driver's connection."""


@dataclass(frozen=True)
class SqliteFrames:
    """Reads and writes `Frame`."""

    session: Connected
    catalog: Catalog

    def read(self, relation: str) -> Frame:
        """Return a relation with values as its declared types say."""
        kinds = [kind for _, kind in self.catalog.columns(relation)]
        found = self.session.query(f"select * from {quote_relation(relation, DIALECT)}")
        readers = [_READERS.get(kind, _as_is) for kind in kinds]
        rows = [tuple(read(v) for read, v in zip(readers, row, strict=True)) for row in found.rows]
        return self.from_rows(Rows(found.columns, rows))

    def write(self, relation: str, frame: Frame) -> int:
        """Replace the table, inside the open transaction if there is one."""
        rows = self.to_rows(_checked(frame))
        kinds = [_kind(name, [row[i] for row in rows.rows]) for i, name in enumerate(rows.columns)]
        values = (tuple(stored(v) for v in row) for row in rows.rows)
        return replace_table(self.session, self.catalog, relation, dict(zip(rows.columns, kinds, strict=True)), values)

    def columns(self, frame: Frame) -> Sequence[str]:
        """Return the frame's columns."""
        return _checked(frame).columns

    def from_rows(self, rows: Rows) -> Frame:
        """Return rows as dicts."""
        return Frame(rows.columns, [dict(zip(rows.columns, row, strict=True)) for row in rows.rows])

    def to_rows(self, frame: Frame) -> Rows:
        """Return rows as tuples, NULL for what a dict leaves out."""
        return Rows(frame.columns, [tuple(row.get(name) for name in frame.columns) for row in frame.rows])


def replace_table(
    session: Connected, catalog: Catalog, relation: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> int:
    """Give the table `relation` these columns and rows, all or nothing, and return how many rows."""
    existing = kinds(catalog.relations()).get(same_relation(relation))
    table = quote_relation(relation, DIALECT)
    declared = ", ".join(f"{quote_name(name, DIALECT)} {kind}" for name, kind in columns.items())
    with _all_or_nothing(session):
        for statement in prepare_statements(relation, "table", existing, DIALECT):
            session.execute(statement)
        session.execute(f"create table {table} ({declared})")
        with translated():
            places = ", ".join("?" * len(columns))
            return session.connection.executemany(f"insert into {table} values ({places})", rows).rowcount


@contextmanager
def _all_or_nothing(session: Session) -> Iterator[None]:
    session.execute("savepoint replacing")
    try:
        yield
    except BaseException:
        session.execute("rollback to replacing")
        raise
    finally:
        session.execute("release replacing")


def _checked(frame: Any) -> Frame:
    if not isinstance(frame, Frame):
        raise _refused(f"The model returned {type(frame).__name__}, not a Frame.")
    if not frame.columns:
        raise _refused("The frame has no columns.")
    folded = [name.casefold() for name in frame.columns]
    if twice := sorted({name for name in frame.columns if folded.count(name.casefold()) > 1}):
        raise _refused(f"The frame has columns whose names differ by case only: {', '.join(twice)}.")
    if unknown := sorted({str(name) for row in frame.rows for name in row.keys() - set(frame.columns)}):
        raise _refused(f"Rows hold values for columns the frame does not have: {', '.join(unknown)}.")
    return frame


def _kind(name: str, values: Sequence[Any]) -> str:
    """Return the one type that holds all of a column's values, none where it has none: sqlite can do without."""
    found = {type(v) for v in values if v is not None}
    if found == {int, float}:
        return "double"
    if len(found) > 1 or not found <= _KINDS.keys():
        listed = ", ".join(sorted(t.__name__ for t in found))
        raise _refused(f"Column {name!r} holds {listed}, which no one type of sqlite is for.")
    return _KINDS[found.pop()] if found else ""


def stored(value: Any) -> Any:
    """Return a value as sqlite keeps it: times as text."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def _as_is(value: Any) -> Any:
    return value


def _reader(convert: Callable[[Any], Any], given: type) -> Callable[[Any], Any]:
    return lambda value: convert(value) if isinstance(value, given) else value


def _refused(message: str) -> EngineError:
    return EngineError(message, kind=ErrorKind.DATA, hint="Return Frame(columns, rows) with rows as dicts.")


_KINDS: Mapping[type, str] = {
    str: "text",
    int: "bigint",
    float: "double",
    bool: "boolean",
    bytes: "blob",
    date: "date",
    datetime: "timestamp",
}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "boolean": _reader(bool, int),
    "date": _reader(date.fromisoformat, str),
    "timestamp": _reader(datetime.fromisoformat, str),
}
