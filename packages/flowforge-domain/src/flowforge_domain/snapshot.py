"""Snapshots: a table that keeps every version of a row, with the time from and to which it was valid.

Type 2 of the slowly changing dimensions of Kimball, R. (1996), "The Data Warehouse Toolkit". A version is current while
its `valid_to` is NULL; the versions of one key never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flowforge_domain.config import SNAPSHOT_COLUMNS
from flowforge_domain.dialect import moment, quote_name, quote_relation
from flowforge_domain.errors import ConfigError
from flowforge_domain.plan import Plan, Refusal, Situation, equal, key_refusals, listed, of, together
from flowforge_domain.schema_change import SchemaChange, alterations
from flowforge_domain.swap import aside


def snapshot_plan(situation: Situation) -> Plan:
    """Return how the staged rows of a snapshot become versions in its table.

    Columns that the query gives anew are added, those it gives no more stay. Raises `ConfigError` for columns that are
    not there, or that are called like the snapshot's own.
    """
    parts = _Parts(situation)
    _require_free_names(parts)
    refusals = (*key_refusals(situation.source, parts.keys, situation.dialect), *_refusals(parts))
    if not parts.goes_on:
        return Plan(refusals, query=_first(parts))
    dialect, target = situation.dialect, situation.target
    changes = quote_relation(aside(situation.staged, "changes"), dialect)
    alters = alterations(target, SchemaChange(added=_new_columns(parts)), dialect)
    before = (*alters, f"{dialect.create_temporary} {changes} as {_changes(parts)}")
    written = together(tuple(_write(parts, changes)), dialect)
    return Plan(refusals, before=before, statements=written, after=(f"drop table {changes}",))


@dataclass(frozen=True)
class _Parts:
    """The pieces of SQL that a snapshot's statements are made of."""

    situation: Situation

    @cached_property
    def own(self) -> dict[str, str]:
        """The names of the snapshot's own columns, quoted."""
        names = {**SNAPSHOT_COLUMNS, **self.situation.node.config.snapshot_meta_column_names}
        return {role: quote_name(name, self.situation.dialect) for role, name in names.items()}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return self.situation.names(self.situation.node.config.unique_key, "unique_key")

    @cached_property
    def columns(self) -> list[str]:
        return [name for name, _ in self.situation.columns]

    @property
    def goes_on(self) -> bool:
        """Whether the table that stands is a snapshot already."""
        standing = {quote_name(name, self.situation.dialect) for name, _ in self.situation.standing or ()}
        return {self.own["valid_from"], self.own["valid_to"]} <= standing

    @property
    def marks_deleted(self) -> bool:
        return self.situation.node.config.hard_deletes == "new_record"

    @cached_property
    def updated_at(self) -> str:
        """The new row's column that tells when it changed, "" for the strategy `check`."""
        config = self.situation.node.config
        return self.situation.names([config.updated_at], "updated_at")[0] if config.updated_at else ""

    @property
    def now(self) -> str:
        """The moment of the run, of the type of the `updated_at` column where there is one."""
        kinds, dialect = dict(self.situation.columns), self.situation.dialect
        kind = kinds[self.updated_at] if self.updated_at else dialect.types["timestamp"]
        return moment(self.situation.now, kind, dialect)

    @property
    def since(self) -> str:
        """From when a row that was never seen before is valid."""
        return of("source", self.updated_at, self.situation.dialect) if self.updated_at else self.now


def _require_free_names(parts: _Parts) -> None:
    taken = {quote_name(name, parts.situation.dialect) for name in parts.columns}
    for role, name in parts.own.items():
        if name in taken and (role != "is_deleted" or parts.marks_deleted):
            hint = f"Rename it there, or set snapshot_meta_column_names={{'{role}': …}}."
            raise ConfigError(f"The query gives a column {name}, which the snapshot itself adds.", hint=hint)


def _refusals(parts: _Parts) -> Iterator[Refusal]:
    if parts.updated_at:
        named = listed(parts.keys, parts.situation.dialect)
        missing = f"{quote_name(parts.updated_at, parts.situation.dialect)} is null"
        yield Refusal(
            f"select {named} from {parts.situation.source} where {missing} limit 3",
            f"`updated_at` {parts.updated_at} is NULL in new rows; nothing was written.",
            "Make the query give a time for each row, or use strategy='check'.",
        )


