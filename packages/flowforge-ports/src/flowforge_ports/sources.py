"""How an engine proves that a table which FlowForge does not make is what it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class SourceVersions(Protocol):
    """Tells whether tables that FlowForge does not make have changed."""

    def versions(self, relations: Collection[str]) -> Mapping[str, str]:
        """Return a text for each relation that stays the same only while its content does; nothing where unknown.

        What it tells is true of the time before this session wrote anything.
        """

    def vouch(self) -> None:
        """Take note that this session has written nothing but what state rows tell of, and writes nothing more."""
