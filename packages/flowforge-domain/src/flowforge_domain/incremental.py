"""Incremental models: how new rows come into a table that stands, by each strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from flowforge_domain.config import Strategy
from flowforge_domain.errors import SettingError
from flowforge_domain.plan import Plan, Situation, deletion, equal, key_refusals, listed, of, together
from flowforge_domain.schema_change import alterations, losses, schema_change


def incremental_plan(situation: Situation) -> Plan:
    """Return how the staged rows of an incremental model come into its table.

    Raises `ConfigError` for columns that are not there, and for a change of columns that the settings do not allow.
    """
    config, dialect = situation.node.config, situation.dialect
    keys = situation.names(config.unique_key, "unique_key")
    refusals = key_refusals(f"{situation.source} as source", keys, dialect)
    if config.writes_by == "delete+insert":
        refusals = tuple(replace(one, hint=_whole_partitions(keys)) for one in refusals)
    _require_columns(situation, keys)
    standing = situation.standing
    if standing is None:
        return Plan(refusals, query=f"select * from {situation.source} as source")
    situation = situation.as_standing()
    keys = situation.names(config.unique_key, "unique_key")
    wanted = config.on_schema_change or "ignore"
    change = schema_change(situation.node.name, wanted, standing, situation.columns)
    left_out = {name.casefold() for name, _ in standing} | {name.casefold() for name, _ in change.added}
    columns = [name for name, _ in situation.columns if name.casefold() in left_out]
    writes = _STRATEGIES[config.writes_by](situation, keys, columns)
    alters = tuple(alterations(situation.target, change, dialect))
    asked = (*refusals, *losses(situation.target, change, standing, dialect))
    statements = together(tuple(writes), dialect)
    return Plan(asked, before=alters, statements=statements, reshaped=change.reshaped)


def _whole_partitions(keys: Sequence[str]) -> str:
    """Return what to write for a key that is given twice: elsewhere such a strategy replaces whole days."""
    by = repr(keys[0] if len(keys) == 1 else list(keys))
    instead = f"set incremental_strategy='insert_overwrite' and partition_by={by}, and no `unique_key`."
    return f"Make the query give each key once; or, to replace all rows of each {', '.join(keys)}, {instead}"


def _require_columns(situation: Situation, keys: Sequence[str]) -> None:
    """Refuse settings that name no column of the rows, also where these are the first and all of them stay."""
    config = situation.node.config
    if config.writes_by == "merge":
        _updated(situation, keys, ())
    if config.writes_by == "insert_overwrite":
        situation.names(config.partition_by, "partition_by")


def _append(situation: Situation, _: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    named = listed(columns, situation.dialect)
    yield f"insert into {situation.target} ({named}) select {named} from {situation.source} as source"


def _merge(situation: Situation, keys: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    dialect = situation.dialect
    meant = _meant(situation, keys)
    updated = _updated(situation, keys, columns)
    assigned = ", ".join(f"{of('', name, dialect)} = {of('source', name, dialect)}" for name in updated)
    named, given = listed(columns, dialect), listed(columns, dialect, "source")
    into, rows = f"{situation.target} as target", f"{situation.source} as source"
    if dialect.merges:
        update = f" when matched then update set {assigned}" if updated else ""
        insert = f" when not matched then insert ({named}) values ({given})"
        yield f"merge into {into} using {rows} on {meant}{update}{insert}"
        return
    if updated:
        yield f"update {into} set {assigned} from {rows} where {meant}"
    unknown = f"not exists (select 1 from {into} where {meant})"
    yield f"insert into {situation.target} ({named}) select {given} from {rows} where {unknown}"


def _delete_insert(situation: Situation, keys: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    yield _delete(situation, _meant(situation, keys))
    yield from _append(situation, keys, columns)


def _insert_overwrite(situation: Situation, keys: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    partitions = situation.names(situation.node.config.partition_by, "partition_by")
    if situation.dialect.overwrites:
        named = listed([*(c for c in columns if c not in partitions), *partitions], situation.dialect)
        over = listed(partitions, situation.dialect)
        yield situation.dialect.overwrites.format(table=situation.target, partitions=over, columns=named) + (
            f" select {named} from {situation.source} as source"
        )
        return
    yield _delete(situation, equal(partitions, situation.dialect, "is not distinct from"))
    yield from _append(situation, keys, columns)


_STRATEGIES: Mapping[Strategy, Callable[[Situation, Sequence[str], Sequence[str]], Iterator[str]]] = {
    "append": _append,
    "merge": _merge,
    "delete+insert": _delete_insert,
    "insert_overwrite": _insert_overwrite,
}


def _delete(situation: Situation, meant: str) -> str:
    return deletion(situation.target, situation.source, meant, situation.dialect)


def _meant(situation: Situation, keys: Sequence[str]) -> str:
    """Return the condition under which a row that stands is meant by a new one."""
    predicates = (f" and ({predicate})" for predicate in situation.node.config.incremental_predicates)
    return equal(keys, situation.dialect) + "".join(predicates)


def _updated(situation: Situation, keys: Sequence[str], columns: Sequence[str]) -> list[str]:
    config = situation.node.config
    if config.merge_update_columns:
        chosen = situation.names(config.merge_update_columns, "merge_update_columns")
        if twice := set(chosen) & set(keys):
            message = f"`merge_update_columns` names the key {min(twice)!r}."
            raise SettingError(message, setting="merge_update_columns", hint="Leave the key out.")
        return [name for name in chosen if name in columns]
    kept = {*keys, *situation.names(config.merge_exclude_columns, "merge_exclude_columns")}
    return [name for name in columns if name not in kept]
