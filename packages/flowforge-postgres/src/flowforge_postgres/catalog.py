"""What the database holds, and how a relation is replaced with everything that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flowforge_domain.catalog import CatalogEntry, listed_by_case
from flowforge_domain.dialect import RelationKind, quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, relation_parts
from flowforge_domain.swap import Grant, Newcomer, Standing, Step, aside, swap_steps
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.prepared import ask
from flowforge_postgres.session import PostgresSession, atomic

_NOT_ITS_FAULT = {
    ErrorKind.UNREACHABLE,
    ErrorKind.TRANSIENT,
    ErrorKind.CANCELLED,
    ErrorKind.STOPPED,
    ErrorKind.CONFLICT,
    ErrorKind.SPACE,
}
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
_NAMED = """
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and c.relkind not in ('i', 'I', 't')
"""
_KIND = f"select c.relkind::text {_NAMED}"
_BEFORE_SWAP = "flowforge_before_swap"
# Two numbers are another kind of lock than the one number of `PostgresLock`.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(1179602775, 1)"
# The object of a name, and whether nothing at all hangs on it, as is usual.
_FOUND = f"""
select c.oid::bigint, case c.relkind when 'v' then 'view' else 'table' end, c.relkind in ('r', 'v')
  and c.relacl is null and c.reloptions is null and c.relowner = current_user::regrole and not (
    c.relhasindex or c.relhastriggers or c.relrowsecurity or c.relispartition or c.relhassubclass
    or c.relhasrules and c.relkind = 'r')
  and c.relpersistence = 'p' and (c.relkind = 'v' or c.relreplident = 'd')
  and not exists (select from pg_attribute a left join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and (a.attnotnull or a.atthasdef or a.attidentity <> ''
      or a.attacl is not null or a.attoptions is not null or a.attstattarget >= 0 or a.attstorage <> t.typstorage))
  and not exists (select from pg_depend d where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
    and d.deptype <> 'i')
  and not exists (select from pg_description d where d.objoid = c.oid and d.classoid = 'pg_class'::regclass)
  and not exists (select from pg_default_acl d where d.defaclrole = c.relowner and d.defaclobjtype = 'r')
{_NAMED}"""
# Rights that a new table or view of this user gets at once.
_DEFAULT_GRANTEES = """
select distinct case g.grantee when 0 then '' else pg_get_userbyid(g.grantee) end
from pg_default_acl d, aclexplode(d.defaclacl) g
where d.defaclobjtype = 'r' and d.defaclrole = current_user::regrole and g.grantee <> d.defaclrole
"""
_OPTIONS = "select split_part(unnest(reloptions), '=', 1) from pg_catalog.pg_class where oid = $1::regclass"
_STORAGE = "(array['plain', 'external', 'extended', 'main'])[position({}::text in 'pexm')]"
# What `alter table` says of a table: of which column or of '', the words, and those that undo them.
_SETTINGS = f"""
  select '' as of, 'replica identity ' || case c.relreplident when 'f' then 'full' when 'n' then 'nothing' end as said,
    'replica identity default' as undone
  union all
  select '', format('replica identity using index %I', i.relname), 'replica identity default'
  from pg_index x join pg_class i on i.oid = x.indexrelid
  where x.indrelid = c.oid and x.indisreplident and c.relreplident = 'i'
  union all
  select '', format('cluster on %I', i.relname), 'set without cluster'
  from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid and x.indisclustered
  union all
  select a.attname::text, format('alter column %I set ', a.attname) || o.said,
    format('alter column %I ', a.attname) || o.undone
  from pg_attribute a join pg_type t on t.oid = a.atttypid, lateral (values
    ('statistics ' || nullif(a.attstattarget, -1), 'set statistics -1'),
    ('(' || array_to_string(a.attoptions, ', ') || ')', 'reset (n_distinct, n_distinct_inherited)'),
    ('storage ' || {_STORAGE.format("nullif(a.attstorage, t.typstorage)")},
      'set storage ' || {_STORAGE.format("t.typstorage")})) o(said, undone)
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
"""
# The relation $1 and the views on it, each after those it stands on, with what hangs on each of them.
_STANDING = f"""
with recursive standing(oid, depth) as (
  select $1::oid, 0
  union
  select r.ev_class, s.depth + 1 from standing s
  join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = s.oid
    and d.classid = 'pg_rewrite'::regclass and d.deptype = 'n'
  join pg_rewrite r on r.oid = d.objid and r.ev_class <> s.oid
  join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
), ordered as (select oid, max(depth) as depth from standing group by oid)
select n.nspname, c.relname, case c.relkind when 'v' then 'view' else 'table' end,
  case c.relkind when 'v' then pg_get_viewdef(c.oid) else '' end,
  coalesce(array_to_string(c.reloptions, ', '), ''),
  case c.relpersistence when 'u' then 'unlogged' else '' end,
  case when c.relowner = current_user::regrole then '' else pg_get_userbyid(c.relowner) end,
  array(select array[i.relname::text, pg_get_indexdef(i.oid)] from pg_index x join pg_class i on i.oid = x.indexrelid
    where x.indrelid = c.oid and not exists (
      select from pg_constraint k where k.conindid = i.oid and k.conrelid = c.oid) order by i.relname),
  array(select array[conname::text, pg_get_constraintdef(oid)] from pg_constraint
    where conrelid = c.oid and contype in ('p', 'u', 'c', 'x', 'f') order by contype = 'f', conname),
  array(select attname::text from pg_attribute
    where attrelid = c.oid and attnum > 0 and attnotnull and not attisdropped order by attnum),
  array(select array[g.privilege_type, case g.grantee when 0 then '' else pg_get_userbyid(g.grantee) end, g.name,
      case when g.is_grantable then 'y' else '' end]
    from (select e.*, '' as name from aclexplode(c.relacl) e union all
      select e.*, a.attname from pg_attribute a, aclexplode(a.attacl) e where a.attrelid = c.oid) g
    where g.grantee <> c.relowner),
  array(select array[coalesce(a.attname::text, ''), d.description]
    from pg_description d left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
    where d.objoid = c.oid and d.classoid = 'pg_class'::regclass),
  array(select array[s.of, t.alters || s.said, t.alters || s.undone] from ({_SETTINGS}) s,
      format('alter table %I.%I ', n.nspname, c.relname) t(alters) where s.said is not null)
    || array(select array['', o.comments || ' is ' || quote_literal(d.description), o.comments || ' is null']
      from pg_description d join (
        select 'pg_class'::regclass, x.indexrelid, format('comment on index %s', x.indexrelid::regclass)
        from pg_index x where x.indrelid = c.oid
        union all
        select 'pg_constraint'::regclass, k.oid,
          format('comment on constraint %I on %I.%I', k.conname, n.nspname, c.relname)
        from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'x', 'f')
      ) o(class, oid, comments) on d.classoid = o.class and d.objoid = o.oid and d.objsubid = 0),
  array(select distinct pg_describe_object(d.classid, d.objid, d.objsubid) from pg_depend d
    where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and (
      d.classid in ('pg_policy'::regclass, 'pg_statistic_ext'::regclass, 'pg_attrdef'::regclass)
      or d.classid = 'pg_publication_rel'::regclass
      or d.classid = 'pg_trigger'::regclass and exists (
        select from pg_trigger t where t.oid = d.objid and not t.tgisinternal)
      or d.classid = 'pg_rewrite'::regclass and exists (
        select from pg_rewrite r where r.oid = d.objid and r.ev_class = c.oid and r.rulename <> '_RETURN')
      or d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and exists (
        select from pg_class q where q.oid = d.objid and q.relkind = 'S')))
  || case when c.relrowsecurity then array['row-level security of table ' || c.relname] else '{{}}' end
  || case when c.relispartition then array['its place as a partition'] else '{{}}' end
  || case when c.relkind in ('r', 'v') then '{{}}' else array[pg_describe_object('pg_class'::regclass, c.oid, 0)] end
