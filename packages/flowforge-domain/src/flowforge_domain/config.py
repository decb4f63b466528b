"""The settings of a model: how it is materialized, and what else a project says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BUILT_IN = ("table", "view", "incremental", "ephemeral", "snapshot")
"""How a model can be materialized without a plugin."""

_GROWING = ("incremental",)
_KEPT = ("incremental", "snapshot")
KINDS_WITH: Mapping[str, tuple[str, ...]] = {
    "unique_key": _KEPT,
    "full_refresh": _GROWING,
    "incremental_strategy": _GROWING,
    "merge_update_columns": _GROWING,
    "merge_exclude_columns": _GROWING,
    "incremental_predicates": _GROWING,
    "on_schema_change": _GROWING,
    **dict.fromkeys(("strategy", "updated_at", "check_cols", "hard_deletes"), ("snapshot",)),
    "snapshot_meta_column_names": ("snapshot",),
    **dict.fromkeys(("partition_by", "cluster_by"), ("table", *_KEPT)),
    **dict.fromkeys(("pre_hook", "post_hook"), ("table", "view", *_KEPT)),
}
"""The settings that mean something to some of the `BUILT_IN` materializations only, and to which."""

Strategy = Literal["append", "merge", "delete+insert", "insert_overwrite"]
OnSchemaChange = Literal["ignore", "fail", "append_new_columns", "sync_all_columns"]
SnapshotStrategy = Literal["timestamp", "check"]
HardDeletes = Literal["ignore", "invalidate", "new_record"]

SNAPSHOT_COLUMNS: Mapping[str, str] = {name: name for name in ("valid_from", "valid_to", "is_deleted")}
"""What a snapshot adds to its rows, and how the columns are called unless `snapshot_meta_column_names` says."""


@dataclass(frozen=True, slots=True)
class ColumnConfig:
    """What a project says about one column of a model."""

    description: str = ""
    data_type: str = ""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Settings of a model, merged from the project, its folder, its YAML entry and its own file.

    `materialized` is one of `BUILT_IN`, or a plugin's; `schema` and `alias` say where a plain query is written.
    `full_refresh` says once and for all whether an incremental model is built from scratch; None leaves it to the
    command. Where `on_schema_change` says nothing, a changed definition is built from scratch, and columns that differ
    are ignored otherwise. `incremental_strategy` is `merge` where nothing is said and there is a `unique_key`, else
    `append`; `incremental_predicates` are conditions over `target` and `source`. `strategy`, `updated_at`, `check_cols`
    (no names mean all columns) and `hard_deletes` belong to snapshots. Hooks are SQL that runs in the transaction of
    the build.
    """

    materialized: str = "table"
    schema: str = ""
    alias: str = ""
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, ColumnConfig] = field(default_factory=dict)
    full_refresh: bool | None = None
    unique_key: tuple[str, ...] = ()
    incremental_strategy: Strategy | None = None
    merge_update_columns: tuple[str, ...] = ()
    merge_exclude_columns: tuple[str, ...] = ()
    incremental_predicates: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    on_schema_change: OnSchemaChange | None = None
    strategy: SnapshotStrategy | None = None
    updated_at: str = ""
    check_cols: tuple[str, ...] = ()
    hard_deletes: HardDeletes = "ignore"
    snapshot_meta_column_names: Mapping[str, str] = field(default_factory=dict)
    pre_hook: tuple[str, ...] = ()
    post_hook: tuple[str, ...] = ()

    @property
    def is_replaced(self) -> bool:
        """Whether each build replaces all that the model was, so that no row of an earlier one stays."""
        return self.materialized in ("table", "view", "ephemeral")

    @property
    def stands_as(self) -> Literal["table", "view"]:
        """What the model is in the target's catalog; for an ephemeral one, what it would be."""
        return "view" if self.materialized in ("view", "ephemeral") else "table"

    @property
    def writes_by(self) -> Strategy:
        """The strategy of an incremental model, said or implied."""
        return self.incremental_strategy or ("merge" if self.unique_key else "append")


def config_faults(config: ModelConfig) -> Iterator[tuple[str, str, str]]:
    """Yield what does not go together in a model's settings: the one to blame, the words, and one fix."""
    if config.materialized == "incremental":
        yield from _incremental_faults(config)
    if config.materialized == "snapshot":
        yield from _snapshot_faults(config)


def _incremental_faults(config: ModelConfig) -> Iterator[tuple[str, str, str]]:
    by, of_columns = "incremental_strategy", "merge_exclude_columns"
    if config.writes_by in ("merge", "delete+insert") and not config.unique_key:
        yield by, f"The strategy {config.writes_by!r} needs `unique_key`.", "Add unique_key='id', or a list of columns."
    if config.writes_by == "append" and config.unique_key:
        hint = "Use merge or delete+insert, or drop `unique_key`."
        yield by, "The strategy 'append' knows no key: rows come twice.", hint
    if config.writes_by == "insert_overwrite" and not config.partition_by:
        hint = "Add partition_by='day', or a list of columns."
        yield by, "The strategy 'insert_overwrite' needs `partition_by`.", hint
    if any(mark in predicate for mark in ("{{", "{%") for predicate in config.incremental_predicates):
        said = "`incremental_predicates` are not rendered: a template in them would be compared as the text that it is."
        yield "incremental_predicates", said, "Write the value out, or put the condition into the query."
    if config.merge_update_columns and config.merge_exclude_columns:
        said = "`merge_update_columns` and `merge_exclude_columns` exclude each other."
        yield of_columns, said, "Keep one of them."
    if (config.merge_update_columns or config.merge_exclude_columns) and config.writes_by != "merge":
        said = f"The strategy {config.writes_by!r} updates no columns."
        key = "merge_update_columns" if config.merge_update_columns else of_columns
        yield key, said, "Use merge, or drop `merge_…_columns`."


def _snapshot_faults(config: ModelConfig) -> Iterator[tuple[str, str, str]]:
    if not config.unique_key:
        yield "materialized", "A snapshot needs `unique_key`.", "Add unique_key='id', or a list of columns."
    if config.strategy is None:
        hint = "Add strategy='timestamp' with updated_at=…, or strategy='check'."
        yield "materialized", "A snapshot needs `strategy`.", hint
    if (config.strategy == "timestamp") != bool(config.updated_at):
        key = "updated_at" if config.updated_at else "strategy"
        said = "`updated_at` and strategy='timestamp' go together."
        yield key, said, "Name the column that tells when a row changed."
    if config.check_cols and config.strategy == "timestamp":
        said = "The strategy 'timestamp' compares no columns."
        yield "check_cols", said, "Drop `check_cols`, or use strategy='check'."
