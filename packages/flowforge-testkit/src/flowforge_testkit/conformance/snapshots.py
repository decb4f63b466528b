"""Snapshots: the versions that this engine keeps of rows that change, go and come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.config import HardDeletes, ModelConfig
from flowforge_domain.dialect import NeutralType, moment
from flowforge_domain.model import model
from flowforge_domain.results import RunReport, Status
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, needs, rows
from flowforge_testkit.conformance.incremental import grow, grow_by
from flowforge_testkit.conformance.use_cases import raise_first, run
from flowforge_testkit.fakes import Model, memory_project
from flowforge_testkit.report import remark

_FIRST = "select 1 as id, 'ann' as name, 10 as score union all select 2, 'bob', 10"
_CHANGED = "select 1 as id, 'ann' as name, 10 as score union all select 2, 'bert', 20"
_WITHOUT_TWO = "select 1 as id, 'ann' as name, 10 as score"
_OVERLAPS = (
    "select a.id from ff_history as a join ff_history as b on a.id = b.id and a.valid_from < b.valid_from "
    "where a.valid_to is null or a.valid_to > b.valid_from"
)
_VALUES: dict[NeutralType, tuple[str, str]] = {
    "date": ("2024-02-28", "2024-02-29"),
    "timestamp": ("2024-02-29 23:59:59.999998", "2024-02-29 23:59:59.999999"),
    "timestamptz": ("2024-02-29 23:59:59+00:00", "2024-02-29 23:59:59+05:30"),
    "decimal": ("0.25", "0.125"),
    "json": ('{"a": 1}', '{"a": 2}'),
}
_NAMES = {"valid_from": "since", "valid_to": "until", "is_deleted": "gone"}


@model(deps=["ff_new"])
def ff_history(new: Any) -> Any:
    """Give what is there now."""
    return new


def snap(engine: Engine, new: str, **settings: Any) -> RunReport:
    """Take a snapshot of these rows."""
    chosen = {"strategy": "check", "unique_key": ("id",), **settings}
    return grow(engine, ModelConfig("snapshot", **chosen), new, name="ff_history")


def versions(engine: Engine) -> list[tuple[Any, ...]]:
    """Return each version's content and whether it is current."""
    return rows(engine, "select id, name, valid_to is null from ff_history")


@needs(Capability.ROW_CHANGES)
def test_check_keeps_a_version_of_what_changed(engine: Engine) -> None:
    for new in (_FIRST, _FIRST, _CHANGED, _CHANGED):
        raise_first(snap(engine, new))
    assert versions(engine) == [(1, "ann", True), (2, "bert", True), (2, "bob", False)]
    joined = "select count(*) from ff_history as a join ff_history as b on a.id = b.id and a.valid_to = b.valid_from"
    assert rows(engine, joined) == [(1,)]
    assert set(engine.catalog.relations()) == {"ff_new", "ff_history", STATE_TABLE}


@needs(Capability.ROW_CHANGES)
def test_check_looks_at_the_named_columns_only(engine: Engine) -> None:
    raise_first(snap(engine, _FIRST, check_cols=("score",)))
    raise_first(snap(engine, "select 1 as id, 'anna' as name, 10 as score", check_cols=("score",)))
    assert versions(engine) == [(1, "ann", True), (2, "bob", True)]


@needs(Capability.ROW_CHANGES)
@pytest.mark.parametrize("key", ["id", "_ended"])
def test_columns_may_be_called_as_those_of_the_statements(engine: Engine, key: str) -> None:
    settings = {"unique_key": (key,), "hard_deletes": "invalidate"}
    for rest in ("1 as _at, 1 as _gone, 1 as _known, 1 as _closes", "2 as _at, 1 as _gone, 1 as _known, 1 as _closes"):
        raise_first(snap(engine, f"select 7 as {key}, {rest}", **settings))
    found = rows(engine, f"select {key}, _at, valid_to is null from ff_history")
    assert found == [(7, 1, False), (7, 2, True)]


@needs(Capability.ROW_CHANGES)
def test_timestamp_goes_by_the_time_of_the_row(engine: Engine) -> None:
    settings = {"strategy": "timestamp", "updated_at": "changed_at"}
    for name, day in (("ann", 1), ("late", 1), ("anna", 3)):
        raise_first(snap(engine, f"select 1 as id, '{name}' as name, {_day(engine, day)} as changed_at", **settings))
    assert versions(engine) == [(1, "ann", False), (1, "anna", True)]
    ended = f"select name from ff_history where valid_to = {_day(engine, 3)} and valid_from = {_day(engine, 1)}"
    assert rows(engine, ended) == [("ann",)]


