"""State rows: what was built, written into the target in the transaction of the data itself.

Rows are only appended; the last of a model counts. `compact_state` removes what a later row made void.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from flowforge_domain.dialect import Dialect, quote_name, quote_relation, quote_text
from flowforge_domain.swap import aside

STATE_TABLE = "_flowforge_state"
STATE_VERSION = 1
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class StateRow:
    """One build: `data_version` is new with every build, `finished_at` is ISO 8601 in UTC, `rows` -1 if unknown."""

    model: str
    relation: str
    run_id: str
    data_version: str
    fingerprint: str
    rows: int
    finished_at: str
    version: int = STATE_VERSION


COLUMNS = tuple(StateRow.__dataclass_fields__)


def create_state(dialect: Dialect) -> str:
    """Return the statement that makes the state table where there is none."""
    types = dict.fromkeys(COLUMNS, dialect.types["text"]) | dict.fromkeys(("rows", "version"), dialect.types["bigint"])
    columns = ", ".join(f"{quote_name(name, dialect)} {kind}" for name, kind in types.items())
    return f"create table if not exists {quote_name(STATE_TABLE, dialect)} ({columns})"


def insert_state(row: StateRow, dialect: Dialect) -> str:
    """Return the statement that appends one row."""
    return _insert([row], dialect)


def insert_states(rows: Sequence[StateRow], dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that append rows, some hundreds by each."""
    parts = (rows[start : start + _MOST_ROWS] for start in range(0, len(rows), _MOST_ROWS))
    return tuple(_insert(part, dialect) for part in parts)


def select_state(dialect: Dialect) -> str:
    """Return the query of all rows, oldest first."""
    columns = ", ".join(quote_name(name, dialect) for name in COLUMNS)
    return f"select {columns} from {quote_name(STATE_TABLE, dialect)} order by {quote_name('finished_at', dialect)}"


def has_version(data_version: str, dialect: Dialect) -> str:
    """Return the query that gives a row if the build of this version was committed."""
    table, column = quote_name(STATE_TABLE, dialect), quote_name("data_version", dialect)
    return f"select 1 from {table} where {column} = {quote_text(data_version, dialect)}"


def compact_state(dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that keep only the last row of each model.

    Where no rows can be deleted, the rows to keep become a new table that takes the old one's place.
    """
    table, model, finished = (quote_name(n, dialect) for n in (STATE_TABLE, "model", "finished_at"))
    void = (
        f"exists (select 1 from {table} as later "
        f"where later.{model} = {table}.{model} and later.{finished} > {table}.{finished})"
    )
    if dialect.deletes:
        return (f"delete from {table} where {void}",)
    kept = quote_relation(aside(STATE_TABLE), dialect)
    return (
        f"drop table if exists {kept}",
        f"create table {kept} as select * from {table} where not {void}",
        f"drop table {table}",
        f"alter table {kept} rename to {table}",
    )


def _insert(rows: Sequence[StateRow], dialect: Dialect) -> str:
    values = ", ".join(f"({', '.join(_literal(value, dialect) for value in astuple(row))})" for row in rows)
    return f"insert into {quote_name(STATE_TABLE, dialect)} values {values}"


def _literal(value: str | int, dialect: Dialect) -> str:
    return quote_text(value, dialect) if isinstance(value, str) else str(value)
