"""State rows: what was built, written into the target in the transaction of the data itself.

Rows are only appended; the last of a relation counts. `compact_state` removes what a later row made void.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from flowforge_domain.dialect import Dialect, known_name, quote_name, quote_relation, quote_text, relation_key
from flowforge_domain.plan import deletion, equal
from flowforge_domain.results import Rows
from flowforge_domain.swap import aside

STATE_TABLE = "_flowforge_state"
STATE_VERSION = 2
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class StateRow:
    """One build of a model, or one load of a seed.

    `data_version` is new with every build, and that of a seed is its content's; `fingerprint` is that of the `inputs`,
    "" where they do not prove anything; `identity` is what the catalog said of the relation at the end of the run, ""
    where the run did not come that far; `finished_at` is ISO 8601 in UTC; `rows` is how many the relation has then, -1
    if that is unknown.
    """

    model: str
    relation: str
    run_id: str
    data_version: str
    fingerprint: str
    rows: int
    finished_at: str
    version: int = STATE_VERSION
    project: str = ""
    inputs: str = ""
    identity: str = ""


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


def whole_state(dialect: Dialect) -> str:
    """Return the query of all rows with the columns that the table has, whoever made it."""
    return f"select * from {quote_name(STATE_TABLE, dialect)}"


def latest_rows(found: Rows, dialect: Dialect) -> dict[str, StateRow] | None:
    """Return what `whole_state` gave: by each relation's key in the catalog, what was last built there.

    None where the table has other columns than ours.
    """
    if tuple(known_name(name, dialect) for name in found.columns) != COLUMNS:
        return None
    rows = sorted((StateRow(*row) for row in found.rows), key=lambda row: row.finished_at)
    return {relation_key(row.relation, dialect): row for row in rows}


def identified(rows: Sequence[StateRow], run_id: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that put `rows` in the place of those that a run wrote model by model."""
    table, run, identity = (quote_name(name, dialect) for name in (STATE_TABLE, "run_id", "identity"))
    written = f"{run} = {quote_text(run_id, dialect)} and {identity} = ''"
    return (f"delete from {table} where {written}", *insert_states(rows, dialect))


def compact_state(dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that keep only the last row of each relation.

    That of a relation which its model no longer writes stays: it tells who made it.
    """
    table, relation, done = (quote_name(name, dialect) for name in (STATE_TABLE, "relation", "finished_at"))
    if dialect.deletes_by_merge:
        last = f"(select {relation}, max({done}) as {done} from {table} group by {relation})"
        void = f"{equal(('relation',), dialect)} and target.{done} < source.{done}"
        return (deletion(table, last, void, dialect),)
    return _without(
        f"exists (select 1 from {table} as later where later.{relation} = {table}.{relation} "
        f"and later.{done} > {table}.{done})",
        dialect,
    )


def forget_relations(relations: Sequence[str], dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that remove the rows of relations."""
    listed = ", ".join(quote_text(relation, dialect) for relation in relations)
    return _without(f"{quote_name('relation', dialect)} in ({listed})", dialect)


def _without(void: str, dialect: Dialect) -> tuple[str, ...]:
    """Return what removes rows; where none can be deleted, those to keep become a new table in the old one's place."""
    table, kept = quote_name(STATE_TABLE, dialect), quote_relation(aside(STATE_TABLE), dialect)
    if dialect.deletes:
        return (f"delete from {table} where {void}",)
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