@needs(Capability.ROW_CHANGES)
def test_rows_that_are_gone_are_kept_ended_or_marked(engine: Engine) -> None:
    raise_first(snap(engine, _FIRST))
    raise_first(snap(engine, _WITHOUT_TWO))
    assert versions(engine) == [(1, "ann", True), (2, "bob", True)]
    raise_first(snap(engine, _WITHOUT_TWO, hard_deletes="invalidate"))
    assert versions(engine) == [(1, "ann", True), (2, "bob", False)]
    raise_first(snap(engine, _FIRST, hard_deletes="invalidate"))
    assert versions(engine) == [(1, "ann", True), (2, "bob", False), (2, "bob", True)]


@needs(Capability.ROW_CHANGES)
def test_a_deleted_row_is_a_version_of_its_own(engine: Engine) -> None:
    for new in (_FIRST, _WITHOUT_TWO, _WITHOUT_TWO, _FIRST):
        raise_first(snap(engine, new, hard_deletes="new_record", snapshot_meta_column_names=_NAMES))
    found = rows(engine, "select id, gone, until is null from ff_history")
    assert found == [(1, False, True), (2, False, False), (2, False, True), (2, True, False)]


@needs(Capability.ROW_CHANGES)
def test_versions_from_before_deleted_rows_were_marked_are_marked_as_not_deleted(engine: Engine) -> None:
    raise_first(snap(engine, _FIRST))
    raise_first(snap(engine, _WITHOUT_TWO, hard_deletes="new_record"))
    found = rows(engine, "select id, is_deleted, valid_to is null from ff_history")
    assert found == [(1, False, True), (2, False, False), (2, True, True)]


@needs(Capability.ROW_CHANGES)
@pytest.mark.parametrize("kind", _VALUES)
def test_check_tells_values_of_each_type_apart(engine: Engine, kind: NeutralType) -> None:
    if kind not in engine.dialect.types or (kind == "timestamp" and "date" not in engine.dialect.types):
        pytest.xfail(f"not claimed by {engine.name}: the type {kind}")
    old, new = (f"select 1 as id, cast('{value}' as {engine.dialect.types[kind]}) as v" for value in _VALUES[kind])
    for query in (old, old, new):
        raise_first(snap(engine, query))
    assert rows(engine, "select count(*) from ff_history") == [(2,)]


@needs(Capability.ROW_CHANGES)
def test_a_history_that_could_not_go_on_is_not_begun(engine: Engine) -> None:
    """By columns that are not there, or a time that is none."""
    report = snap(engine, _FIRST, check_cols=("nope",))
    assert "`check_cols` names 'nope'" in str(report.results[0].error)
    number = "select 1 as id, cast(7 as integer) as score"
    report = snap(engine, number, strategy="timestamp", updated_at="score")
    assert "`updated_at` score is " in str(report.results[0].error)
    assert "ff_history" not in engine.catalog.relations()


@needs(Capability.ROW_CHANGES)
def test_new_columns_of_the_query_are_added(engine: Engine) -> None:
    raise_first(snap(engine, _FIRST))
    wider = "select 1 as id, 'ann' as name, 10 as score, 7 as age union all select 2, 'bob', 10, null"
    raise_first(snap(engine, wider))
    assert rows(engine, "select id, age, valid_to is null from ff_history") == [
        (1, 7, True),
        (1, None, False),
        (2, None, True),
    ]


@needs(Capability.ROW_CHANGES)
def test_a_key_that_is_none_leaves_the_history_as_it_was(engine: Engine) -> None:
    raise_first(snap(engine, _FIRST))
    for wrong in (f"{_CHANGED} union all select 2, 'twice', 20", f"{_CHANGED} union all select null, 'none', 20"):
        assert snap(engine, wrong).results[0].status is Status.FAILED
    assert versions(engine) == [(1, "ann", True), (2, "bob", True)]


@needs(Capability.ROW_CHANGES, Capability.PYTHON_MODELS)
def test_python_model_is_a_snapshot(engine: Engine) -> None:
    config = ModelConfig("snapshot", unique_key=("id",), strategy="check")
    for new in (_FIRST, _CHANGED):
        build(engine, "ff_data", new)
        models: dict[str, Model] = {"ff_new": "select * from ff_data", "ff_history": ff_history}
        raise_first(run(engine, memory_project(models, configs={"ff_history": config})))
    assert versions(engine) == [(1, "ann", True), (2, "bert", True), (2, "bob", False)]


