"""Swaps: a relation that was built beside another takes its name, and everything that hung on it.

For engines where views, indexes and grants belong to an object and not to its name. The plan runs at the end of the
build's transaction. Nothing is dropped before the new relation is whole, and nothing is dropped along: what the plan
does not know of makes the engine refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256

from flowforge_domain.dialect import Dialect, RelationKind, quote_name, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.materialize import rename_statement
from flowforge_domain.relation import relation_name, relation_parts

EVERYONE = ""
_ASIDE = re.compile(r"_flowforge_[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Grant:
    """A right on a relation, or on one column of it, in the engine's word; `EVERYONE` is a grantee too."""

    privilege: str
    grantee: str
    column: str = ""
    grantable: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A relation as it stands, with all that hangs on it; definitions are texts of the engine itself.

    `indexes` and `constraints` are pairs of name and definition, `comments` of column (or "") and text; `settings` hold
    column (or ""), the statement that makes one, and that which undoes it. `persistence` is a word behind `set`, empty
    for what is usual, and `owner` is empty where it is who builds. `obstacles` describe what cannot be given to another
    relation.
    """

    relation: str
    kind: RelationKind
    definition: str = ""
    options: str = ""
    persistence: str = ""
    owner: str = ""
    indexes: tuple[tuple[str, str], ...] = ()
    constraints: tuple[tuple[str, str], ...] = ()
    not_null: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()
    obstacles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What was built: under which name, as what, with which columns, and who has rights on it by default.

    `options` are the names of those that its own statement says.
    """

    relation: str
    kind: RelationKind
    columns: Set[str]
    grantees: tuple[str, ...] = ()
    options: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One statement; where it gives back what hung on the old relation, `carries` names that and `fix` drops it."""

    sql: str
    carries: str = ""
    fix: str = ""


def aside(relation: str, purpose: str = "") -> str:
    """Return the name, in the same schema, of a helper of `relation`: by default what is to take its place."""
    *schema, name = relation_parts(relation)
    digest = sha256(f"{name}{purpose and chr(0)}{purpose}".encode("utf-8", "surrogatepass")).hexdigest()
    return relation_name(*schema, f"_flowforge_{digest[:16]}")


def is_aside(relation: str) -> bool:
    """Return whether a name is one that `aside` gives."""
    return bool(_ASIDE.fullmatch(relation_parts(relation)[-1]))


@contextmanager
def built_beside(
    relation: str,
    kinds: tuple[RelationKind, RelationKind],
    left: RelationKind | None,
    execute: Callable[[str], object],
    dialect: Dialect,
) -> Iterator[str]:
    """Give the name under which to build, and let what was built take the place of `relation` after the block.

    `kinds` are what it was and what it becomes, one that the dialect `renames`; `left` is what a crash left under the
    helper's name, if anything. For engines without transactions: a failed build leaves the old one and nothing beside
    it, but between the drop and the rename there is neither.
    """
    into, (was, becomes) = aside(relation), kinds
    if left:
        execute(_drop_if_there(into, left, dialect))
    try:
        yield into
    except BaseException:
        with suppress(EngineError):
            execute(_drop_if_there(into, becomes, dialect))
        raise
    execute(_drop_if_there(relation, was, dialect))
    execute(rename_statement(into, relation, becomes, dialect))


def swap_steps(old: Standing, views: Sequence[Standing], new: Newcomer, dialect: Dialect) -> tuple[Step, ...]:
    """Return the steps by which `new` takes the place of `old`; `views` stand on it, each after those it stands on.

    These are dropped, and made again by `view_steps` then. Raises `EngineError` of kind DEPENDENTS for what is in the
    way.
    """
    _require_no_obstacles((old, *views), f"{old.relation} cannot be replaced")
    steps = [Step(_drop(view, dialect)) for view in reversed(views)]
    name = quote_name(relation_parts(old.relation)[-1], dialect)
    steps.append(Step(_drop(old, dialect)))
    steps.append(Step(f"alter {new.kind} {quote_relation(new.relation, dialect)} rename to {name}"))
    steps.extend(_belongings(old, new, dialect))
    return tuple(steps)


def removal_steps(relation: str, views: Sequence[Standing], dialect: Dialect) -> tuple[Step, ...]:
    """Return the steps that drop the views which are in the way of a change of `relation`; raise as `swap_steps`."""
    _require_no_obstacles(views, f"{relation} cannot be altered")
    return tuple(Step(_drop(view, dialect)) for view in reversed(views))


def view_steps(view: Standing, grantees: Sequence[str], dialect: Dialect) -> tuple[Step, ...]:
    """Return the step that makes a view again from its definition, and those that give back what hung on it."""
    return (_recreated(view, dialect), *_shared(view, None, grantees, dialect))


def renewal_steps(view: Standing, new: Newcomer, dialect: Dialect) -> tuple[Step, ...]:
    """Return the steps that give what hung on a view to the one that was made in its place, of another text."""
    return tuple(_belongings(view, new, dialect))


def _require_no_obstacles(standing: Sequence[Standing], refused: str) -> None:
    found = [obstacle for one in standing for obstacle in one.obstacles]
    if found:
        hint = "Drop them first, or let the model write another relation."
        if all(obstacle.startswith("materialized view ") for obstacle in found):
            hint = f"Drop it first: {'; '.join(f'drop {obstacle}' for obstacle in reversed(found))}"
        message = f"{refused}; these would be lost: {', '.join(found)}."
        raise EngineError(message, kind=ErrorKind.DEPENDENTS, hint=hint)


def _belongings(old: Standing, new: Newcomer, dialect: Dialect) -> Iterator[Step]:
    """Give the new relation what hung on the old; a view has no indexes or constraints, nor options of a table."""
    table = quote_relation(old.relation, dialect)
    if old.kind == new.kind == "table" and old.persistence:
        # Before the indexes, which it would make once more.
        yield Step(f"alter table {table} set {old.persistence}", f"its being {old.persistence}")
    yield from _options(old, new, dialect)
    if old.kind == new.kind == "table":
        for column in old.not_null:
            if column in new.columns:
                said = quote_name(column, dialect)
                drop = f"alter table {table} alter column {said} drop not null"
                yield Step(f"alter table {table} alter column {said} set not null", f"`not null` of {said}", drop)
        for name, definition in old.constraints:
            fix = f"alter table {table} drop constraint {quote_name(name, dialect)}"
            added = f"alter table {table} add constraint {quote_name(name, dialect)} {definition}"
            yield Step(added, f"constraint {name}", fix)
        for name, definition in old.indexes:
            schema = relation_parts(old.relation)[:-1]
            fix = f"drop index {quote_relation(relation_name(*schema, name), dialect)}"
            yield Step(definition, f"index {name}", fix)
        for column, statement, undone in old.settings:
            if not column or column in new.columns:
                yield Step(statement, f"a setting of {column or 'the table'}", undone)
    yield from _shared(old, new.columns, new.grantees, dialect, new.kind)


def _options(old: Standing, new: Newcomer, dialect: Dialect) -> Iterator[Step]:
    """Give back the options that the new relation's own statement does not say."""
    kept = [said for said in old.options.split(", ") if said and said.partition("=")[0] not in new.options]
    if kept and old.kind == new.kind:
        alter = f"alter {new.kind} {quote_relation(old.relation, dialect)}"
        names = ", ".join(said.partition("=")[0] for said in kept)
        yield Step(f"{alter} set ({', '.join(kept)})", "its options", f"{alter} reset ({names})")


