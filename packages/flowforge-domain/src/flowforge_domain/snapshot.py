"""Snapshots: a table that keeps every version of a row, with the time from and to which it was valid.

Type 2 of the slowly changing dimensions of Kimball, R. (1996), "The Data Warehouse Toolkit". A version is current while
its `valid_to` is NULL; the versions of one key never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from flowforge_domain.config import SNAPSHOT_COLUMNS
from flowforge_domain.dialect import moment, quote_name, quote_relation
from flowforge_domain.errors import ConfigError, SettingError
from flowforge_domain.plan import Plan, Refusal, Situation, equal, key_refusals, listed, of, together
from flowforge_domain.schema_change import NO_TIMES, alterations, comparable, holds, schema_change, type_name
from flowforge_domain.swap import aside


def snapshot_plan(situation: Situation) -> Plan:
    """Return how the staged rows of a snapshot become versions in its table.

    Columns that the query gives anew are added, those it gives no more stay, and types that grow are followed. Raises
    `ConfigError` for columns that are not there, or that are called like the snapshot's own, and where the table that
    stands holds a history that these settings or columns do not go on with.
    """
    parts = _Parts(situation)
    _require_free_names(parts)
    situation.names(situation.node.config.check_cols, "check_cols")
    refusals = (*key_refusals(f"{situation.source} as source", parts.keys, situation.dialect), *_refusals(parts))
    if not _goes_on(parts):
        _require_time(parts)
        return Plan(refusals, query=_first(parts))
    parts = _Parts(situation.as_standing())
    dialect = situation.dialect
    changes = quote_relation(aside(situation.staged, "changes"), dialect)
    altered, reshaped = _alterations(parts)
    before = (*altered, f"{dialect.create_temporary} {changes} as {_changes(parts)}")
    written = together(tuple(_write(parts, changes)), dialect)
    asked = (*refusals, _of_versions(parts))
    after = (f"drop table {changes}",)
    return Plan(asked, before=before, statements=written, after=after, reshaped=reshaped)


@dataclass(frozen=True)
class _Parts:
    """The pieces of SQL that a snapshot's statements are made of."""

    situation: Situation

    @cached_property
    def names(self) -> dict[str, str]:
        """How the snapshot's own columns are called, by what they are for."""
        return {**SNAPSHOT_COLUMNS, **self.situation.node.config.snapshot_meta_column_names}

    @cached_property
    def own(self) -> dict[str, str]:
        """The names of the snapshot's own columns, quoted."""
        return {role: quote_name(name, self.situation.dialect) for role, name in self.names.items()}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return self.situation.names(self.situation.node.config.unique_key, "unique_key")

    @cached_property
    def columns(self) -> list[str]:
        return [name for name, _ in self.situation.columns]

    @cached_property
    def standing(self) -> Mapping[str, str]:
        """The types of the columns that stand, by their quoted names."""
        return {quote_name(name, self.situation.dialect): kind for name, kind in self.situation.standing or ()}

    @property
    def marks_deleted(self) -> bool:
        return self.situation.node.config.hard_deletes == "new_record"

    @property
    def knows_deleted(self) -> bool:
        """Whether versions tell that their row is gone: also where this was asked for once, and is no more."""
        left = self.own["is_deleted"] in self.standing and self.names["is_deleted"] not in self.columns
        return self.marks_deleted or left

    @cached_property
    def updated_at(self) -> str:
        """The new row's column that tells when it changed, "" for the strategy `check`."""
        config = self.situation.node.config
        return self.situation.names([config.updated_at], "updated_at")[0] if config.updated_at else ""

    def helper(self, name: str) -> str:
        """Return the name of a column of the statements' own, with underscores before it that the query's have not."""
        taken = {column.casefold() for column in self.columns}
        while name in taken:
            name = f"_{name}"
        return name

    @property
    def clock(self) -> str:
        """The type of the times of versions: that which they have, unless `updated_at` gives more than fits there."""
        stands = self.standing.get(self.own["valid_from"])
        if not self.updated_at:
            return stands or self.situation.dialect.types["timestamp"]
        given = dict(self.situation.columns)[self.updated_at]
        return given if stands is None else _fit(stands, given)

    @property
    def now(self) -> str:
        """The moment of the run."""
        return moment(self.situation.now, self.clock, self.situation.dialect)

    @property
    def since(self) -> str:
        """From when a row that was never seen before is valid."""
        return of("source", self.updated_at, self.situation.dialect) if self.updated_at else self.now


