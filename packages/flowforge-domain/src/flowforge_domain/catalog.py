"""What a target's catalog says of a relation: enough to see that it is no longer what was built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowforge_domain.dialect import RelationKind
from flowforge_domain.relation import relation_name, same_relation


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One table or view.

    `identity` is a text that changes when another relation takes its place, and not while rows come and go; "" where
    the engine has none that is cheap. `rows` is the engine's own count, exact for a table from which nothing was
    deleted, None where it keeps none. `spelled` is the relation as the engine spells it, "" where case tells nothing
    apart or its key is spelled so.
    """

    kind: RelationKind
    identity: str = ""
    rows: int | None = None
    spelled: str = ""


def listed(rows: Iterable[Sequence[Any]]) -> dict[str, CatalogEntry]:
    """Return what an engine lists: rows of schema, name, kind, and whether the session finds it without the schema.

    What more a row holds are the other fields of `CatalogEntry`.
    """
    return {same_relation(relation): CatalogEntry(kind, *more) for relation, kind, *more in map(_named, rows)}


def listed_by_case(rows: Iterable[Sequence[Any]]) -> dict[str, CatalogEntry]:
    """Return the same where case tells names apart, and how each is spelled."""
    entries = {relation: CatalogEntry(kind, *more) for relation, kind, *more in map(_named, rows)}
    return {
        same_relation(relation): entry if relation == same_relation(relation) else replace(entry, spelled=relation)
        for relation, entry in entries.items()
    }


def kinds(entries: Mapping[str, CatalogEntry]) -> dict[str, RelationKind]:
    """Return what each relation is."""
    return {name: entry.kind for name, entry in entries.items()}


def _named(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row with the relation's name in place of schema and name."""
    schema, name, kind, found, *more = row
    return relation_name(name) if found else relation_name(schema, name), kind, *more
