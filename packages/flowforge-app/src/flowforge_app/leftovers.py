"""What a run that died left in the target: helpers of models, where an engine does not undo all of a build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Helper:
    """A relation that a run which died may have left; `place` is the relation whose place it takes, "" for none.

    `model` is whose it is, "" for the state table's.
    """

    relation: str
    model: str
    place: str = ""


def leftover_statements(engine: Engine, manifest: Manifest, existing: Mapping[str, RelationKind]) -> tuple[str, ...]:
    """Return what clears such helpers away from what exists.

    Only names that FlowForge gives to helpers of this project's own relations are touched. One that was to take the
    place of a relation that is gone already takes it now, where it can be renamed: it is the only copy.
    """
    return tuple(
        rename_statement(helper.relation, helper.place, kind, engine.dialect)
        if helper.place
        else drop_statement(helper.relation, kind, engine.dialect)
        for helper, kind in left_helpers(engine, manifest, existing)
    )


def left_helpers(
    engine: Engine, manifest: Manifest, existing: Mapping[str, RelationKind]
) -> Iterator[tuple[Helper, RelationKind]]:
    """Yield the helpers of this project's own relations that exist, with their kinds.

    Only those have a place that are to take it now.
    """
    if not any(_HELPER in name for name in existing if name != STATE_TABLE):
        return
    key, undone = partial(relation_key, dialect=engine.dialect), Capability.TRANSACTIONAL_STATE in engine.capabilities
    for helper in project_helpers(manifest):
        if kind := existing.get(key(helper.relation)):
            is_needed = helper.place and key(helper.place) not in existing
            takes_it = is_needed and kind in engine.dialect.renames and not undone
            yield (helper if takes_it else replace(helper, place="")), kind


def project_helpers(manifest: Manifest) -> Iterator[Helper]:
    """Yield the helpers that there may be of what the project has now, and of the state table."""
    yield Helper(aside(STATE_TABLE), "", STATE_TABLE)
    for node in manifest.nodes.values():
        yield from helpers_of(node.name, node.relation)
    for seed in manifest.seeds.values():
        yield from helpers_of(seed.name, seed.relation)


def helpers_of(model: str, relation: str) -> Iterator[Helper]:
    """Yield the helpers that there may be of a model or seed."""
    staged = aside(relation_name(model), "new")
    yield Helper(aside(relation), model, relation)
    yield Helper(aside(staged, "changes"), model)
    yield Helper(staged, model)
