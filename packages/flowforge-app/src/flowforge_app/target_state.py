"""What a target says of itself when a command begins: what stands, and what was built there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from flowforge_app.transaction import run_together
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, count_rows, relation_key
from flowforge_domain.errors import EngineError
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest
from flowforge_domain.materialize import schema_statements
from flowforge_domain.state import (
    COLUMNS,
    DOUBTED,
    STATE_TABLE,
    ForeignRowError,
    StateRow,
    compact_state,
    create_state,
    doubted,
    forget_relations,
    insert_identities,
    insert_states,
    latest_rows,
    state_rows,
    whole_state,
)
from flowforge_ports.engine import Engine


class ForeignStateError(EngineError):
    """A state table, or a row of one, that this version of FlowForge did not write."""


@dataclass(frozen=True)
class TargetState:
    """What a catalog and the state rows say, by each relation's key.

    `entries` are the catalog's; `rows` the last state row of each relation; `miscounts` what counting has found, and
    `uncounted` what it leaves out; `elsewhere` is what other targets of the database have built, each with the state
    table that tells it, or None instead of a row where nobody can read that table (`other_targets.py`).
    """

    entries: Mapping[str, CatalogEntry] = field(default_factory=dict)
    rows: Mapping[str, StateRow] = field(default_factory=dict)
    miscounts: Mapping[str, str] = field(default_factory=dict)
    uncounted: Set[str] = frozenset()
    elsewhere: Mapping[str, tuple[str, StateRow | None]] = field(default_factory=dict)

    def is_another(self, key: str) -> bool:
        """Tell whether what stands is not known to be what was built: replaced, or altered."""
        row, entry = self.rows.get(key), self.entries.get(key)
        return bool(row and entry and row.identity and entry.identity and row.identity != entry.identity)

    def fault(self, key: str) -> str:
        """Say why the relation is not what its state row tells of, "" where nothing speaks against it."""
        row, entry = self.rows.get(key), self.entries.get(key)
        if row is None:
            return "it was not built yet"
        if entry is None:
            return f"{row.relation} is not there any more"
        if row.is_doubted:
            writer = row.identity.removeprefix(DOUBTED) or "others"
            return f"{writer} may have written to {row.relation} since it was built"
        if self.is_another(key):
            return f"{row.relation} was replaced by something else"
        if entry.rows is not None and entry.rows != row.rows >= 0:
            return f"{row.relation} has {entry.rows} rows, and was built with {row.rows}"
        return self.miscounts.get(key, "")


@contextmanager
def held(engine: Engine, claim: Claim) -> Iterator[None]:
    """Hold a target's lock for a `with` block, in which state rows tell of what others may have written to.

    Raises `EngineError` as the lock does, and as `read_target`.
    """
    with engine.lock.hold(claim):
        if engine.seal:
            if engine.seal.broken():
                _write_doubts(engine)
            engine.seal.lift()
        yield


def read_target(engine: Engine) -> TargetState:
    """Return what a target says, by one query of its catalog and one of its state rows.

    Where others have written to it, no row of a table proves more than that something was built.
    Raises `ForeignStateError` for a state table, or a row in it, that this version of FlowForge did not write.
    """
    entries = engine.catalog.relations()
    if STATE_TABLE not in entries:
        return TargetState(entries)
    latest = rows_of(engine)
    if engine.seal and engine.seal.broken():
        # Of a view, the catalog tells all.
        tables = {key for key, entry in entries.items() if entry.kind == "table"}
        latest = {key: doubted(row) if key in tables else row for key, row in latest.items()}
    return TargetState(entries, latest)


def rows_of(engine: Engine, table: str = STATE_TABLE) -> dict[str, StateRow]:
    """Return what the state table `table` tells, by each relation's key; raise as `read_target` does."""
    found = engine.session.query(whole_state(engine.dialect, table))
    try:
        rows = state_rows(found, engine.dialect)
    except ForeignRowError as error:
        raise ForeignStateError(
            f"The table {table!r} in {engine.target} cannot be read. {error}",
            hint="Use the version that wrote it, or delete the row: it only tells what FlowForge built last.",
        ) from error
    if rows is None:
        raise _foreign_state(table, found.columns, engine.target)
    return latest_rows(rows, engine.dialect)


