"""What stands in for the analysis of SQL and for kept texts where there are none: nothing is known."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge_ports.sql import SqlFacts


class NoAnalysis:
    """Fulfils `SqlAnalysis` where none is installed: it understands nothing."""

    def facts(self, sql: str, grammar: str, volatile: frozenset[str]) -> SqlFacts | None:
        """Return None."""
        del sql, grammar, volatile
        return None


class NoTexts:
    """Fulfils `BuiltTexts` where nothing is kept."""

    def last(self, name: str) -> str | None:
        """Return None."""
        del name
        return None

    def stable(self, name: str) -> tuple[str, str]:
        """Return two empty texts."""
        del name
        return "", ""

    def keep_stable(self, texts: Mapping[str, tuple[str, str]]) -> None:
        """Forget them."""

    def keep(self, texts: Mapping[str, str]) -> None:
        """Forget them."""
