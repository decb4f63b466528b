"""How an engine proves that a table which FlowForge does not make is what it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class SourceVersions(Protocol):
    """Tells whether tables that FlowForge does not make have changed."""

    def versions(self, relations: Collection[str]) -> Mapping[str, str]:
        """Return a text for each relation that stays the same only while its content does; nothing where unknown.

        What it tells is true of the time before this session wrote anything, but for what `wrote` was told of since.
        """

    def wrote(self, relations: Collection[str] | None, hook: str) -> None:
        """Take note that a hook of this title may have written to relations, None for any: their versions are new."""

    def vouch(self) -> None:
        """Take note that this session has written nothing but what state rows and `wrote` tell of.

        It writes nothing more.
        """
