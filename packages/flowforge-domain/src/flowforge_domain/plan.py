"""Plans: what a materialization does with the new rows of a model once they lie staged beside its relation.

A plan is made by a pure function and carried out in the transaction of the build: its refusals are asked first, then
either the relation is replaced by the rows of `query`, or `statements` change the table where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flowforge_domain.dialect import Dialect, quote_name, quote_relation
from flowforge_domain.errors import SettingError
from flowforge_domain.model import Node
from flowforge_domain.text import did_you_mean

Columns = tuple[tuple[str, str], ...]
"""Name and engine type of each column of a table."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan depends on: the model, its new rows, and what stands.

    `staged` is the table that holds the new rows, with these `columns`; `standing` are the columns of the model's
    table, None where there is none, or where it is to be built from scratch; one of type `NO_TYPE` has no values, and
    may become anything. `now` is the moment of the run, ISO 8601 in UTC. `casts` are the values of the columns that
    are staged under another type, or another name, than they have here.
    """

    node: Node
    staged: str
    columns: Columns
    standing: Columns | None
    dialect: Dialect
    now: str
    casts: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The model's relation, quoted."""
        return quote_relation(self.node.relation, self.dialect)

    @property
    def source(self) -> str:
        """The staged rows: their table, quoted, or a query in brackets; behind it stands an alias."""
        staged = quote_relation(self.staged, self.dialect)
        if not self.casts:
            return staged
        quoted = ((quote_name(name, self.dialect), self.casts.get(name, "")) for name, _ in self.columns)
        return f"(select {', '.join(f'{cast} as {name}' if cast else name for name, cast in quoted)} from {staged})"

    def as_standing(self) -> Situation:
        """Return the situation with the new rows' columns spelled as in the table that stands.

        One whose case alone has changed is the same column, also to an engine that tells the two apart.
        """
        given = {name for name, _ in self.columns}
        spelled = {name.casefold(): name for name, _ in self.standing or () if name not in given}
        taken = {name for name, _ in self.standing or ()}
        own = {name: name if name in taken else spelled.get(name.casefold(), name) for name in given}
        renamed = {new: quote_name(old, self.dialect) for old, new in own.items() if new != old}
        casts = renamed | {own[name]: cast for name, cast in self.casts.items()}
        return replace(self, columns=tuple((own[name], kind) for name, kind in self.columns), casts=casts)

    def names(self, wanted: Sequence[str], setting: str) -> tuple[str, ...]:
        """Return the new rows' own spelling of these columns.

        Raises `SettingError` for one that is not there; `setting` is who named it.
        """
        spelled = {name.casefold(): name for name, _ in self.columns}
        for name in wanted:
            if name.casefold() not in spelled:
                known = [known for known, _ in self.columns]
                hint = did_you_mean(name, known) or f"It gives {', '.join(known)}."
                message = f"`{setting}` names {name!r}, which the model does not give."
                raise SettingError(message, setting=setting, hint=hint)
        return tuple(spelled[name.casefold()] for name in wanted)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason not to go on: rows that `query` gives, shown as examples below `message`.

    Where one of them holds a NULL, `of_null` is said instead, if there is such a message. `setting` is the one that the
    rows do not go with. `settled`, where there is one, is a cheaper query of one value, which is true only if `query`
    would give nothing.
    """

    query: str
    message: str
    hint: str
    settled: str = ""
    setting: str = ""
    of_null: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, and what to do then.

    `query` gives the rows that replace the relation, or `statements` change it where it stands, all of them together;
    `before` makes ready what they need and does no harm alone, `after` clears helpers away. `reshaped` are the columns
    of the relation that `before` drops, or gives another type.
    """

    refusals: tuple[Refusal, ...] = ()
    query: str = ""
    before: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()


def together(statements: Sequence[str], dialect: Dialect) -> tuple[str, ...]:
    """Return statements that happen all or not at all, as one script where the engine has no open transactions."""
    if len(statements) > 1 and dialect.script:
        return (dialect.script.format(";\n".join(statements)),)
    return tuple(statements)


def listed(names: Iterable[str], dialect: Dialect, alias: str = "") -> str:
    """Return a list of quoted columns, each of table `alias` where one is given."""
    return ", ".join(of(alias, name, dialect) for name in names)


def of(alias: str, name: str, dialect: Dialect) -> str:
    """Return a quoted column of a table's alias."""
    return f"{alias}.{quote_name(name, dialect)}" if alias else quote_name(name, dialect)


def equal(names: Iterable[str], dialect: Dialect, sign: str = "=") -> str:
    """Return the condition that `source` and `target` agree in these columns."""
    return " and ".join(f"{of('target', n, dialect)} {sign} {of('source', n, dialect)}" for n in names)


def deletion(target: str, source: str, meant: str, dialect: Dialect) -> str:
    """Return what deletes the rows of a (quoted) table that a row of `source` means."""
    if dialect.deletes_by_merge:
        return f"merge into {target} as target using {source} as source on {meant} when matched then delete"
    return f"delete from {target} as target where exists (select 1 from {source} as source where {meant})"


def key_refusals(
    relation: str, keys: Sequence[str], dialect: Dialect, rows: str = "the new rows"
) -> tuple[Refusal, ...]:
    """Return what refuses rows whose key is not a key: NULL, or there more than once.

    `relation` is what stands behind `from`: quoted, with an alias where it is a query; `rows` are its rows in words.
    """
    if not keys:
        return ()
    named = listed(keys, dialect)
    nulls = " or ".join(f"{quote_name(key, dialect)} is null" for key in keys)
    query = f"select {named} from {relation} group by {named} having count(*) > 1 or {nulls} limit 3"
    said = ", ".join(keys)
    return (
        Refusal(
            query,
            f"`unique_key` {said} is the same in several of {rows}; nothing was written.",
            "Make the query give each key once, or choose another `unique_key`.",
            _rising(relation, keys, dialect) if dialect.streams_windows else "",
            "unique_key",
            f"`unique_key` {said} is NULL in some of {rows}; nothing was written.",
        ),
    )


def _rising(relation: str, keys: Sequence[str], dialect: Dialect) -> str:
    """Return the query whether each key is greater than that of the row before: then, in whatever order, none is twice.

    New rows mostly come in the order of their key, and to see that takes a tenth of what grouping them takes.
    """
    own, before = ([f"{side}{number}" for number in range(len(keys))] for side in ("own", "before"))
    named = [quote_name(key, dialect) for key in keys]
    columns = (f"{k} as {o}, lag({k}) over () as {b}" for k, o, b in zip(named, own, before, strict=True))
    rises = f"count(case when ({', '.join(own)}) > ({', '.join(before)}) then 1 end)"
    whole = "".join(f" and count({name}) = count(*)" for name in own)
    return f"select count(*) <= 1 + {rises}{whole} from (select {', '.join(columns)} from {relation}) as pairs"
