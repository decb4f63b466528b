"""What use cases return and announce: typed results, one per model, check or seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from flowforge_domain.checks import Check
from flowforge_domain.errors import FlowForgeError, TestFailureError


class Status(Enum):
    """How a model or seed ended."""

    BUILT = "built"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelResult:
    """One model of a run: `rows` is None for a view, `reason` tells why it was skipped.

    `retries` is how often it was tried again.
    """

    name: str
    relation: str
    materialized: str
    status: Status
    seconds: float = 0.0
    rows: int | None = None
    reason: str = ""
    error: FlowForgeError | None = None
    retries: int = 0


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run: its models in the order they were built; `errors` are those of hooks that run after them."""

    run_id: str
    results: Sequence[ModelResult] = ()
    seconds: float = 0.0
    errors: tuple[FlowForgeError, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no model or hook failed and none had to be left out."""
        return not self.errors and all(r.status in (Status.BUILT, Status.UNCHANGED) for r in self.results)

    @property
    def retries(self) -> int:
        """How often models were tried again, all together."""
        return sum(result.retries for result in self.results)

    def count(self, status: Status) -> int:
        """Return how many models ended with `status`."""
        return Counter(r.status for r in self.results)[status]


class Verdict(Enum):
    """How a check ended."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: `failure` says what does not hold, `error` why it could not be run, `skipped` why it was left out."""

    check: Check
    query: str
    seconds: float
    failure: str = ""
    error: FlowForgeError | None = None
    skipped: str = ""

    @property
    def verdict(self) -> Verdict:
        """How it ended; one that fails with severity "warn" has warned."""
        if self.error is not None:
            return Verdict.ERROR
        if self.skipped:
            return Verdict.SKIPPED
        if self.failure:
            return Verdict.WARNED if self.check.severity == "warn" else Verdict.FAILED
        return Verdict.PASSED

    @property
    def ok(self) -> bool:
        """Whether the check ran, and held or only warned."""
        return self.verdict in (Verdict.PASSED, Verdict.WARNED)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The checks of a test run, in the order of the project file."""

    results: Sequence[CheckResult] = ()

    def count(self, verdict: Verdict) -> int:
        """Return how many checks ended so."""
        return Counter(r.verdict for r in self.results)[verdict]

    @property
    def ok(self) -> bool:
        """Whether every check ran, and held or only warned."""
        return all(r.ok for r in self.results)

    def require_ok(self) -> None:
        """Do nothing when every check is ok; else raise `TestFailureError` naming those that did not."""
        failed = [r.check.title for r in self.results if not r.ok]
        if failed:
            raise TestFailureError(failed)


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed that was loaded."""

    name: str
    relation: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SeedReport:
    """The seeds of one command; all of them were committed together, after `retries` further tries."""

    results: Sequence[SeedResult] = ()
    seconds: float = 0.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class BuildReport:
    """Seeds, models and tests of one run."""

    seeds: SeedReport
    models: RunReport
    checks: CheckReport

    @property
    def ok(self) -> bool:
        """Whether every model was built, and every test is ok."""
        return self.models.ok and self.checks.ok

    @property
    def has_errors(self) -> bool:
        """Whether anything but a test that does not hold went wrong."""
        return bool(self.models.count(Status.FAILED) or self.models.errors or self.checks.count(Verdict.ERROR))


@dataclass(frozen=True, slots=True)
class Rows:
    """A small result: column names, and rows of plain Python values."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
