"""What the database holds, by one query of its information schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowforge_domain.dialect import RelationKind, known_name, quote_relation
from flowforge_domain.relation import relation_name, same_relation
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.session import SnowflakeSession

_RELATIONS = """
select table_schema, table_name, case when table_type like '%VIEW%' then 'view' else 'table' end,
  table_schema = current_schema()
from information_schema.tables where table_schema <> 'INFORMATION_SCHEMA'
"""


@dataclass(frozen=True)
class SnowflakeCatalog:
    """Every schema's tables and views; those of the profile's schema are named without it."""

    session: SnowflakeSession

    def relations(self) -> Mapping[str, RelationKind]:
        return {
            same_relation(relation_name(name) if here else relation_name(schema, name)): kind
            for schema, name, kind, here in self.session.query(_RELATIONS).rows
        }

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        described = self.session.query(f"describe table {quote_relation(relation, SNOWFLAKE)}")
        return [(known_name(row[0], SNOWFLAKE), str(row[1]).lower()) for row in described.rows]
