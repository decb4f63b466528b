"""Where the journals of a project's runs are kept (`flowforge_domain.journal`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flowforge_domain.journal import Entry


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as it was read, up to a torn end; `goes_on` is whether a living process still writes it."""

    name: str
    entries: Sequence[Entry]
    goes_on: bool = False


class JournalWriter(Protocol):
    """The journal of a run that goes on."""

    def write(self, entry: Entry) -> None:
        """Append an entry so that it outlives this process; raise `OSError`."""

    def close(self) -> None:
        """End the journal."""


class Journals(Protocol):
    """All journals of a project."""

    def begin(self, name: str) -> JournalWriter:
        """Begin a new journal; raise `OSError` where none can be written."""

    def names(self) -> Sequence[str]:
        """Return the names of all journals, the newest first."""

    def read(self, name: str) -> Journal:
        """Return what a journal says; raise `ConfigError` when it cannot be read."""
