"""What the names in a statement may mean that writes: the session decides which schema one without it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import Dialect, relation_key
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node, Seed, SourceTable
from flowforge_domain.relation import relation_parts
from flowforge_domain.source import SourceKey
from flowforge_domain.state import StateRow


@dataclass(frozen=True)
class WrittenNames:
    """Knows what one project makes and reads, and by the `entries` of the catalog what else there is."""

    manifest: Manifest
    dialect: Dialect
    entries: Mapping[str, CatalogEntry]

    def may_be(self, writes: Collection[str] | None, relation: str) -> bool:
        """Tell whether a relation is among what is written; None may be any."""
        return writes is None or any(self._may_mean(name, relation) for name in writes)

    def are_ours(self, writes: Collection[str] | None, besides: str = "") -> bool:
        """Tell whether anything that is written may be what the project makes or reads, one relation left aside."""
        if writes is None:
            return True
        near = ((name, relation) for name in writes for relation in self._relations.get(_last(name), ()))
        return any(relation != besides and self._may_mean(name, relation) for name, relation in near)

    def meant(self, writes: Collection[str]) -> tuple[list[str], list[SourceKey]]:
        """Return the models and seeds, and the sources, that may be written."""
        if not writes:
            return [], []
        things: list[Node | Seed] = [*_tables(self.manifest), *self.manifest.seeds.values()]
        sources = self.manifest.sources.items()
        return (
            [one.name for one in things if self.may_be(writes, one.relation)],
            [key for key, table in sources if self.may_be(writes, table.relation)],
        )

    def touched(self, writes: Collection[str] | None, rows: Mapping[str, StateRow]) -> dict[str, StateRow]:
        """Return those of the rows of relations, by key, that tell of what is written."""
        if writes is None:
            return dict(rows)
        found: dict[str, StateRow] = {}
        for name in writes:
            key = relation_key(name, self.dialect)
            if key in self.entries:
                found |= {key: rows[key]} if key in rows else {}
            else:
                found |= {one: row for one, row in rows.items() if self._may_mean(name, row.relation)}
        return found

    def is_view(self, name: str) -> bool:
        """Tell whether a name may be that of a view."""
        entry = self.entries.get(relation_key(name, self.dialect))
        views = (one for one in _tables(self.manifest) if one.config.stands_as == "view")
        return (entry is not None and entry.kind == "view") or any(
            self._may_mean(name, view.relation) for view in views
        )

    @cached_property
    def _relations(self) -> Mapping[str, Sequence[str]]:
        """What the project makes and reads, by the last part of the name."""
        manifest, found = self.manifest, dict[str, list[str]]()
        things: list[Node | Seed | SourceTable] = [*_tables(manifest), *manifest.seeds.values()]
        for thing in [*things, *manifest.sources.values()]:
            found.setdefault(_last(thing.relation), []).append(thing.relation)
        return found

    def _may_mean(self, name: str, relation: str) -> bool:
        key = relation_key(name, self.dialect)
        if key == relation_key(relation, self.dialect):
            return True
        return key not in self.entries and _last(name) == _last(relation)


def _tables(manifest: Manifest) -> list[Node]:
    """Return the models that stand in the target as tables and views."""
    return [node for node in manifest.nodes.values() if node.config.materialized != "ephemeral"]


def _last(relation: str) -> str:
    return relation_parts(relation)[-1].casefold()