@needs(Capability.ROW_CHANGES, Capability.PYTHON_MODELS)
def test_a_frame_with_holes_leaves_the_types_of_a_history(engine: Engine) -> None:
    config = ModelConfig("snapshot", unique_key=("id",), strategy="check")
    for batch in (
        [(1, 7, 1.5, "a"), (2, 8, 2.5, "b")],
        [(1, 7, 1.5, "a"), (2, None, None, None)],
        [(3, None, None, None)],
        [],
    ):
        raise_first(grow_by(engine, batch, config, "ff_history"))
    found = rows(engine, "select id, i, f, s, valid_to is null from ff_history")
    assert found == [
        (1, 7, 1.5, "a", True),
        (2, 8, 2.5, "b", False),
        (2, None, None, None, True),
        (3, None, None, None, True),
    ]


@needs(Capability.ROW_CHANGES)
@pytest.mark.parametrize("names", [{"valid_to": "until"}, {"valid_from": "since"}, _NAMES], ids=len)
def test_a_history_under_other_names_is_refused(engine: Engine, names: Mapping[str, str]) -> None:
    for new in (_FIRST, _CHANGED):
        raise_first(snap(engine, new))
    report = snap(engine, _CHANGED, snapshot_meta_column_names=names)
    assert "may hold a history; nothing was written" in str(report.results[0].error)
    assert "rename column" in str(report.results[0].error)
    assert versions(engine) == [(1, "ann", True), (2, "bert", True), (2, "bob", False)]


@needs(Capability.ROW_CHANGES)
def test_a_history_goes_on_under_its_names_only(engine: Engine) -> None:
    for new in (_FIRST, _CHANGED):
        raise_first(snap(engine, new, snapshot_meta_column_names=_NAMES))
    assert snap(engine, _CHANGED).results[0].status is Status.FAILED
    raise_first(snap(engine, _FIRST, snapshot_meta_column_names=_NAMES))
    assert rows(engine, "select count(*) from ff_history where id = 2") == [(3,)]


@needs(Capability.ROW_CHANGES)
def test_marks_of_deleted_rows_under_another_name_are_refused(engine: Engine) -> None:
    for new in (_FIRST, _WITHOUT_TWO):
        raise_first(snap(engine, new, hard_deletes="new_record"))
    names = {"is_deleted": "gone"}
    report = snap(engine, _WITHOUT_TWO, hard_deletes="new_record", snapshot_meta_column_names=names)
    assert "no column gone" in str(report.results[0].error)
    assert rows(engine, "select count(*) from ff_history") == [(3,)]


@needs(Capability.ROW_CHANGES)
@pytest.mark.parametrize("key", ["score", "age"])
def test_a_key_that_does_not_fit_the_history_is_refused(engine: Engine, key: str) -> None:
    """It is the same in two current versions, or the history has no such column."""
    raise_first(snap(engine, _FIRST))
    new = "select 1 as id, 'ann' as name, 10 as score, 5 as age"
    report = snap(engine, new, unique_key=(key,))
    assert f"`unique_key` names '{key}'" in (said := str(report.results[0].error)) or f"`unique_key` {key}" in said
    assert versions(engine) == [(1, "ann", True), (2, "bob", True)]


@needs(Capability.ROW_CHANGES)
def test_a_table_becomes_a_snapshot_and_one_without_its_columns_is_replaced(engine: Engine) -> None:
    raise_first(grow(engine, ModelConfig(), f"select * from ({_FIRST}) as old where id = 1", name="ff_history"))
    for new in (_FIRST, _CHANGED):
        raise_first(snap(engine, new))
    assert versions(engine) == [(1, "ann", True), (2, "bert", True), (2, "bob", False)]


@needs(Capability.ROW_CHANGES)
@pytest.mark.parametrize("hard_deletes", ["invalidate", "new_record"])
def test_changes_of_a_row_that_came_back_are_told(engine: Engine, hard_deletes: HardDeletes) -> None:
    """Its version is valid from a run that was later than the time of the next change."""
    settings = {"strategy": "timestamp", "updated_at": "changed_at", "hard_deletes": hard_deletes}
    one = f"select 1 as id, 'ann' as name, {_day(engine, 1)} as changed_at"
    for two in (("bob", 1), None, ("bob", 1), ("bert", 2), ("bert", 2)):
        more = f" union all select 2, '{two[0]}', {_day(engine, two[1])}" if two else ""
        raise_first(snap(engine, one + more, **settings))
    assert rows(engine, "select name from ff_history where id = 2 and valid_to is null") == [("bert",)]
    assert rows(engine, "select count(*) from ff_history where id = 2 and name = 'bert'") == [(1,)]
    assert rows(engine, _OVERLAPS) == []


