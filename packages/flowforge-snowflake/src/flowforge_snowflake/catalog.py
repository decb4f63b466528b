"""What the database holds, by one query of its information schema, and how a relation is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flowforge_domain.catalog import CatalogEntry, kinds, listed
from flowforge_domain.dialect import Dialect, RelationKind, known_name, quote_name, quote_relation, relation_key
from flowforge_domain.relation import relation_name, relation_parts
from flowforge_domain.swap import aside, built_beside
from flowforge_ports.lease import LEASE_TABLE
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.session import SnowflakeSession

# Views stand in both lists, but for some servers that speak Snowflake in the second only.
_RELATIONS = """
select table_schema, table_name, case when table_type like '%VIEW%' then 'view' else 'table' end,
  table_schema = current_schema()
from information_schema.tables where table_schema <> 'INFORMATION_SCHEMA'
union all
select table_schema, table_name, 'view', table_schema = current_schema()
from information_schema.views where table_schema <> 'INFORMATION_SCHEMA'
"""


@dataclass(frozen=True)
class SnowflakeCatalog:
    """Every schema's tables and views; those of the profile's schema are named without it."""

    session: SnowflakeSession
    known: dict[str, RelationKind]

    def relations(self) -> Mapping[str, CatalogEntry]:
        rows = self.session.query(_RELATIONS).rows
        found = listed(row for row in rows if known_name(row[1], SNOWFLAKE) != LEASE_TABLE)
        self.known.clear()
        self.known.update(kinds(found))
        return found

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        described = self.session.query(f"describe table {quote_relation(relation, SNOWFLAKE)}")
        return [(known_name(row[0], SNOWFLAKE), str(row[1]).lower()) for row in described.rows]


@dataclass(frozen=True)
class SnowflakeReplacer:
    """Lets `create or replace` replace where it can: a table by a table, a view by a view.

    Between kinds, what is new is built beside the old and renamed after that was dropped: a failed build leaves the old
    one, but for a moment there is neither. What kind stands is remembered from the last list of relations, so that a
    model costs no round trip more.
    """

    session: SnowflakeSession
    dialect: Dialect
    known: dict[str, RelationKind]

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        key = relation_key(relation, self.dialect)
        standing = self.known.get(key)
        if standing is None:
            self._require_schema(relation)
        if standing in {None, kind}:
            yield relation
        else:
            # It would stand in the way: Snowflake refuses to replace a view by a table.
            left = self.known.pop(relation_key(aside(relation), self.dialect), None)
            with built_beside(relation, (standing, kind), left, self.session.execute, self.dialect) as into:
                yield into
        self.known[key] = kind

    def _require_schema(self, relation: str) -> None:
        """Make the schema if it is missing; to make one is to enter it, so this one is entered again."""
        schema = relation_parts(relation)[:-1]
        if schema and not any(relation_parts(other)[:-1] == _folded(schema) for other in self.known):
            self.session.execute(f"create schema if not exists {quote_relation(relation_name(*schema), self.dialect)}")
            self.session.execute(f"use schema {quote_name(self.session.settings.db_schema, self.dialect)}")


def _folded(schema: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in schema)
