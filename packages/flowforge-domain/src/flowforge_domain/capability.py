"""What an engine can do, declared before a connection is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import Dialect
from flowforge_domain.model import Node, Seed


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


@dataclass(frozen=True, slots=True)
class Need:
    """What an engine must be able to do to build a model or load a seed: for being `what`, and the way out.

    `settings` are those that make it so, the first one known tells where.
    """

    ability: Capability
    what: str
    instead: str
    settings: tuple[str, ...] = ()


def needs(thing: Node | Seed, dialect: Dialect) -> Iterator[Need]:
    """Yield what an engine of this dialect must be able to do to build a model, or to load a seed."""
    if isinstance(thing, Seed):
        yield _SEEDS[thing.kind]
        return
    if thing.kind == "python":
        yield Need(Capability.PYTHON_MODELS, "a Python model", "write it in SQL")
    match thing.config.materialized:
        case "view":
            yield Need(Capability.VIEWS, "a view", "make it a table", ("materialized",))
        case "snapshot":
            way = f"leave it out, as with --exclude {thing.name}"
            yield Need(Capability.ROW_CHANGES, "a snapshot", way, ("materialized",))
        case "incremental":
            yield from _of_growing(thing.config, dialect)


def _of_growing(config: ModelConfig, dialect: Dialect) -> Iterator[Need]:
    by, way = config.writes_by, "set materialized='table'"
    yield Need(Capability.INCREMENTAL, "incremental", way, ("materialized",))
    if by in ("merge", "delete+insert") or (by == "insert_overwrite" and not dialect.overwrites):
        settings = ("incremental_strategy", "unique_key", "materialized")
        yield Need(Capability.ROW_CHANGES, f"incremental by {by}", way, settings)


_SEEDS = {
    "csv": Need(Capability.CSV_SEEDS, "a CSV seed", "write it as a query, in a seed that ends with .sql"),
    "parquet": Need(Capability.PARQUET_SEEDS, "a Parquet seed", "save it as CSV"),
    "sql": Need(Capability.SQL_SEEDS, "a SQL seed", "make it a model"),
}
