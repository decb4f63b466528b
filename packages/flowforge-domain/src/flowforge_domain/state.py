"""State rows: what was built, written into the target in the transaction of the data itself.

Rows are only appended; the last of a relation counts. `compact_state` removes what a later run made void. What no
statement asks for is one column of JSON: on DuckDB a column of a row costs 50 microseconds. What the catalog says of
the relations is known when a run ends, and told of all by one row, where no expression gives it (`Dialect.identity`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from typing import Any
from uuid import uuid4

from flowforge_domain.dialect import Dialect, known_name, quote_name, quote_relation, quote_text, relation_key
from flowforge_domain.fingerprint import version_by
from flowforge_domain.plan import deletion
from flowforge_domain.results import Rows
from flowforge_domain.swap import aside

STATE_TABLE = "_flowforge_state"
STATE_VERSION = 4
COLUMNS = ("relation", "run_id", "state")
_MOST_ROWS, _MOST_IDENTITIES = 500, 4000
# In the place of a relation, where a row tells the identities of many: a relation of this name is written "*".
_MANY = "*"
DOUBTED = "?"
"""The identity of what others may have written to since it was built: no catalog says this of anything.

Where it was a hook, its title follows.
"""
_PARTS = {
    "model": str, "data_version": str, "fingerprint": str, "rows": int, "finished_at": str, "version": int,
    "project": str, "inputs": dict, "identity": str,
}  # fmt: skip
_KINDS = tuple(_PARTS.values())
_parts = attrgetter(*_PARTS)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class StateRow:
    """One build of a model, or one load of a seed.

    `data_version` is new with every build, and that of a seed is its content's; `fingerprint` is that of the `inputs`
    (`Inputs.to_data`), or of a seed's content, "" where they do not prove anything; `identity` is what the catalog said
    of the relation as it was built, or at the end of its run, "" where that did not come so far;
    `finished_at` is ISO 8601 in UTC; `rows` is how many the relation has then, -1 if that is unknown.
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
    inputs: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""

    @property
    def keeps_rows(self) -> bool:
        """Whether rows of earlier builds are among those of this one."""
        return bool(self.inputs.get("definition"))

    @property
    def is_doubted(self) -> bool:
        """Whether others, or a hook, may have written to what was built."""
        return self.identity.startswith(DOUBTED)


class ForeignRowError(ValueError):
    """A row of the state table that this version of FlowForge cannot read: of which relation and run, and why."""

    def __init__(self, relation: Any, run_id: Any, why: str) -> None:
        super().__init__(f"The row of {relation!r} by the run {run_id!r} {why}.")


def create_state(dialect: Dialect) -> str:
    """Return the statement that makes the state table where there is none."""
    columns = ", ".join(f"{quote_name(name, dialect)} {dialect.types['text']}" for name in COLUMNS)
    return f"create table if not exists {quote_name(STATE_TABLE, dialect)} ({columns})"


