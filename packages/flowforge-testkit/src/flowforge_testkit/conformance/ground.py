"""What cases stand on: how they build, read and expect an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from flowforge_app.replace import keeping, replacing
from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.checks import Check, check_query
from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import RelationKind, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind, UnsupportedByEngineError
from flowforge_domain.late_views import Renewals
from flowforge_domain.materialize import (
    built_as,
    create_statement,
    drop_statement,
    prepare_statements,
    schema_statements,
)
from flowforge_domain.model import Node
from flowforge_domain.relation import same_relation
from flowforge_ports.engine import Engine, Frames, SeedLoader

Function = TypeVar("Function", bound=Callable[..., Any])


def needs(*capabilities: Capability) -> Callable[[Function], Function]:
    """Mark a case with abilities that a use case or port refuses, when it is asked and the engine declines them."""
    return pytest.mark.flowforge_needs(*(capability.name for capability in capabilities))


def claims(*capabilities: Capability) -> Callable[[Function], Function]:
    """Mark a case with what it takes on the engine's word, for nobody asks: guarantees, and statements on views."""
    return pytest.mark.flowforge_claims(*(capability.name for capability in capabilities))


def frames_of(engine: Engine) -> Frames:
    """Return the port for frames; an engine that declines Python models must not have one."""
    if engine.frames is None:
        raise UnsupportedByEngineError(engine.name, Capability.PYTHON_MODELS.value)
    return engine.frames


def seeds_of(engine: Engine) -> SeedLoader:
    """Return the port for seeds; an engine that declines every kind of seed must not have one."""
    if engine.seeds is None:
        raise UnsupportedByEngineError(engine.name, "seeds")
    return engine.seeds


def build(engine: Engine, relation: str, sql: str, kind: RelationKind = "table") -> int | None:
    """Build a relation as a run does: one transaction, whatever is in the way cleared inside it."""
    with transaction(engine):
        return build_inside(engine, relation, sql, kind)


def build_inside(engine: Engine, relation: str, sql: str, kind: RelationKind = "table") -> int | None:
    """Build a relation inside the open transaction."""
    file = "models/case.ff.sql"
    node = Node("case", "sql", Path(file), relation=relation, config=ModelConfig(materialized=kind), file=file)
    statement = create_statement(node, sql, engine.dialect)
    # A replacer looks for itself, and makes schemas too.
    standing = {} if engine.replacer else engine.catalog.relations()
    for made in schema_statements([relation], standing, engine.dialect):
        engine.session.execute(made)
    existing = kinds(standing)
    with (
        keeping(engine, relation, existing, Renewals()),
        replacing(engine, relation, kind, existing.get(same_relation(relation))) as into,
    ):
        return engine.session.execute(built_as(statement, into, engine.dialect))


def named(engine: Engine, relation: str) -> str:
    """Return a relation as SQL names it, as `ref()` does: a view that reads one may need its schema."""
    return quote_relation(relation, engine.dialect)


def clear(engine: Engine, relation: str, kind: RelationKind = "table") -> None:
    """Make the schema, and drop what must be gone before the relation can be created, as the use cases do."""
    standing = engine.catalog.relations()
    schema = schema_statements([relation], standing, engine.dialect)
    cleared = prepare_statements(relation, kind, kinds(standing).get(same_relation(relation)), engine.dialect)
    for statement in [*schema, *cleared]:
        engine.session.execute(statement)


def drop(engine: Engine, relation: str) -> None:
    """Drop a table or view if it is there."""
    if kind := existing(engine, relation):
        engine.session.execute(drop_statement(relation, kind, engine.dialect))


def existing(engine: Engine, relation: str) -> RelationKind | None:
    """Return what a relation is now, None when there is none."""
    return kinds(engine.catalog.relations()).get(same_relation(relation))


@contextmanager
def transaction(engine: Engine) -> Iterator[None]:
    """Commit what the block does, or none of it."""
    engine.session.begin()
    try:
        yield
    except BaseException:
        engine.session.rollback()
        raise
    engine.session.commit()


@contextmanager
def forked(engine: Engine) -> Iterator[Engine]:
    """Open a second session on the target for a block."""
    second = engine.fork()
    try:
        yield second
    finally:
        second.session.close()


@contextmanager
def fails(kind: ErrorKind) -> Iterator[None]:
    """Expect an `EngineError` of one kind, chained from the driver's own."""
    with pytest.raises(EngineError) as caught:
        yield
    assert caught.value.kind is kind, f"expected {kind}, got {caught.value.kind}: {caught.value}"


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    """Return what a query gives, in a stable order."""
    return sorted(engine.session.query(sql).rows, key=repr)


def count(engine: Engine, relation: str) -> int:
    """Return how many rows a relation holds, by the query the row-count check uses."""
    query = check_query(Check("row_count_between", relation), relation, engine.dialect)
    return int(engine.session.query(query).rows[0][0])
