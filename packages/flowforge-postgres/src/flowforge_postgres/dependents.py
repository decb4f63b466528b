"""What hangs on a relation, and the views on it: looked up, taken down, and given back one step after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flowforge_domain.dialect import RelationKind, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_domain.relation import relation_name, relation_parts
from flowforge_domain.swap import Grant, Newcomer, Standing, Step, removal_steps, renewal_steps, view_steps
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.prepared import ask
from flowforge_postgres.session import PostgresSession

NOT_ITS_FAULT = {
    ErrorKind.UNREACHABLE,
    ErrorKind.TRANSIENT,
    ErrorKind.CANCELLED,
    ErrorKind.STOPPED,
    ErrorKind.CONFLICT,
    ErrorKind.SPACE,
}
_NAMED = """
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and c.relkind not in ('i', 'I', 't')
"""
_KIND = f"select c.relkind::text {_NAMED}"
# Two numbers are another kind of lock than the one number of `PostgresLock`.
ONE_AT_A_TIME = "select pg_advisory_xact_lock(1179602775, 1)"
# The object of a name, and whether nothing at all hangs on it, as is usual.
FOUND = f"""
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
# Of a relation its columns, and the options that it was made with.
_BUILT = """
select array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
  array(select split_part(said, '=', 1) from unnest(c.reloptions) said)
from pg_class c where c.oid = $1::regclass
"""
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
# The relation $1 and the views on it, or on columns $2 of it (a JSON array, '' for all), each after those it stands on,
# with what hangs on each of them.
_STANDING = f"""
with recursive standing(oid, depth) as (
  select $1::oid, 0
  union
  select r.ev_class, s.depth + 1 from standing s
  join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = s.oid
    and d.classid = 'pg_rewrite'::regclass and d.deptype = 'n' and ($2::text = '' or s.depth > 0
      or exists (select from pg_attribute a where a.attrelid = s.oid and a.attnum = d.refobjsubid
        and a.attname in (select json_array_elements_text(nullif($2::text, '')::json))))
  join pg_rewrite r on r.oid = d.objid and r.ev_class <> s.oid
  join pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
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
class PostgresDependents:
    """The views that stand on what one session changes."""

    session: PostgresSession
    schema: str
    _texts: list[Callable[[str], str]] = field(default_factory=list)

    @contextmanager
    def altering(self, relation: str, columns: Collection[str]) -> Iterator[None]:
        name = whole_name(relation, self.schema)
        refused = f"{name} cannot be altered"
        self.session.query(ONE_AT_A_TIME)
        found = found_as(self.session, name)
        views = standing(self.session, found[0], json.dumps(list(columns)))[1:] if found else []
        for step in removal_steps(name, views, POSTGRES):
            take(self.session, step, refused)
        yield
        self.make_again(views, refused)

    @contextmanager
    def renewing(self, text: Callable[[str], str]) -> Iterator[None]:
        self._texts.append(text)
        try:
            yield
        finally:
            self._texts.pop()

    def make_again(self, views: Sequence[Standing], refused: str) -> None:
        """Make views as they were, or else as their models have them now, where one may need another first."""
        grantees = _default_grantees(self.session) if views else ()
        while views:
            left = [(view, error) for view in views if (error := self._again(view, grantees, refused))]
            if len(left) == len(views):
                raise _none_fits(left)
            views = [view for view, _ in left]

    def _again(self, view: Standing, grantees: Sequence[str], refused: str) -> EngineError | None:
        """Make a view with all that hung on it, or return why it cannot be made yet."""
        made, *rest = view_steps(view, grantees, POSTGRES)
        error = self._tried(made, refused)
        if error is not None:
            try:
                text = self._texts[-1](view.relation) if self._texts else ""
            except FlowForgeError as reason:
                message = f"{error.message}\n{reason.message}"
                return EngineError(message, kind=ErrorKind.DEPENDENTS, hint=reason.hint or error.hint)
            if not text:
                return error
            error = self._tried(replace(made, sql=text, carries=f"{made.carries}, as its model is now"), refused)
            if error is not None:
                return error
            rest = [*renewal_steps(view, built(self.session, view.relation, "view"), POSTGRES)]
        for step in rest:
            take(self.session, step, refused)
        return None

    def _tried(self, step: Step, refused: str) -> EngineError | None:
        """Take a step, or return why it cannot be taken, with everything as it was."""
        # On a line of its own: a model may end in a comment.
        sql = f"savepoint flowforge_view; {step.sql}\n; release savepoint flowforge_view"
        try:
            take(self.session, replace(step, sql=sql), refused)
        except EngineError as error:
            if error.kind is not ErrorKind.DEPENDENTS:
                raise
            self.session.execute("rollback to savepoint flowforge_view; release savepoint flowforge_view")
            return error
        return None


def whole_name(relation: str, schema: str) -> str:
    """Return a relation with its schema, which is by default the session's."""
    *own, name = relation_parts(relation)
    return relation_name(own[-1] if own else schema, name)


def found_as(session: PostgresSession, relation: str) -> tuple[int, RelationKind, bool] | None:
    """Lock and return the object of this name, what it is, and whether nothing hangs on it; None if it is new."""
    name, lock = relation_parts(relation), ""
    kinds = ask(session, _KIND, *name)
    if not kinds:
        return None
    if kinds == [("r",)]:
        # From here on nobody else changes what hangs on it; who reads or writes it is not kept waiting yet.
        lock = f"lock table {quote_relation(relation, POSTGRES)} in share update exclusive mode; "
    found = ask(session, FOUND, *name, before=lock)
    return found[0] if found else None


def standing(session: PostgresSession, oid: int, columns: str = "") -> list[Standing]:
    """Return a relation with all that hangs on it, and the views on it, or on these columns (as JSON) of it."""
    return [_standing(row) for row in ask(session, _STANDING, oid, columns)]


def built(session: PostgresSession, relation: str, kind: RelationKind) -> Newcomer:
    """Return what was just built."""
    [(columns, options)] = ask(session, _BUILT, quote_relation(relation, POSTGRES))
    return Newcomer(relation, kind, set(columns), _default_grantees(session), set(options))


def take(session: PostgresSession, step: Step, refused: str) -> None:
    """Run a step; raise `EngineError` of kind DEPENDENTS that begins with `refused` where it does not fit."""
    try:
        session.execute(step.sql)
    except EngineError as error:
        if error.kind in NOT_ITS_FAULT:
            raise
        message = f"{refused}: the new one cannot have {step.carries}" if step.carries else refused
        hint = f"Keep what it needs, or drop it: {step.fix}" if step.fix else error.hint
        raise EngineError(f"{message}: {error.message}", kind=ErrorKind.DEPENDENTS, hint=hint) from error


def _default_grantees(session: PostgresSession) -> tuple[str, ...]:
    return tuple(grantee for (grantee,) in ask(session, _DEFAULT_GRANTEES))


def _none_fits(left: Sequence[tuple[Standing, EngineError]]) -> EngineError:
    """Return the error of the first of these views, which tells of the others too, and drops those first."""
    (_, error), *others = left
    if others:
        drops = [f"drop view {quote_relation(view.relation, POSTGRES)}" for view, _ in reversed(left)]
        error.message += f"\nNor can it have {', '.join(f'view {view.relation}' for view, _ in others)}."
        if error.hint.endswith(drops[-1]):
            error.hint = error.hint.removesuffix(drops[-1]) + "; ".join(drops)
    return error


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