def _first(parts: _Parts) -> str:
    """Return the query of a snapshot's first versions."""
    never = f"case when 1 = 0 then {parts.since} end"
    own = f"{parts.since} as {parts.own['valid_from']}, {never} as {parts.own['valid_to']}"
    if parts.marks_deleted:
        own += f", false as {parts.own['is_deleted']}"
    given = listed(parts.columns, parts.situation.dialect, "source")
    return f"select {given}, {own} from {parts.situation.source} as source"


def _new_columns(parts: _Parts) -> tuple[tuple[str, str], ...]:
    standing = {name.casefold() for name, _ in parts.situation.standing or ()}
    new = [(name, kind) for name, kind in parts.situation.columns if name.casefold() not in standing]
    names = {**SNAPSHOT_COLUMNS, **parts.situation.node.config.snapshot_meta_column_names}
    if parts.marks_deleted and names["is_deleted"].casefold() not in standing:
        new.append((names["is_deleted"], parts.situation.dialect.types["boolean"]))
    return tuple(new)


def _changes(parts: _Parts) -> str:
    """Return the query of what happened: each row with when, whether it is gone, and whether it was current."""
    dialect, current = parts.situation.dialect, f"target.{parts.own['valid_to']} is null"
    key, joined = of("target", parts.keys[0], dialect), equal(parts.keys, dialect)
    given, kept = listed(parts.columns, dialect, "source"), listed(parts.columns, dialect, "target")
    query = (
        f"select {given}, {_moment(parts)} as _at, false as _gone, {key} is not null as _known "
        f"from {parts.situation.source} as source "
        f"left join {parts.situation.target} as target on {joined} and {current} "
        f"where {key} is null or {_changed(parts)}"
    )
    if parts.situation.node.config.hard_deletes == "ignore":
        return query
    here = f"exists (select 1 from {parts.situation.source} as source where {joined})"
    alive = f" and not coalesce(target.{parts.own['is_deleted']}, false)" if parts.marks_deleted else ""
    return (
        f"{query} union all select {kept}, {parts.now}, true, true "
        f"from {parts.situation.target} as target where {current} and not {here}{alive}"
    )


def _moment(parts: _Parts) -> str:
    """Return from when the new version is valid: a key that comes back is so from now on, or it would overlap."""
    if not parts.updated_at:
        return parts.now
    key = of("target", parts.keys[0], parts.situation.dialect)
    same = equal(parts.keys, parts.situation.dialect).replace("target.", "earlier.")
    before = f"exists (select 1 from {parts.situation.target} as earlier where {same})"
    back = f"{key} is null and {before}"
    if parts.marks_deleted:
        back = f"({back}) or coalesce(target.{parts.own['is_deleted']}, false)"
    return f"case when {back} then {parts.now} else {parts.since} end"


def _changed(parts: _Parts) -> str:
    dialect, config = parts.situation.dialect, parts.situation.node.config
    if parts.updated_at:
        changed = f"{of('source', parts.updated_at, dialect)} > target.{parts.own['valid_from']}"
    else:
        compared = parts.situation.names(config.check_cols, "check_cols") or parts.columns
        others = [name for name in compared if name not in parts.keys]
        differs = (f"{of('source', n, dialect)} is distinct from {of('target', n, dialect)}" for n in others)
        changed = " or ".join(differs) or "1 = 0"
    deleted = f" or coalesce(target.{parts.own['is_deleted']}, false)" if parts.marks_deleted else ""
    return f"({changed}{deleted})"


def _write(parts: _Parts, changes: str) -> Iterator[str]:
    """Yield what closes the versions that ended and adds those that begin, in one statement where that can be."""
    dialect, ended = parts.situation.dialect, parts.own["valid_to"]
    own = [parts.own["valid_from"], *([parts.own["is_deleted"]] if parts.marks_deleted else [])]
    into = ", ".join([listed(parts.columns, dialect), *own])
    values = ", ".join([listed(parts.columns, dialect, "source"), "source._at", "source._gone"][: 1 + len(own)])
    meant = f"{equal(parts.keys, dialect)} and target.{ended} is null"
    begins = "1 = 1" if parts.marks_deleted else "not _gone"
    target = f"{parts.situation.target} as target"
    if dialect.merges:
        rows = (
            f"select *, true as _closes from {changes} where _known "
            f"union all select *, false from {changes} where {begins}"
        )
        yield (
            f"merge into {target} using ({rows}) as source on {meant} and source._closes "
            f"when matched then update set {ended} = source._at "
            f"when not matched and not source._closes then insert ({into}) values ({values})"
        )
        return
    yield f"update {target} set {ended} = source._at from {changes} as source where {meant} and source._known"
    yield f"insert into {parts.situation.target} ({into}) select {values} from {changes} as source where {begins}"
