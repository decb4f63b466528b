"""How SQL is analysed where a cheap look does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SqlFacts:
    """What one statement says.

    `normalized` is the same for texts that differ in layout, comments or the case of keywords alone; `volatile` are
    those of the words asked for that count where they stand; `reads` are the relations that it reads and `target` the
    one that it makes or adds to, "" for a query; `columns` are those it refers to, `relation.column` where the relation
    is named. `writes` are all relations that it may change, None where nobody can tell: it calls what may do anything.
    """

    normalized: str
    volatile: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    target: str = ""
    columns: tuple[str, ...] = ()
    writes: tuple[str, ...] | None = None


class SqlAnalysis(Protocol):
    """Understands SQL."""

    def facts(self, sql: str, grammar: str, volatile: frozenset[str]) -> SqlFacts | None:
        """Return what a statement in the SQL of engine `grammar` says, None where it cannot be understood.

        `volatile` are words that make a result depend on when it is asked for, as `Dialect.volatile` has them.
        """


@dataclass(frozen=True)
class SqlSpec:
    """An SQL analysis as a plugin announces it; `open` refers to a function `(root: Path) -> SqlAnalysis`.

    It may keep what it found below the `.flowforge/` of the project in folder `root`.
    """

    name: str
    open: str


class BuiltTexts(Protocol):
    """Keeps what models ran when they were last built: a help only, which may be lost or out of date."""

    def last(self, name: str) -> str | None:
        """Return what a model ran, None where that is not known."""

    def keep(self, texts: Mapping[str, str]) -> None:
        """Take note of what models have run; must not raise."""

    def stable(self, name: str) -> tuple[str, str]:
        """Return what was last kept of a model's stable text, two empty texts where nothing was."""

    def keep_stable(self, texts: Mapping[str, tuple[str, str]]) -> None:
        """Take note of the stable texts of models: what each is made from, and its fingerprint; must not raise."""


OpenSql = Callable[[Path], SqlAnalysis]