def counted(engine: Engine, state: TargetState, project: str) -> TargetState:
    """Return the same with the rows of a project's tables counted, by one query for each whose count is known.

    What keeps its rows from build to build is not counted: another build would mend nothing, and may bring rows twice.
    """
    miscounts, uncounted = {}, set()
    for key, row in state.rows.items():
        entry = state.entries.get(key)
        if entry is None or entry.kind != "table" or row.project != project:
            continue
        if row.keeps_rows:
            uncounted.add(key)
            continue
        if row.rows < 0:
            miscounts[key] = f"nobody counted the rows of {row.relation} when it was built"
            continue
        [(rows,)] = engine.session.query(count_rows(row.relation, engine.dialect)).rows
        if rows != row.rows:
            miscounts[key] = f"{row.relation} has {rows} rows, and was built with {row.rows}"
    return replace(state, miscounts=miscounts, uncounted=uncounted)


def recognized(
    state: TargetState, manifest: Manifest, run_id: str, dialect: Dialect
) -> tuple[TargetState, tuple[str, ...]]:
    """Return the state with what the catalog says of models whose run did not come to tell it, and what notes that.

    What stands in the place of such a one is taken for what was built, where nothing speaks against it: from then on
    it is seen when something else takes that place.
    """
    untold = {key for key, row in state.rows.items() if not row.identity and key in state.entries}
    ours = {relation_key(node.relation, dialect) for node in manifest.nodes.values()} if untold else set()
    known = [key for key in untold & ours if not state.fault(key)]
    found = {key: replace(state.rows[key], identity=state.entries[key].identity) for key in known}
    if not dialect.deletes or not any(row.identity for row in found.values()):
        return state, ()
    rows = {**state.rows, **found}
    return replace(state, rows=rows), insert_identities(rows.values(), run_id, dialect)


def preparation(engine: Engine, state: TargetState, relations: Iterable[str]) -> tuple[str, ...]:
    """Return what makes the schemas of `relations` and the state table; to be run before models build side by side."""
    statements = schema_statements(relations, state.entries, engine.dialect)
    if STATE_TABLE not in state.entries:
        statements += (create_state(engine.dialect),)
    return statements


def closing(engine: Engine, run_id: str, rows: Sequence[StateRow], state: TargetState) -> tuple[str, ...]:
    """Return what adds to the state rows of a run what now stands, and removes those that later ones made void.

    Where a run does not come that far, its rows are there without what the catalog says. `state` is what the run found:
    no row is void where there was no table yet, nor, where no row tells what the catalog says, if none was of what now
    stands.
    """
    if not rows:
        return ()
    built = {relation_key(row.relation, engine.dialect): row for row in rows}
    if not engine.dialect.deletes:
        return () if state.rows.keys().isdisjoint(built) else compact_state(run_id, engine.dialect)
    told = () if engine.dialect.identity else _identities(engine, run_id, built, state)
    return (*told, *(compact_state(run_id, engine.dialect) if STATE_TABLE in state.entries else ()))


def _identities(engine: Engine, run_id: str, built: Mapping[str, StateRow], state: TargetState) -> tuple[str, ...]:
    # Not asked again where it told no identity of all that stood: many catalogs list their schemas one by one.
    blind = bool(state.entries) and not any(entry.identity for entry in state.entries.values())
    known = {} if blind else engine.catalog.relations()
    now = {key: replace(row, identity=known[key].identity) for key, row in built.items() if key in known}
    return insert_identities((dict(state.rows) | now).values(), run_id, engine.dialect)


def _write_doubts(engine: Engine) -> None:
    rows = list(read_target(engine).rows.values())
    if rows:
        forgotten = forget_relations([row.relation for row in rows], engine.dialect)
        run_together((*forgotten, *insert_states(rows, engine.dialect)), engine.session)


def _foreign_state(table: str, columns: Sequence[str], target: str) -> ForeignStateError:
    return ForeignStateError(
        f"The table {table!r} in {target} was not written by this version of FlowForge.\n"
        f"  It has the columns {', '.join(columns)}\n  instead of {', '.join(COLUMNS)}.",
        hint="Use the version that wrote it, or drop the table: it only tells what FlowForge built last.",
    )
