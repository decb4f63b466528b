"""Make room for a relation's new content, or its new columns, the way its engine replaces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.late_views import Renewals
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


@contextmanager
def altering(engine: Engine, relation: str, columns: Collection[str]) -> Iterator[None]:
    """Let these columns of a relation be dropped, or be given other types, whatever uses them.

    Runs inside the open transaction. Raises `EngineError` of kind DEPENDENTS for what is in the way.
    """
    if engine.dependents is None or not columns:
        yield
        return
    with engine.dependents.altering(relation, columns):
        yield


@contextmanager
def renewing(engine: Engine, text: Callable[[str], str]) -> Iterator[None]:
    """Let views that do not fit what they stand on any more be made from `text` instead, for the block."""
    if engine.dependents is None:
        yield
        return
    with engine.dependents.renewing(text):
        yield


def keeping(
    engine: Engine, relation: str, existing: Mapping[str, RelationKind], renewals: Renewals
) -> AbstractContextManager[None]:
    """Let the block change a relation in whatever way, if the views that are bound late can be read as before.

    `existing` is what there is now. Runs inside the open transaction. Raises `EngineError` of kind DEPENDENTS for those
    that cannot.
    """
    stands = relation_key(relation, engine.dialect) in existing
    if engine.late_views is None or not stands or "view" not in existing.values():
        return nullcontext()
    return engine.late_views.keeping(relation, renewals)
