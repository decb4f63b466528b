"""Make room for a relation's new content, the way its engine replaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flowforge_domain.dialect import RelationKind
from flowforge_domain.materialize import prepare_statements
from flowforge_ports.engine import Engine


@contextmanager
def replacing(engine: Engine, relation: str, kind: RelationKind, existing: RelationKind | None) -> Iterator[str]:
    """Give the name under which the relation is to be built; after the block it stands under its own.

    `existing` is what it is now. Runs inside the open transaction.
    """
    if engine.replacer is not None:
        with engine.replacer.replacing(relation, kind) as into:
            yield into
        return
    for statement in prepare_statements(relation, kind, existing, engine.dialect):
        engine.session.execute(statement)
    yield relation
