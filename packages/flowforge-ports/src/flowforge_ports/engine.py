"""What an engine is to FlowForge: a session, a catalog, and where it has them frames, seeds and a lock.

An adapter fulfils these protocols; the core calls nothing else. Everything an adapter raises is a
`flowforge_domain.errors.EngineError`, chained from the driver's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, RelationKind
from flowforge_domain.holder import Claim
from flowforge_domain.model import Seed
from flowforge_domain.results import Rows
from flowforge_ports.dependents import Dependents, LateViews
from flowforge_ports.seal import Seal
from flowforge_ports.sources import SourceVersions

Frame = Any

API_VERSION = 1
"""The version of these ports: a higher one is for plugins that need a word which older ports do not have."""


class Session(Protocol):
    """One connection; statements run in the order they are given."""

    def execute(self, sql: str) -> int | None:
        """Run one statement and return the rows it wrote, None when the engine does not say."""

    def query(self, sql: str) -> Rows:
        """Run one query and return its whole, small result, as plain Python values (docs/reference/plugins.md)."""

    def begin(self) -> None:
        """Open a transaction."""

    def commit(self) -> None:
        """Make the open transaction's work visible at once."""

    def rollback(self) -> None:
        """Undo the open transaction; do nothing where none is open.

        A connection that was lost is opened anew when it is next needed. What was sent over the old one has ended by
        then, one way or the other; the locks that it held are held again, or `EngineError` of kind CONFLICT is raised.
        """

    def interrupt(self) -> None:
        """Cancel the statement that runs in another thread."""

    def label(self, labels: Mapping[str, str]) -> None:
        """Mark what runs from now on in the engine's own logs: `project`, `run`, `model`; costs no round trip.

        Nothing where the engine has no such thing.
        """

    def close(self) -> None:
        """Close the connection; closing twice is allowed."""


class Catalog(Protocol):
    """What exists in the target."""

    def relations(self) -> Mapping[str, CatalogEntry]:
        """Return every table and view, by `same_relation` name as the session would address it, in one query."""

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        """Return (name, engine type) of each column; raise `EngineError` of kind MISSING_RELATION."""


class Frames(Protocol):
    """The data frames that Python models get and give; opaque to the core."""

    def read(self, relation: str) -> Frame:
        """Return a relation as a frame."""

    def write(self, relation: str, frame: Frame) -> int | None:
        """Create or replace the table `relation` with a frame's rows and return how many, None when unknown.

        Raises `EngineError` of kind DATA for a value that is no frame, or holds what the engine cannot store.
        """

    def columns(self, frame: Frame) -> Sequence[str]:
        """Return the names of a frame's columns."""

    def from_rows(self, rows: Rows) -> Frame:
        """Return a frame that holds `rows`."""

    def to_rows(self, frame: Frame) -> Rows:
        """Return a small frame's content."""


class SeedLoader(Protocol):
    """Loads seed files natively: CSV and Parquet, since the core runs SQL itself."""

    def load(self, seed: Seed, relation: str) -> int:
        """Replace the table `relation` with the file's rows inside the open transaction and return how many.

        Raises `SeedError` naming file, row and column.
        """


class Replacer(Protocol):
    """Puts one relation in the place of another, in an engine that has no statement for it (`Dialect.swaps`)."""

    def replacing(self, relation: str, kind: RelationKind) -> AbstractContextManager[str]:
        """Give the name under which to build; after the block what was built is `relation`, with all that hung on it.

        Runs in the open transaction, and makes the relation's schema. Raises `EngineError` of kind DEPENDENTS listing
        what is in the way.
        """


class Lock(Protocol):
    """Keeps two writers on one target apart."""

    def hold(self, claim: Claim) -> AbstractContextManager[None]:
        """Hold the lock for a `with` block in the name of the claim's holder; one who died holds nothing.

        Raises `EngineError` of kind CONFLICT that names who holds it (`holder.taken`) once the claim's wait is over.
        """


@dataclass(frozen=True)
class Engine:
    """One open session on a target with the ports that work through it.

    `fork` opens a second session on the same target. `keeps` is False where the data ends with it. `replacer` is there
    where the dialect swaps, `dependents` where views bar changes, `late_views` where changes break views, `sources`
    where it can prove that a table is what it was, `seal` where it can tell that others wrote. `version` is the
    engine's own, if known without asking. `formats` gives, by its own names, what decides in the session how values are
    cast, as the time zone, and is asked once. `carry` is told the project's modules before a function runs elsewhere.
    """

    name: str
    target: str
    dialect: Dialect
    capabilities: frozenset[Capability]
    session: Session
    catalog: Catalog
    lock: Lock
    fork: Callable[[], Engine]
    frames: Frames | None = None
    seeds: SeedLoader | None = None
    replacer: Replacer | None = None
    dependents: Dependents | None = None
    late_views: LateViews | None = None
    keeps: bool = True
    version: str = ""
    sources: SourceVersions | None = None
    seal: Seal | None = None
    formats: Callable[[], Mapping[str, str]] = dict
    carry: Callable[[ModuleType], None] | None = None


@dataclass(frozen=True)
class EngineSpec:
    """An engine as a plugin announces it: data that is read before any driver is imported.

    `profile` and `open` are `module:attribute` references, resolved when the engine is used: a pydantic model whose
    field `engine` is a `Literal` of `name`, and a function `(profile, root: Path, claim: Claim) -> Engine`; the claim
    is for targets that cannot even be opened while another process works on them. `environment` maps an `FF_*` variable
    to the path of the setting that it overrides, as in `{"FF_DUCKDB_PATH": ("duckdb", "path")}`. `example` is what a
    new project's profile says below the engine's name. `jobs` is how many models build at once when nobody says; 1
    without the capability CONCURRENT_SESSIONS. `api` is the `API_VERSION` that the plugin was written for; FlowForge
    refuses one that is newer than its own. `variants` maps the path of a setting, and its value, to the name of the
    engine that takes over, with the same profile. `unproved` says on what none of its tests was run, `limits` what they
    found not to hold. `schema` leads to the setting that names where models are built, which `target.schema` tells and
    `Dialect.qualifies` writes; without one that is `Dialect.default_schema`.
    """

    name: str
    distribution: str
    dialect: Dialect
    capabilities: frozenset[Capability]
    profile: str
    open: str
    environment: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 1
    api: int = 1
    variants: Mapping[tuple[str, ...], Mapping[Any, str]] = field(default_factory=dict)
    unproved: str = ""
    limits: str = ""
    schema: tuple[str, ...] = ()


OpenEngine = Callable[[Any, Path, Claim], Engine]
