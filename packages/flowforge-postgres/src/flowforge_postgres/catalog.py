"""What the database holds, and how a relation is replaced with everything that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flowforge_domain.catalog import CatalogEntry, listed_by_case
from flowforge_domain.dialect import RelationKind, quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_parts
from flowforge_domain.swap import Step, aside, swap_steps
from flowforge_postgres.connection import NO_SCHEMA
from flowforge_postgres.dependents import (
    FOUND,
    NOT_ITS_FAULT,
    ONE_AT_A_TIME,
    PostgresDependents,
    built,
    found_as,
    standing,
    take,
    whole_name,
)
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.prepared import ask
from flowforge_postgres.session import PostgresSession, atomic

_RELATIONS = """
select n.nspname, c.relname, case when c.relkind in ('v', 'm') then 'view' else 'table' end,
       n.nspname = current_schema(),
       case when c.relkind = 'v' then md5(pg_get_viewdef(c.oid)) else c.oid || ':' || c.relfilenode end
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm') and not n.nspname like any ('{pg\\_%,information\\_schema}')
"""
# Of a domain the type that it stands on: its values are those of that, and nobody else knows what they are.
_COLUMNS = """
with recursive typed(place, name, type, modifier) as (
  select attnum, attname, atttypid, atttypmod from pg_catalog.pg_attribute
  where attrelid = {relation}::regclass and attnum > 0 and not attisdropped
  union all
  select place, name, typbasetype, typtypmod from typed join pg_catalog.pg_type t on t.oid = type and typtype = 'd'
)
select name, pg_catalog.format_type(type, modifier) from typed
where not exists (select from pg_catalog.pg_type t where t.oid = type and typtype = 'd') order by place
"""
_SCHEMA = "select 1 from pg_catalog.pg_namespace where nspname = {schema}"
_BEFORE_SWAP = "flowforge_before_swap"


@dataclass(frozen=True)
class PostgresCatalog:
    """Every schema's tables and views; those of the profile's schema are named without it."""

    session: PostgresSession

    def relations(self) -> Mapping[str, CatalogEntry]:
        return listed_by_case(self.session.query(_RELATIONS).rows)

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        named = quote_text(quote_relation(relation, POSTGRES), POSTGRES)
        return [(name, kind) for name, kind in self.session.query(_COLUMNS.format(relation=named)).rows]


@dataclass(frozen=True)
class PostgresReplacer:
    """Builds beside a relation and swaps: until the swap nobody waits, and after it nothing that hung on it is lost."""

    session: PostgresSession
    schema: str
    dependents: PostgresDependents

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        *schema, name = relation_parts(relation)
        quote_name(name, POSTGRES)
        with atomic(self.session):
            if schema:
                require_schema(self.session, schema[-1])
            require_own_schema(self.session, self.schema)
            into = aside(relation)
            yield into
            self._swap(whole_name(relation, self.schema), into, kind)

    def _swap(self, relation: str, into: str, kind: RelationKind) -> None:
        name = relation_parts(relation)[-1]
        rename = f"alter {kind} {quote_relation(into, POSTGRES)} rename to {quote_name(name, POSTGRES)}"
        if self._swapped_at_once(relation, rename):
            return
        # One after the other: what hangs on this relation may hang on another, which somebody replaces right now.
        self.session.query(ONE_AT_A_TIME)
        found = found_as(self.session, relation)
        refused = f"{relation} cannot be replaced"
        if found is None:
            take(self.session, Step(rename), refused)
            return
        oid, was, bare = found
        if bare:
            drop = f"drop {was} {quote_relation(relation, POSTGRES)}"
            take(self.session, Step(f"{drop}; {rename}"), refused)
            return
        old, *views = standing(self.session, oid)
        for step in swap_steps(old, views, built(self.session, into, kind), POSTGRES):
            take(self.session, step, refused)
        self.dependents.make_again(views, refused)

    def _swapped_at_once(self, relation: str, rename: str) -> bool:
        """Swap where nothing hangs on what stands, as is usual, in one round trip; tell whether that was so."""
        name, table = relation_parts(relation), quote_relation(relation, POSTGRES)
        seen = ask(self.session, FOUND, *name)
        if seen and not seen[0][2]:
            return False
        # From the lock on nobody else changes what hangs on a table; until then somebody may have.
        lock = f"lock table {table} in share update exclusive mode; " if seen and seen[0][1] == "table" else ""
        drop = f"drop {seen[0][1]} {table}; " if seen else ""
        try:
            before, after = f"savepoint {_BEFORE_SWAP}; {lock}", f"; {drop}{rename}"
            if ask(self.session, FOUND, *name, before=before, after=after) == seen:
                return True
        except EngineError as error:
            if error.kind in NOT_ITS_FAULT - {ErrorKind.CONFLICT}:
                raise
        self.session.execute(f"rollback to savepoint {_BEFORE_SWAP}")
        return False


def require_own_schema(session: PostgresSession, schema: str) -> None:
    """Make the profile's schema where it is missing; it costs nothing where it was there from the beginning."""
    _ = session.connection
    if session.held.info[NO_SCHEMA]:
        require_schema(session, schema)


def require_schema(session: PostgresSession, schema: str) -> None:
    """Make a schema that is missing; `if not exists` would ask for the right to make it even where it is there."""
    if not session.query(_SCHEMA.format(schema=quote_text(schema, POSTGRES))).rows:
        # Another session may be making it too: then this one waits for it, and goes on.
        made = f"create schema {quote_name(schema, POSTGRES)}"
        block = f"begin {made}; exception when unique_violation or duplicate_schema then null; end"
        session.execute(f"do {quote_text(block, POSTGRES)}")