def _fit(stands: str, given: str) -> str:
    """Return the type that a column has to have, to hold what it has and what is given."""
    return stands if holds(stands, given) else given


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
            f"select {named} from {parts.situation.source} as source where {missing} limit 3",
            f"`updated_at` {parts.updated_at} is NULL in new rows; nothing was written.",
            "Make the query give a time for each row, or use strategy='check'.",
            setting="updated_at",
        )


def _first(parts: _Parts) -> str:
    """Return the query of a snapshot's first versions."""
    never = f"case when 1 = 0 then {parts.since} end"
    own = f"{parts.since} as {parts.own['valid_from']}, {never} as {parts.own['valid_to']}"
    if parts.marks_deleted:
        own += f", false as {parts.own['is_deleted']}"
    given = listed(parts.columns, parts.situation.dialect, "source")
    return f"select {given}, {own} from {parts.situation.source} as source"


def _goes_on(parts: _Parts) -> bool:
    """Tell whether the table that stands is this snapshot already, or one that it may replace.

    Raises `ConfigError` for one that may be a history, but not as these settings say: it cannot be made again.
    """
    times = ("valid_from", "valid_to")
    roles = (*times, "is_deleted") if _renames_marks(parts) else times
    lacking = [role for role in roles if parts.own[role] not in parts.standing]
    if not lacking:
        _require_keys(parts)
        return True
    stands = {name.casefold(): name for name, _ in parts.situation.standing or ()}
    left = [name for key, name in stands.items() if key not in {column.casefold() for column in parts.columns}]
    named = any(parts.names[role].casefold() in stands for role in times)
    # By whatever names: a history has two columns more than its query, at least.
    if len(left) > 1 or named or set(times) <= stands.keys():
        raise _other_history(parts, lacking[0], left)
    return False


def _renames_marks(parts: _Parts) -> bool:
    usual = quote_name(SNAPSHOT_COLUMNS["is_deleted"], parts.situation.dialect)
    return parts.marks_deleted and usual in parts.standing and SNAPSHOT_COLUMNS["is_deleted"] not in parts.columns


def _other_history(parts: _Parts, role: str, left: list[str]) -> SettingError:
    dialect, target = parts.situation.dialect, parts.situation.target
    usual = SNAPSHOT_COLUMNS[role]
    old = quote_name(usual, dialect) if usual in left and usual != parts.names[role] else "…"
    other = ", ".join(name for name in left if name not in parts.names.values())
    has = f", but {other}, which the query does not give" if other else ""
    message = f"Its table has no column {parts.names[role]}{has}. It may hold a history; nothing was written."
    rename = f"alter table {target} rename column {old} to {parts.own[role]}"
    hint = f"Take `snapshot_meta_column_names` back, or rename it: {rename}. To begin anew, drop the table."
    return SettingError(message, setting="snapshot_meta_column_names", hint=hint)


def _require_keys(parts: _Parts) -> None:
    stands = {name.casefold() for name, _ in parts.situation.standing or ()}
    if lacking := [key for key in parts.keys if key.casefold() not in stands]:
        message = (
            f"`unique_key` names {lacking[0]!r}, which the versions in the table do not have; nothing was written."
        )
        hint = "Take the setting back, or add the column to the table, and fill it there."
        raise SettingError(message, setting="unique_key", hint=hint)


