"""What an engine can do, declared before a connection is opened."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from flowforge_domain.dialect import Dialect
from flowforge_domain.model import Node


class Capability(Enum):
    """One word for each thing that tells engines apart.

    An *ability* is asked for: a use case that needs it raises `UnsupportedByEngineError` before it touches anything.
    A *guarantee* is only declared: `flowforge debug` shows it and the conformance suite proves it, but no use case
    asks, since the same statements run without it, only less safely.
    """

    # Guarantees.
    ATOMIC_REPLACE = "atomic replace of a table"
    TRANSACTIONAL_STATE = "state rows in the transaction of the data"
    TRANSACTIONAL_SEEDS = "all seeds of a command in one transaction"
    CONCURRENT_SESSIONS = "a second session on the same target"
    # Abilities.
    VIEWS = "views"
    PYTHON_MODELS = "Python models"
    INCREMENTAL = "incremental models"
    ROW_CHANGES = "changing rows of a table: merge, delete+insert, insert_overwrite, snapshots"
    CSV_SEEDS = "CSV seeds"
    PARQUET_SEEDS = "Parquet seeds"
    SQL_SEEDS = "SQL seeds"
    STREAMS = "stream offsets in the transaction of the data"


GUARANTEES = frozenset(
    {
        Capability.ATOMIC_REPLACE,
        Capability.TRANSACTIONAL_STATE,
        Capability.TRANSACTIONAL_SEEDS,
        Capability.CONCURRENT_SESSIONS,
    }
)
"""The capabilities that are only declared; the rest are abilities."""


def needed_abilities(node: Node, dialect: Dialect) -> list[Capability]:
    """Return what an engine of this dialect must be able to do to build a model."""
    return list(_needed(node, dialect))


def _needed(node: Node, dialect: Dialect) -> Iterator[Capability]:
    if node.kind == "python":
        yield Capability.PYTHON_MODELS
    match node.config.materialized:
        case "view":
            yield Capability.VIEWS
        case "snapshot":
            yield Capability.ROW_CHANGES
        case "incremental":
            yield Capability.INCREMENTAL
            by_rows = (
                ("merge", "delete+insert") if dialect.overwrites else ("merge", "delete+insert", "insert_overwrite")
            )
            if node.config.writes_by in by_rows:
                yield Capability.ROW_CHANGES
