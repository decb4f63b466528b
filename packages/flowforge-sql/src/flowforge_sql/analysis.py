"""Fulfils `SqlAnalysis`: what was found is kept by content, and sqlglot is asked for new SQL only."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from flowforge_ports.sql import SqlFacts

_CACHE = Path(".flowforge", "cache", "sql.jsonl")
# Raise the number when the same SQL is read differently between two versions of the distribution.
_FORMAT = b"flowforge-sql-6"
_MOST = 20_000


def open_analysis(root: Path) -> CachedAnalysis:
    """Return the analysis that keeps what it found in the project folder `root`."""
    return CachedAnalysis(root / _CACHE)


@dataclass(frozen=True)
class CachedAnalysis:
    """Asks sqlglot once for each statement; a cache that is damaged or cannot be written costs time only."""

    path: Path

    def facts(self, sql: str, grammar: str, volatile: frozenset[str]) -> SqlFacts | None:
        """Return what a statement says, None where it cannot be parsed."""
        name = _key(sql, grammar, volatile)
        if name not in self._known:
            from flowforge_sql.parsing import parsed

            self._known[name] = parsed(sql, grammar, volatile)
            self._append(name, self._known[name])
        return self._known[name]

    @cached_property
    def _known(self) -> dict[str, SqlFacts | None]:
        try:
            lines = self.path.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return {}
        if len(lines) > _MOST:
            with suppress(OSError):
                self.path.unlink()
        return dict(found for line in lines if (found := _read(line)))

    def _append(self, name: str, facts: SqlFacts | None) -> None:
        body = json.dumps([name, facts and astuple(facts)])
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{_seal(body)} {body}\n")


def _key(sql: str, grammar: str, volatile: frozenset[str]) -> str:
    text = "\n".join([*sorted(volatile), "", sql]).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=20, key=_FORMAT, person=grammar.encode()[:16]).hexdigest()


def _read(line: str) -> tuple[str, SqlFacts | None] | None:
    seal, _, body = line.partition(" ")
    if seal != _seal(body):
        return None
    name, values = json.loads(body)
    return name, None if values is None else SqlFacts(*map(_frozen, values))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _seal(body: str) -> str:
    return blake2b(body.encode(), digest_size=8, key=_FORMAT).hexdigest()