from ordered o join pg_class c on c.oid = o.oid join pg_namespace n on n.oid = c.relnamespace
order by o.depth, n.nspname, c.relname
"""


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

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        *schema, name = relation_parts(relation)
        quote_name(name, POSTGRES)
        with atomic(self.session):
            if schema:
                self._require_schema(schema[-1])
            into = aside(relation)
            yield into
            self._swap(relation_name(schema[-1] if schema else self.schema, name), into, kind)

    def _require_schema(self, schema: str) -> None:
        """Make a schema that is missing; `if not exists` would ask for the right to make it even where it is there."""
        if not self.session.query(_SCHEMA.format(schema=quote_text(schema, POSTGRES))).rows:
            # Another session may be making it too: then this one waits for it, and goes on.
            made = f"create schema {quote_name(schema, POSTGRES)}"
            block = f"begin {made}; exception when unique_violation or duplicate_schema then null; end"
            self.session.execute(f"do {quote_text(block, POSTGRES)}")

    def _swap(self, relation: str, into: str, kind: RelationKind) -> None:
        name = relation_parts(relation)[-1]
        rename = f"alter {kind} {quote_relation(into, POSTGRES)} rename to {quote_name(name, POSTGRES)}"
        if self._swapped_at_once(relation, rename):
            return
        # One after the other: what hangs on this relation may hang on another, which somebody replaces right now.
        self.session.query(_ONE_AT_A_TIME)
        found = self._found(relation)
        if found is None:
            self._take(Step(rename), relation)
            return
        oid, was, bare = found
        if bare:
            drop = f"drop {was} {quote_relation(relation, POSTGRES)}"
            self._take(Step(f"{drop}; {rename}"), relation)
            return
        for step in self._steps(oid, into, kind):
            self._take(step, relation)

    def _swapped_at_once(self, relation: str, rename: str) -> bool:
        """Swap where nothing hangs on what stands, as is usual, in one round trip; tell whether that was so."""
        name, table = relation_parts(relation), quote_relation(relation, POSTGRES)
        seen = ask(self.session, _FOUND, *name)
        if seen and not seen[0][2]:
            return False
        # From the lock on nobody else changes what hangs on a table; until then somebody may have.
        lock = f"lock table {table} in share update exclusive mode; " if seen and seen[0][1] == "table" else ""
        drop = f"drop {seen[0][1]} {table}; " if seen else ""
        try:
            before, after = f"savepoint {_BEFORE_SWAP}; {lock}", f"; {drop}{rename}"
            if ask(self.session, _FOUND, *name, before=before, after=after) == seen:
                return True
        except EngineError as error:
            if error.kind in _NOT_ITS_FAULT - {ErrorKind.CONFLICT}:
                raise
        self.session.execute(f"rollback to savepoint {_BEFORE_SWAP}")
        return False

    def _found(self, relation: str) -> tuple[int, RelationKind, bool] | None:
        """Lock and return the object of this name, what it is, and whether nothing hangs on it; None if it is new."""
        name, lock = relation_parts(relation), ""
        kinds = ask(self.session, _KIND, *name)
        if not kinds:
            return None
        if kinds == [("r",)]:
            # From here on nobody else changes what hangs on it; who reads or writes it is not kept waiting yet.
            lock = f"lock table {quote_relation(relation, POSTGRES)} in share update exclusive mode; "
        found = ask(self.session, _FOUND, *name, before=lock)
        return found[0] if found else None

    def _steps(self, oid: int, into: str, kind: RelationKind) -> Sequence[Step]:
        found, grantees = ask(self.session, _STANDING, oid), ask(self.session, _DEFAULT_GRANTEES)
        old, *views = (_standing(row) for row in found)
        columns = PostgresCatalog(self.session).columns(into)
        said = ask(self.session, _OPTIONS, quote_relation(into, POSTGRES)) if old.options else ()
        named = {name for name, _ in columns}
        new = Newcomer(into, kind, named, tuple(who for (who,) in grantees), {name for (name,) in said})
        return swap_steps(old, views, new, POSTGRES)

    def _take(self, step: Step, relation: str) -> None:
        try:
            self.session.execute(step.sql)
        except EngineError as error:
            if error.kind in _NOT_ITS_FAULT:
                raise
            message = f"{relation} cannot be replaced"
            if step.carries:
                message = f"{message}: the new one cannot have {step.carries}"
            hint = f"Keep what it needs, or drop it: {step.fix}" if step.fix else error.hint
            raise EngineError(f"{message}: {error.message}", kind=ErrorKind.DEPENDENTS, hint=hint) from error


def _standing(row: tuple[Any, ...]) -> Standing:
    schema, name, kind, definition, options, persistence, owner, *several = row
    indexes, constraints, not_null, grants, comments, settings, obstacles = several
    return Standing(
        relation_name(schema, name),
        kind,
        definition.rstrip().rstrip(";"),
        options,
        persistence,
        owner,
        tuple(map(tuple, indexes)),
        tuple(map(tuple, constraints)),
        tuple(not_null),
        tuple(Grant(privilege, grantee, column, bool(option)) for privilege, grantee, column, option in grants),
        tuple(map(tuple, comments)),
        tuple(map(tuple, settings)),
        tuple(obstacles),
    )
