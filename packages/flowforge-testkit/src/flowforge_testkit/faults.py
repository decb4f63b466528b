"""Fault injection: an engine that fails at its n-th side effect, before or after it was made.

    faults = Faults(at=3)
    engine = faulty(engine, faults)     # the third side effect raises
    ...
    assert faults.struck

Counted are statements, begin, commit, and writes of frames and seeds; queries and rollbacks change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from flowforge_domain.dialect import RelationKind
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.model import Seed
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine, Frame, Frames, Replacer, SeedLoader, Session

Result = TypeVar("Result")


@dataclass
class Faults:
    """Counts side effects and raises at one of them an error of `kind`: `after` it was made, or instead of it."""

    at: int
    after: bool = False
    kind: ErrorKind = ErrorKind.UNKNOWN
    made: list[str] = field(default_factory=list)
    struck: str = ""

    def make(self, what: str, effect: Callable[[], Result]) -> Result:
        """Make a side effect, or fail."""
        self.made.append(what)
        if len(self.made) != self.at:
            return effect()
        self.struck = what
        if self.after:
            effect()
        raise EngineError(f"planted at side effect {self.at}: {what}", kind=self.kind)


def faulty(engine: Engine, faults: Faults) -> Engine:
    """Return the engine with every side effect, of its further sessions too, made through `faults`."""
    return replace(
        engine,
        session=FaultySession(engine.session, faults),
        fork=lambda: faulty(engine.fork(), faults),
        frames=FaultyFrames(engine.frames, faults) if engine.frames else None,
        seeds=FaultySeeds(engine.seeds, faults) if engine.seeds else None,
        replacer=FaultyReplacer(engine.replacer, faults) if engine.replacer else None,
    )


@dataclass(frozen=True)
class FaultySession:
    """A session whose side effects may fail."""

    inner: Session
    faults: Faults

    def execute(self, sql: str) -> int | None:
        return self.faults.make(sql, lambda: self.inner.execute(sql))

    def query(self, sql: str) -> Rows:
        return self.inner.query(sql)

    def begin(self) -> None:
        self.faults.make("begin", self.inner.begin)

    def commit(self) -> None:
        self.faults.make("commit", self.inner.commit)

    def rollback(self) -> None:
        self.inner.rollback()

    def interrupt(self) -> None:
        self.inner.interrupt()

    def label(self, labels: Mapping[str, str]) -> None:
        self.inner.label(labels)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class FaultyFrames:
    """Frames whose writes may fail."""

    inner: Frames
    faults: Faults

    def read(self, relation: str) -> Frame:
        return self.inner.read(relation)

    def write(self, relation: str, frame: Frame) -> int | None:
        return self.faults.make(f"write {relation}", lambda: self.inner.write(relation, frame))

    def columns(self, frame: Frame) -> Any:
        return self.inner.columns(frame)

    def from_rows(self, rows: Rows) -> Frame:
        return self.inner.from_rows(rows)

    def to_rows(self, frame: Frame) -> Rows:
        return self.inner.to_rows(frame)


@dataclass(frozen=True)
class FaultySeeds:
    """A seed loader that may fail."""

    inner: SeedLoader
    faults: Faults

    def load(self, seed: Seed, relation: str) -> int:
        return self.faults.make(f"load {relation}", lambda: self.inner.load(seed, relation))


@dataclass(frozen=True)
class FaultyReplacer:
    """A replacer that may fail when the new relation takes its place."""

    inner: Replacer
    faults: Faults

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        with self.inner.replacing(relation, kind) as into:
            yield into
            self.faults.make(f"replace {relation}", lambda: None)
