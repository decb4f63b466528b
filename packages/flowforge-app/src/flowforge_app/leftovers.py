"""What a run that died left in the target: helpers of models, where an engine does not undo all of a build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from flowforge_domain.capability import Capability
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.manifest import Manifest
from flowforge_domain.materialize import drop_statement, rename_statement
from flowforge_domain.relation import relation_name
from flowforge_domain.state import STATE_TABLE
from flowforge_domain.swap import aside
from flowforge_ports.engine import Engine

_HELPER = "_flowforge_"


def leftover_statements(engine: Engine, manifest: Manifest, existing: Mapping[str, RelationKind]) -> tuple[str, ...]:
    """Return what clears such helpers away from what exists.

    Only names that FlowForge gives to helpers of this project's own relations are touched. One that was to take the
    place of a relation that is gone already takes it now, where it can be renamed: it is the only copy.
    """
    if not any(_HELPER in name for name in existing if name != STATE_TABLE):
        return ()
    statements, key = [], partial(relation_key, dialect=engine.dialect)
    for helper, place in _helpers(manifest):
        kind = existing.get(key(helper))
        if kind is None:
            continue
        undone = Capability.TRANSACTIONAL_STATE in engine.capabilities
        if place and key(place) not in existing and kind in engine.dialect.renames and not undone:
            statements.append(rename_statement(helper, place, kind, engine.dialect))
        else:
            statements.append(drop_statement(helper, kind, engine.dialect))
    return tuple(statements)


def _helpers(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the name of each helper that there may be, and of the relation whose place it takes, "" for none."""
    yield aside(STATE_TABLE), STATE_TABLE
    relations = [node.relation for node in manifest.nodes.values()]
    for relation in (*relations, *(seed.relation for seed in manifest.seeds.values())):
        yield aside(relation), relation
    for name in manifest.nodes:
        staged = aside(relation_name(name), "new")
        yield aside(staged, "changes"), ""
        yield staged, ""