def _recreated(view: Standing, dialect: Dialect) -> Step:
    name = quote_relation(view.relation, dialect)
    options = f" with ({view.options})" if view.options else ""
    return Step(f"create view {name}{options} as {view.definition}", f"view {view.relation}", f"drop view {name}")


def _shared(
    old: Standing,
    columns: Set[str] | None,
    grantees: Sequence[str],
    dialect: Dialect,
    kind: RelationKind = "view",
) -> Iterator[Step]:
    """Give back comments, rights and owner; those of a column that is no more went with it."""
    relation = quote_relation(old.relation, dialect)
    for column, text in old.comments:
        if not column:
            yield Step(f"comment on {kind} {relation} is {quote_text(text, dialect)}", "its comment")
        elif columns is None or column in columns:
            yield Step(f"comment on column {relation}.{quote_name(column, dialect)} is {quote_text(text, dialect)}")
    for grantee in grantees:
        yield Step(f"revoke all on {relation} from {_role(grantee, dialect)}")
    for grant in old.grants:
        if not grant.column or columns is None or grant.column in columns:
            yield Step(_granted(grant, relation, dialect), f"the right of {grant.grantee or 'everyone'}")
    if old.owner:
        yield Step(f"alter {kind} {relation} owner to {quote_name(old.owner, dialect)}", f"owner {old.owner}")


def _granted(grant: Grant, relation: str, dialect: Dialect) -> str:
    column = f" ({quote_name(grant.column, dialect)})" if grant.column else ""
    option = " with grant option" if grant.grantable else ""
    return f"grant {grant.privilege}{column} on {relation} to {_role(grant.grantee, dialect)}{option}"


def _role(grantee: str, dialect: Dialect) -> str:
    return "public" if grantee == EVERYONE else quote_name(grantee, dialect)


def _drop_if_there(relation: str, kind: RelationKind, dialect: Dialect) -> str:
    return f"drop {kind} if exists {quote_relation(relation, dialect)}"


def _drop(standing: Standing, dialect: Dialect) -> str:
    return f"drop {standing.kind} {quote_relation(standing.relation, dialect)}"