@needs(Capability.ROW_CHANGES)
def test_timestamp_goes_on_with_the_versions_of_check(engine: Engine) -> None:
    first, second, third = (
        f"select 1 as id, '{name}' as name, {_day(engine, day)} as changed_at"
        for name, day in (("ann", 1), ("late", 1), ("anna", 3))
    )
    raise_first(snap(engine, first))
    for new in (second, third, third):
        raise_first(snap(engine, new, strategy="timestamp", updated_at="changed_at"))
    assert versions(engine) == [(1, "ann", False), (1, "anna", True)]
    assert rows(engine, _OVERLAPS) == []


@needs(Capability.ROW_CHANGES)
def test_no_version_ends_before_it_begins(engine: Engine) -> None:
    """Rows may bear times that have not come."""
    future = moment("2100-01-01 00:00:00", engine.dialect.types["timestamp"], engine.dialect)
    settings = {"strategy": "timestamp", "updated_at": "changed_at", "hard_deletes": "invalidate"}
    one = f"select 1 as id, 'ann' as name, {future} as changed_at"
    for new in (f"{one} union all select 2, 'bob', {future}", one, f"{one} union all select 2, 'bob', {future}"):
        raise_first(snap(engine, new, **settings))
    assert versions(engine) == [(1, "ann", True), (2, "bob", False), (2, "bob", True)]
    assert rows(engine, "select id from ff_history where valid_to < valid_from") == []
    assert rows(engine, _OVERLAPS) == []


@needs(Capability.ROW_CHANGES)
def test_marks_of_deleted_rows_are_known_when_none_are_asked_for_any_more(engine: Engine) -> None:
    for new in (_FIRST, _WITHOUT_TWO):
        raise_first(snap(engine, new, hard_deletes="new_record"))
    for new in (_FIRST, _FIRST):
        raise_first(snap(engine, new))
    found = rows(engine, "select id, is_deleted, valid_to is null from ff_history")
    assert found == [(1, False, True), (2, False, False), (2, False, True), (2, True, False)]


@needs(Capability.ROW_CHANGES)
def test_a_history_holds_what_the_query_gives_or_refuses_it(engine: Engine, request: pytest.FixtureRequest) -> None:
    """Where a type grows; and no version is added for a value that was stored as another."""
    raise_first(snap(engine, "select 1 as id, cast(7 as integer) as score"))
    wider = "select 1 as id, cast(5000000000 as bigint) as score"
    report = snap(engine, wider)
    if not engine.dialect.retype:
        remark(request.node, "refused, as its dialect gives no column a wider type")
        assert "score is now" in str(report.results[0].error)
        return
    for again in (report, snap(engine, wider)):
        raise_first(again)
    assert rows(engine, "select score from ff_history where valid_to is null") == [(5000000000,)]
    assert rows(engine, "select count(*) from ff_history") == [(2,)]


@needs(Capability.ROW_CHANGES)
def test_a_value_that_the_history_cannot_hold_is_refused(engine: Engine) -> None:
    raise_first(snap(engine, "select 1 as id, cast(1 as integer) as score"))
    kept = rows(engine, "select id, score from ff_history")
    report = snap(engine, f"select 1 as id, cast('a' as {engine.dialect.types['text']}) as score")
    assert "score is now" in (said := str(report.results[0].error))
    assert "alter table" in said
    assert rows(engine, "select id, score from ff_history") == kept


@needs(Capability.ROW_CHANGES, Capability.VIEWS, Capability.INCREMENTAL)
@pytest.mark.parametrize("kind", ["table", "view", "incremental"])
def test_a_snapshot_follows_another_kind_and_is_followed_by_it(engine: Engine, kind: str) -> None:
    """Nobody asks for a full refresh: what stands after each switch is what the query gives."""
    for new in (_FIRST, _CHANGED):
        raise_first(snap(engine, new))
    raise_first(grow(engine, ModelConfig(kind), _WITHOUT_TWO, name="ff_history"))
    assert engine.catalog.relations()["ff_history"].kind == ("view" if kind == "view" else "table")
    assert rows(engine, "select * from ff_history") == [(1, "ann", 10)]
    for new in (_FIRST, _CHANGED):
        raise_first(snap(engine, new))
    assert engine.catalog.relations()["ff_history"].kind == "table"
    assert versions(engine) == [(1, "ann", True), (2, "bert", True), (2, "bob", False)]


def _day(engine: Engine, day: int) -> str:
    return moment(f"2020-01-0{day} 00:00:00", engine.dialect.types["timestamp"], engine.dialect)