def _of_versions(parts: _Parts) -> Refusal:
    """Return what refuses a key that is none of the versions that are current: which one would a new row end?"""
    keys, dialect = listed(parts.keys, parts.situation.dialect), parts.situation.dialect
    current = f"(select {keys} from {parts.situation.target} where {parts.own['valid_to']} is null) as versions"
    asked = key_refusals(current, parts.keys, dialect, "the current versions of the table")[0]
    hint = "Take the setting back, or choose a `unique_key` that each current version has for itself."
    return replace(asked, hint=hint, settled="")


def _alterations(parts: _Parts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what makes the table hold what the query gives, and the columns that become others by it.

    Raises `ConfigError` where it would hold other values.
    """
    _require_times(parts)
    situation, times = parts.situation, (parts.names["valid_from"], parts.names["valid_to"])
    own = tuple((name, _fit(parts.standing[quote_name(name, situation.dialect)], parts.clock)) for name in times)
    if parts.marks_deleted:
        own += ((parts.names["is_deleted"], _mark(parts)),)
    given, standing = (*situation.columns, *own), situation.standing or ()
    try:
        change = schema_change(situation.node.name, "append_new_columns", standing, given)
        altered = tuple(alterations(situation.target, change, situation.dialect))
    except ConfigError as error:
        old = {name.casefold(): kind for name, kind in standing}
        had = {name: old[name.casefold()] for name, _ in given if name.casefold() in old}
        other = ", ".join(f"{name} to {had[name]}" for name, kind in given if not holds(had.get(name, kind), kind))
        hint = f"Cast in the model {other}, or give the table's column the new type first (alter table)."
        raise ConfigError(error.message, hint=hint) from error
    mark = parts.own["is_deleted"]
    if parts.marks_deleted and mark not in parts.standing:
        # What stands was there when it was written: it says so as new rows do.
        altered = (*altered, f"update {situation.target} set {mark} = false where {mark} is null")
    return altered, change.reshaped


def _require_times(parts: _Parts) -> None:
    """Refuse times of rows that the times of the versions cannot become: another strategy made those."""
    stands = parts.standing[parts.own["valid_from"]]
    if not holds(stands, parts.clock) and not holds(parts.clock, stands):
        message = f"`updated_at` {parts.updated_at} is {parts.clock}, and the versions are valid from {stands}"
        hint = f"Cast it in the query to {stands}."
        raise SettingError(f"{message}; nothing was written.", setting="updated_at", hint=hint)


def _require_time(parts: _Parts) -> None:
    """Refuse to begin a history by times that none of the run's can become: it could not go on."""
    if parts.updated_at and type_name(parts.clock) in NO_TIMES:
        message = f"`updated_at` {parts.updated_at} is {parts.clock}, which is no time; nothing was written."
        hint = "Make a timestamp of it in the model, or use strategy='check'."
        raise SettingError(message, setting="updated_at", hint=hint)


def _mark(parts: _Parts) -> str:
    return parts.standing.get(parts.own["is_deleted"], parts.situation.dialect.types["boolean"])


def _changes(parts: _Parts) -> str:
    """Return the query of what happened: each row with when, whether it is gone, and whether it was current."""
    dialect, ended = parts.situation.dialect, parts.own["valid_to"]
    key, joined, current = of("target", parts.keys[0], dialect), equal(parts.keys, dialect), f"target.{ended} is null"
    given, kept, keys = (
        listed(parts.columns, dialect, "source"), listed(parts.columns, dialect, "target"), listed(parts.keys, dialect)
    )  # fmt: skip
    before = f"select {keys}, max({ended}) as {parts.helper('_ended')} from {parts.situation.target} group by {keys}"
    same = " and ".join(f"{of('earlier', n, dialect)} = {of('source', n, dialect)}" for n in parts.keys)
    at, gone, known = map(parts.helper, ("_at", "_gone", "_known"))
    query = (
        f"select {given}, {_moment(parts)} as {at}, false as {gone}, {key} is not null as {known} "
        f"from {parts.situation.source} as source "
        f"left join {parts.situation.target} as target on {joined} and {current} "
        f"left join ({before}) as earlier on {same} "
        f"where {key} is null or {_changed(parts)}"
    )
    if parts.situation.node.config.hard_deletes == "ignore":
        return query
    here = f"exists (select 1 from {parts.situation.source} as source where {joined})"
    alive = f" and not coalesce(target.{parts.own['is_deleted']}, false)" if parts.marks_deleted else ""
    return (
        f"{query} union all select {kept}, {_not_before(parts, _begun(parts))}, true, true "
        f"from {parts.situation.target} as target where {current} and not {here}{alive}"
    )


def _moment(parts: _Parts) -> str:
    """Return from when the new version is valid: the time that its row bears, where that lies behind what is told.

    A key that comes back is so from now on, as is a change that bears an earlier time than the version which it ends:
    that one was seen later. None is valid before those that were.
    """
    last = f"coalesce({_begun(parts)}, earlier.{parts.helper('_ended')})"
    later = _not_before(parts, last)
    if not parts.updated_at:
        return later
    known = f"{of('target', parts.keys[0], parts.situation.dialect)} is not null"
    alive = f" and not coalesce(target.{parts.own['is_deleted']}, false)" if parts.knows_deleted else ""
    follows = f"{known}{alive} and {parts.since} > {last}"
    return f"case when {last} is null or ({follows}) then {parts.since} else {later} end"


def _begun(parts: _Parts) -> str:
    return f"target.{parts.own['valid_from']}"


def _not_before(parts: _Parts, last: str) -> str:
    """Return the moment of the run, or that of `last` if the clock has not come there."""
    return f"case when {last} > {parts.now} then {last} else {parts.now} end"


def _changed(parts: _Parts) -> str:
    dialect, config = parts.situation.dialect, parts.situation.node.config
    if parts.updated_at:
        # Not with `valid_from`: that is the moment of a run for a row that came back, or was told by `check`.
        had = of("target", parts.updated_at, dialect)
        changed = f"{of('source', parts.updated_at, dialect)} > {had} or {had} is null"
    else:
        compared = parts.situation.names(config.check_cols, "check_cols") or parts.columns
        others = [name for name in compared if name not in parts.keys]
        differs = (f"{_compared('source', n, parts)} is distinct from {_compared('target', n, parts)}" for n in others)
        changed = " or ".join(differs) or "1 = 0"
    deleted = f" or coalesce(target.{parts.own['is_deleted']}, false)" if parts.knows_deleted else ""
    return f"({changed}{deleted})"


def _compared(alias: str, name: str, parts: _Parts) -> str:
    dialect, kind = parts.situation.dialect, dict(parts.situation.columns)[name]
    return comparable(of(alias, name, dialect), kind, dialect)


def _write(parts: _Parts, changes: str) -> Iterator[str]:
    """Yield what closes the versions that ended and adds those that begin, in one statement where that can be."""
    dialect, ended = parts.situation.dialect, parts.own["valid_to"]
    own = [parts.own["valid_from"], *([parts.own["is_deleted"]] if parts.knows_deleted else [])]
    into = ", ".join([listed(parts.columns, dialect), *own])
    at, gone, known, closes = map(parts.helper, ("_at", "_gone", "_known", "_closes"))
    values = ", ".join([listed(parts.columns, dialect, "source"), f"source.{at}", f"source.{gone}"][: 1 + len(own)])
    meant = f"{equal(parts.keys, dialect)} and target.{ended} is null"
    begins = "1 = 1" if parts.marks_deleted else f"not {gone}"
    target = f"{parts.situation.target} as target"
    if dialect.merges:
        rows = (
            f"select *, true as {closes} from {changes} where {known} "
            f"union all select *, false from {changes} where {begins}"
        )
        yield (
            f"merge into {target} using ({rows}) as source on {meant} and source.{closes} "
            f"when matched then update set {ended} = source.{at} "
            f"when not matched and not source.{closes} then insert ({into}) values ({values})"
        )
        return
    yield f"update {target} set {ended} = source.{at} from {changes} as source where {meant} and source.{known}"
    yield f"insert into {parts.situation.target} ({into}) select {values} from {changes} as source where {begins}"
