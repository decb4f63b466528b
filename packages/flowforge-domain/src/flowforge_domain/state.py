"""State rows: what was built, written into the target in the transaction of the data itself.

Rows are only appended; the last of a model counts. `compact_state` removes what a later row made void.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from flowforge_domain.dialect import Dialect, quote_name, quote_text

STATE_TABLE = "_flowforge_state"
STATE_VERSION = 1


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
    values = ", ".join(quote_text(v, dialect) if isinstance(v, str) else str(v) for v in astuple(row))
    return f"insert into {quote_name(STATE_TABLE, dialect)} values ({values})"


def select_state(dialect: Dialect) -> str:
    """Return the query of all rows, oldest first."""
    columns = ", ".join(quote_name(name, dialect) for name in COLUMNS)
    return f"select {columns} from {quote_name(STATE_TABLE, dialect)} order by {quote_name('finished_at', dialect)}"


def compact_state(dialect: Dialect) -> str:
    """Return the statement that keeps only the last row of each model."""
    table, model, finished = (quote_name(n, dialect) for n in (STATE_TABLE, "model", "finished_at"))
    return (
        f"delete from {table} where exists (select 1 from {table} as later "
        f"where later.{model} = {table}.{model} and later.{finished} > {table}.{finished})"
    )
