"""Two targets in one database, such as two profiles with a schema each: what one has built the other leaves alone.

A model's own `schema` is the same for both. Each has its state and its lock, so that neither would know of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from flowforge_app.kept_rows import built_elsewhere
from flowforge_app.target_state import ForeignStateError, TargetState, rows_of
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.model import Node, Seed
from flowforge_domain.relation import relation_name, relation_parts, same_relation
from flowforge_domain.state import STATE_TABLE, StateRow
from flowforge_ports.engine import Engine

# Who may not read the state there, or has lost it just now, may not replace what was built there either.
_UNKNOWN = {ErrorKind.PERMISSION, ErrorKind.MISSING_RELATION}


def known_elsewhere(engine: Engine, state: TargetState, relations: Iterable[str]) -> TargetState:
    """Return the state with what other targets say of those of `relations` that stand and were not built by this one.

    Where there are none, no query is made. Where a state table is not understood, it may tell of any of them.
    """
    dialect = engine.dialect
    strange = {
        _whole(key, dialect.default_schema): key
        for key in (relation_key(relation, dialect) for relation in relations)
        if key in state.entries and key not in state.rows
    }
    if not strange:
        return state
    unclear: dict[str, tuple[str, StateRow | None]] = {}
    found: dict[str, tuple[str, StateRow | None]] = {}
    for table in _other_states(state):
        schema = relation_parts(table)[0]
        try:
            rows = _rows(engine, table)
        except ForeignStateError:
            unclear = dict.fromkeys(strange.values(), (table, None))
            continue
        for row in rows:
            if key := strange.get(_whole(row.relation, schema)):
                found[key] = (table, row)
    return replace(state, elsewhere=unclear | found)


def require_ours(
    engine: Engine, state: TargetState, things: Iterable[Node | Seed]
) -> Mapping[str, tuple[str, StateRow | None]]:
    """Return what other targets may have built of these models and seeds, as in `TargetState.elsewhere`.

    Raises `ConfigError` naming all that they have built, with a fix, and the seeds that they may have built: a model is
    left alone by itself.
    """
    relations = {relation_key(thing.relation, engine.dialect): thing for thing in things}
    elsewhere = known_elsewhere(engine, state, relations).elsewhere
    known = [(thing, elsewhere[key]) for key, thing in relations.items() if key in elsewhere]
    found = [(thing, by) for thing, by in known if by[1] is not None or isinstance(thing, Seed)]
    if found:
        told = [(thing, built_elsewhere(thing.relation, *by, engine.dialect)) for thing, by in found]
        lines = [f"  {thing.where().path}: {one.why}" for thing, one in told]
        head = "Nothing was written, since runs on another schema build what this one would:"
        raise ConfigError("\n".join([head, *lines]), hint=told[0][1].hint)
    return elsewhere


def _other_states(state: TargetState) -> Iterator[str]:
    for key, entry in state.entries.items():
        parts = relation_parts(key)
        if len(parts) == 2 and parts[1] == STATE_TABLE:
            yield entry.spelled or key


def _rows(engine: Engine, table: str) -> Collection[StateRow]:
    try:
        return rows_of(engine, table).values()
    except EngineError as error:
        if error.kind in _UNKNOWN:
            return ()
        raise


def _whole(relation: str, schema: str) -> str:
    """Return the name of a relation with its schema, in the form in which two spellings are equal."""
    parts = relation_parts(relation)
    return same_relation(relation_name(*(parts if len(parts) > 1 else (schema, *parts))))
