"""How events arrive: a source gives batches, each with the position after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class DeadLetter:
    """One input that is no event: where it began, what it was, why it was refused."""

    position: str
    text: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Some events in the order they were written; `position` is where reading goes on after them."""

    events: Sequence[Mapping[str, Any]]
    position: str
    dead_letters: Sequence[DeadLetter] = field(default_factory=tuple)


@runtime_checkable
class StreamSource(Protocol):
    """A place where events arrive."""

    @property
    def name(self) -> str:
        """Return the name under which the position is kept."""

    def read(self, position: str, limit: int) -> Batch:
        """Return at most `limit` events from `position` on ("" is the start); no events when there are none yet."""