def insert_states(rows: Sequence[StateRow], dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that append rows, some hundreds by each."""
    parts = (rows[start : start + _MOST_ROWS] for start in range(0, len(rows), _MOST_ROWS))
    return tuple(_insert_values((_values(row, dialect) for row in part), dialect) for part in parts)


def has_row(row: StateRow, dialect: Dialect) -> str:
    """Return the query that gives a row if this one was committed."""
    relation, state = (quote_name(name, dialect) for name in ("relation", "state"))
    name, version = _literals((row.relation, f"%{row.data_version}%"), dialect)
    return f"select 1 from {quote_name(STATE_TABLE, dialect)} where {relation} = {name} and {state} like {version}"


def whole_state(dialect: Dialect, table: str = STATE_TABLE) -> str:
    """Return the query of all rows of a state table, with the columns that it has, whoever made it."""
    return f"select * from {quote_relation(table, dialect)}"


def state_rows(found: Rows, dialect: Dialect) -> list[StateRow] | None:
    """Return the rows that `whole_state` gave, oldest first; None where the table is not ours.

    Raises `ForeignRowError` for a row that this version did not write.
    """
    if tuple(known_name(name, dialect) for name in found.columns) != COLUMNS:
        return None
    read = [(one, run_id, _decoded(one, run_id, state)) for one, run_id, state in found.rows]
    many = [told.items() for relation, _, told in read if relation == _MANY]
    known = dict(chain.from_iterable(many))
    rows = [_row(relation, run_id, told, known) for relation, run_id, told in read if relation != _MANY]
    return sorted(rows, key=attrgetter("finished_at"))


def _decoded(relation: Any, run_id: Any, state: Any) -> dict[str, Any]:
    with suppress(ValueError, TypeError):
        told = json.loads(state)
        if isinstance(told, dict) and isinstance(relation, str) and isinstance(run_id, str):
            return told
    raise ForeignRowError(relation, run_id, "is not written as this version of FlowForge writes it")


def _row(relation: str, run_id: str, told: dict[str, Any], known: Mapping[str, Any]) -> StateRow:
    """Return a row of what it tells, where each part is as it should be."""
    version = told.get("version")
    if isinstance(version, int) and version > STATE_VERSION:
        raise ForeignRowError(relation, run_id, f"was written by a newer FlowForge, in version {version} of its form")
    with suppress(TypeError, KeyError):
        row = StateRow(relation=relation, run_id=run_id, **{"identity": known.get(told["data_version"], "")} | told)
        if all(type(part) is kind for part, kind in zip(_parts(row), _KINDS, strict=True)):
            return row
    raise ForeignRowError(relation, run_id, "is not written as this version of FlowForge writes it")


def latest_rows(rows: Sequence[StateRow], dialect: Dialect) -> dict[str, StateRow]:
    """Return of rows, given oldest first, by each relation's key in the catalog what was last built there."""
    return {relation_key(row.relation, dialect): row for row in rows}


def doubted(row: StateRow) -> StateRow:
    """Return a row of what others may have written to: that of a model proves nothing more, a seed's are other data."""
    return replace(row, identity=DOUBTED) if row.inputs else replace(row, data_version=uuid4().hex)


def hooked(row: StateRow, hook: str, identity: str = "") -> StateRow:
    """Return a row of what a hook of this title may have written to; `identity` is what the catalog says of it then.

    What a model makes anew with each build is not that any more. All else is other data: to load or build it again
    would not take back what a hook does.
    """
    if row.inputs and not row.keeps_rows:
        return replace(row, identity=f"{DOUBTED}{hook}")
    return rewritten(row, hook, identity)


def rewritten(row: StateRow, hook: str, identity: str = "") -> StateRow:
    """Return the row of a relation whose data now is what a hook left there: nobody counted its rows."""
    return replace(row, data_version=version_by(hook, row.data_version), rows=-1, identity=identity)


def removed_and_inserted(rows: Sequence[StateRow], dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that put rows in the place of those that stand of the same relations."""
    if not rows:
        return ()
    return (*forget_relations([row.relation for row in rows], dialect), *insert_states(rows, dialect))


def insert_identities(rows: Iterable[StateRow], run_id: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements by which a run tells the identities of all rows that count, not only of its own."""
    known = [(row.data_version, row.identity) for row in rows if row.identity]
    parts = (known[start : start + _MOST_IDENTITIES] for start in range(0, len(known), _MOST_IDENTITIES))
    told = ((_MANY, run_id, _encode(dict(part))) for part in parts)
    return tuple(_insert_values([_literals(row, dialect)], dialect) for row in told)


def compact_state(run_id: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that remove the rows of relations which the run `run_id` has written anew.

    That of a relation which its model no longer writes stays: it tells who made it.
    """
    table, relation, run = (quote_name(name, dialect) for name in (STATE_TABLE, "relation", "run_id"))
    ours, other = (f"{run} {sign} {quote_text(run_id, dialect)}" for sign in ("=", "<>"))
    if dialect.deletes_by_merge:
        written = f"(select distinct {relation} from {table} where {ours})"
        return (deletion(table, written, f"target.{relation} = source.{relation} and target.{other}", dialect),)
    return _without(f"{other} and {relation} in (select {relation} from {table} where {ours})", dialect)


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
        f"create table {kept} as select * from {table} where not ({void})",
        f"drop table {table}",
        f"alter table {kept} rename to {table}",
    )


def _insert_values(rows: Iterable[Sequence[str]], dialect: Dialect) -> str:
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"insert into {quote_name(STATE_TABLE, dialect)} values {values}"


def _literals(row: Iterable[str], dialect: Dialect) -> list[str]:
    return [quote_text(value, dialect) for value in row]


def _values(row: StateRow, dialect: Dialect) -> list[str]:
    state = {
        "model": row.model,
        "data_version": row.data_version,
        "fingerprint": row.fingerprint,
        "rows": row.rows,
        "finished_at": row.finished_at,
        "version": row.version,
        "project": row.project,
        "inputs": row.inputs,
    }
    if row.identity or not dialect.identity:
        told = _encode(state | {"identity": row.identity} if row.identity else state)
        return _literals((row.relation, row.run_id, told), dialect)
    relation, run_id, told = _literals((row.relation, row.run_id, _encode(state)[:-1]), dialect)
    identity = dialect.identity.format(relation=quote_text(quote_relation(row.relation, dialect), dialect))
    return [relation, run_id, f"""{told} || ',"identity":"' || coalesce({identity}, '') || '"}}'"""]
