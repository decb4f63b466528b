"""How a run announces what it does while it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flowforge_domain.checks import Check
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.results import CheckResult, ModelResult, RunReport, SeedReport, SeedResult


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run of these models begins; `tests` are the titles of those that run among them."""

    run_id: str
    models: tuple[str, ...]
    engine: str
    target: str
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelStarted:
    """Model number `index` of `total` (from 1) begins."""

    name: str
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class StatementStarted:
    """The SQL of a model begins to run."""

    model: str
    sql: str


@dataclass(frozen=True, slots=True)
class Retried:
    """`what`, a model, "seeds" or "state", failed in passing; try number `again` after the first begins in a while."""

    what: str
    again: int
    seconds: float
    error: FlowForgeError


@dataclass(frozen=True, slots=True)
class SeedStarted:
    """Seed number `index` of `total` (from 1) begins; its result is announced once all of them are committed."""

    name: str
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class ChecksStarted:
    """Tests of these titles begin, without models."""

    tests: tuple[str, ...]
    engine: str
    target: str


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """Test number `index` of `total` (from 1) begins."""

    check: Check
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know, and that stops nothing."""

    message: str


@dataclass(frozen=True, slots=True)
class Loss(Notice):
    """A notice of what is about to be replaced and cannot be made again: a quiet command tells it too."""


Event = (
    RunStarted
    | ModelStarted
    | StatementStarted
    | ModelResult
    | RunReport
    | SeedStarted
    | SeedResult
    | SeedReport
    | ChecksStarted
    | CheckStarted
    | CheckResult
    | Retried
    | Notice
)


class Progress(Protocol):
    """Hears of every event, one at a time, from the thread that caused it."""

    def __call__(self, event: Event) -> None:
        """Take note of one event; must not raise."""
