"""Snapshots: the versions that this engine keeps of rows that change, go and come back."""

from __future__ import annotations

from typing import Any

from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.dialect import moment
from flowforge_domain.model import model
from flowforge_domain.results import RunReport, Status
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, needs, rows
from flowforge_testkit.conformance.incremental import grow
from flowforge_testkit.conformance.use_cases import raise_first, run
from flowforge_testkit.fakes import Model, memory_project

_FIRST = "select 1 as id, 'ann' as name, 10 as score union all select 2, 'bob', 10"
_CHANGED = "select 1 as id, 'ann' as name, 10 as score union all select 2, 'bert', 20"
_WITHOUT_TWO = "select 1 as id, 'ann' as name, 10 as score"
_NAMES = {"valid_from": "since", "valid_to": "until", "is_deleted": "gone"}


@model(deps=["ff_new"])
def ff_history(new: Any) -> Any:
    """Give what is there now."""
    return new


def snap(engine: Engine, new: str, **settings: Any) -> RunReport:
    """Take a snapshot of these rows."""
    chosen = {"strategy": "check", **settings}
    return grow(engine, ModelConfig("snapshot", unique_key=("id",), **chosen), new, name="ff_history")


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


def _day(engine: Engine, day: int) -> str:
    return moment(f"2020-01-0{day} 00:00:00", engine.dialect.types["timestamp"], engine.dialect)
