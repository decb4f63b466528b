"""Incremental models: each strategy on this engine, changes of columns, and what is refused before it is written."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig, OnSchemaChange, Strategy
from flowforge_domain.errors import ErrorKind, ModelError, UnsupportedByEngineError
from flowforge_domain.model import model
from flowforge_domain.results import Rows, RunReport, Status
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, claims, frames_of, named, needs, rows
from flowforge_testkit.conformance.use_cases import caused_by, raise_first, run
from flowforge_testkit.fakes import Clock, Model, memory_project
from flowforge_testkit.report import remark

_FIRST = "select 1 as id, 'ann' as name, 'x' as part union all select 2, 'bob', 'y'"
_NEXT = "select 2 as id, 'bert' as name, 'y' as part union all select 3, 'cyd', 'z'"
_GREAT = "select 2 as id, cast(5000000000 as bigint) as score"
_RULES: tuple[OnSchemaChange, ...] = ("ignore", "fail", "append_new_columns")

# One for all runs: each takes place later than those before.
_CLOCK = Clock()


@model(deps=["ff_new"])
def ff_grown(new: Any) -> Any:
    """Give what is new."""
    return new


@model(deps=["ff_new"])
def ff_only_once(new: Any, this: Any = None) -> Any:
    """Give what is new, or, where there is something already, just that again."""
    return new if this is None else this


def grow(
    engine: Engine, config: ModelConfig, new: str, full_refresh: bool = False, name: str = "ff_grown"
) -> RunReport:
    """Run an incremental model on these new rows."""
    build(engine, "ff_new", new)
    project = memory_project({name: f"select * from {named(engine, 'ff_new')}"}, configs={name: config})
    return run(engine, project, full_refresh, _CLOCK)


def grow_by(engine: Engine, batch: list[tuple[Any, ...]], config: ModelConfig, name: str = "ff_grown") -> RunReport:
    """Run a Python model that gives these rows of an id, an integer, a float and a text."""

    @model()
    def given() -> Any:
        return frames_of(engine).from_rows(Rows(("id", "i", "f", "s"), batch))

    return run(engine, memory_project({name: given}, configs={name: config}), False, _CLOCK)


def incremental(strategy: Strategy, on_schema_change: OnSchemaChange | None = None, **settings: Any) -> ModelConfig:
    """Return the settings of an incremental model with key `id` and partition `part` where the strategy takes them."""
    keys = {"unique_key": ("id",)} if strategy in ("merge", "delete+insert") else {}
    parts = {"partition_by": ("part",)} if strategy == "insert_overwrite" else {}
    return ModelConfig(
        "incremental",
        incremental_strategy=strategy,
        on_schema_change=on_schema_change,
        **{**keys, **parts, **settings},
    )


@needs(Capability.INCREMENTAL)
def test_append_keeps_what_stands(engine: Engine) -> None:
    raise_first(grow(engine, incremental("append"), _FIRST))
    raise_first(grow(engine, incremental("append"), _NEXT))
    assert rows(engine, "select id, name from ff_grown") == [(1, "ann"), (2, "bert"), (2, "bob"), (3, "cyd")]


@needs(Capability.INCREMENTAL)
def test_insert_overwrite_replaces_whole_partitions(engine: Engine, request: pytest.FixtureRequest) -> None:
    """By the dialect's `overwrites`, or by deleting rows; where neither is, it is refused before anything is built."""
    only_appends = Capability.INCREMENTAL in engine.capabilities and Capability.ROW_CHANGES not in engine.capabilities
    if only_appends and not engine.dialect.overwrites:
        remark(request.node, "refused, as its dialect overwrites no partitions and it changes no rows")
        with pytest.raises(UnsupportedByEngineError):
            grow(engine, incremental("insert_overwrite"), _FIRST)
        assert "ff_grown" not in engine.catalog.relations()
        return
    raise_first(grow(engine, incremental("insert_overwrite"), f"{_FIRST} union all select 9, 'old', 'y'"))
    raise_first(grow(engine, incremental("insert_overwrite"), _NEXT))
    assert rows(engine, "select id, name from ff_grown") == [(1, "ann"), (2, "bert"), (3, "cyd")]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
@pytest.mark.parametrize("strategy", ["merge", "delete+insert"])
def test_new_rows_take_the_place_of_those_with_their_key(engine: Engine, strategy: Strategy) -> None:
    raise_first(grow(engine, incremental(strategy), _FIRST))
    raise_first(grow(engine, incremental(strategy), _NEXT))
    raise_first(grow(engine, incremental(strategy), _NEXT))
    assert rows(engine, "select id, name from ff_grown") == [(1, "ann"), (2, "bert"), (3, "cyd")]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
def test_merge_by_two_keys_updates_the_chosen_columns(engine: Engine) -> None:
    config = incremental("merge", unique_key=("id", "part"), merge_update_columns=("name",))
    raise_first(
        grow(engine, config, "select 1 as id, 'a' as part, 'x' as name, 1 as n union all select 1, 'b', 'y', 2")
    )
    raise_first(grow(engine, config, "select 1 as id, 'b' as part, 'z' as name, 9 as n"))
    assert rows(engine, "select id, part, name, n from ff_grown") == [(1, "a", "x", 1), (1, "b", "z", 2)]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
def test_merge_leaves_excluded_columns_alone_and_keeps_to_its_predicates(engine: Engine) -> None:
    config = incremental("merge", merge_exclude_columns=("part",), incremental_predicates=("target.id < 3",))
    raise_first(grow(engine, config, _FIRST))
    raise_first(grow(engine, config, "select 2 as id, 'bert' as name, 'other' as part"))
    assert rows(engine, "select id, name, part from ff_grown") == [(1, "ann", "x"), (2, "bert", "y")]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
def test_delete_insert_deletes_only_what_its_predicates_mean(engine: Engine) -> None:
    config = incremental("delete+insert", incremental_predicates=("target.part <> 'y'",))
    raise_first(grow(engine, config, _FIRST))
    raise_first(grow(engine, config, "select 1 as id, 'anna' as name, 'x' as part union all select 2, 'bert', 'y'"))
    assert rows(engine, "select id, name from ff_grown") == [(1, "anna"), (2, "bert"), (2, "bob")]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
@pytest.mark.parametrize("strategy", ["merge", "delete+insert"])
@pytest.mark.parametrize("wrong", ["3, 'twice', 'z'", "null, 'none', 'z'"])
def test_a_key_that_is_none_is_refused_before_anything_is_written(
    engine: Engine, strategy: Strategy, wrong: str
) -> None:
    raise_first(grow(engine, incremental(strategy), _FIRST))
    report = grow(engine, incremental(strategy), f"{_NEXT} union all select {wrong}")
    assert isinstance(report.results[0].error, ModelError)
    assert "unique_key" in str(report.results[0].error)
    assert rows(engine, "select id, name from ff_grown") == [(1, "ann"), (2, "bob")]


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
def test_a_key_that_is_none_is_refused_in_the_first_build(engine: Engine) -> None:
    report = grow(engine, incremental("merge"), f"{_FIRST} union all select 2, 'twice', 'y'")
    assert report.results[0].status is Status.FAILED
    assert "ff_grown" not in engine.catalog.relations()


@needs(Capability.INCREMENTAL, Capability.ROW_CHANGES)
def test_a_refused_build_leaves_no_new_rows_behind(engine: Engine) -> None:
    """Also where no transaction takes back the table that held them."""
    report = grow(engine, incremental("merge"), f"{_FIRST} union all select 2, 'twice', 'y'")
    assert report.results[0].status is Status.FAILED
    raise_first(grow(engine, incremental("merge"), _FIRST))
    assert rows(engine, "select id from ff_grown") == [(1,), (2,)]


@needs(Capability.INCREMENTAL)
def test_full_refresh_builds_from_scratch_unless_the_model_forbids_it(engine: Engine) -> None:
    raise_first(grow(engine, incremental("append"), _FIRST))
    raise_first(grow(engine, incremental("append"), _NEXT, full_refresh=True))
    assert rows(engine, "select id from ff_grown") == [(2,), (3,)]
    raise_first(grow(engine, incremental("append", full_refresh=False), _FIRST, full_refresh=True))
    assert rows(engine, "select id from ff_grown") == [(1,), (2,), (2,), (3,)]


@needs(Capability.INCREMENTAL)
def test_new_columns_are_left_out_or_added(engine: Engine, request: pytest.FixtureRequest) -> None:
    """Where no column can be added, the table is left as it was, by name."""
    wider = "select 3 as id, 'cyd' as name, 'z' as part, 7 as age"
    raise_first(grow(engine, incremental("append"), _FIRST))
    raise_first(grow(engine, incremental("append"), wider))
    assert [name for name, _ in engine.catalog.columns("ff_grown")] == ["id", "name", "part"]
    report = grow(engine, incremental("append", "append_new_columns"), wider)
    if not engine.dialect.adds:
        remark(request.node, "refused, as its dialect adds no column")
        assert f"{engine.dialect.name} adds no columns" in str(report.results[0].error)
        return
    raise_first(report)
    assert rows(engine, "select id, age from ff_grown where id > 1") == [(2, None), (3, 7), (3, None)]


@needs(Capability.INCREMENTAL)
def test_columns_that_are_gone_are_dropped_kept_or_refused(engine: Engine) -> None:
    narrow = "select 3 as id, 'cyd' as name"
    raise_first(grow(engine, incremental("append"), _FIRST))
    rules: tuple[OnSchemaChange, ...] = ("ignore", "fail")
    for rule in rules:
        report = grow(engine, incremental("append", rule), narrow)
        assert "part is gone" in str(report.results[0].error)
    raise_first(grow(engine, incremental("append", "append_new_columns"), narrow))
    assert rows(engine, "select id, part from ff_grown") == [(1, "x"), (2, "y"), (3, None)]


@needs(Capability.INCREMENTAL)
def test_columns_are_synchronized(engine: Engine, request: pytest.FixtureRequest) -> None:
    """Where no column can be dropped, the table is left as it was, by name."""
    raise_first(grow(engine, incremental("append"), _FIRST))
    standing = [name for name, _ in engine.catalog.columns("ff_grown")]
    report = grow(engine, incremental("append", "sync_all_columns"), "select 3 as id, 'cyd' as name, 7 as age")
    if not engine.dialect.drops:
        remark(request.node, "refused, as its dialect drops no column")
        assert f"{engine.dialect.name} drops no columns" in str(report.results[0].error)
        assert [name for name, _ in engine.catalog.columns("ff_grown")] == standing
        return
    raise_first(report)
    assert [name for name, _ in engine.catalog.columns("ff_grown")] == ["id", "name", "age"]
    assert rows(engine, "select id, age from ff_grown") == [(1, None), (2, None), (3, 7)]


@needs(Capability.INCREMENTAL)
def test_a_type_that_grows_is_followed_or_refused(engine: Engine, request: pytest.FixtureRequest) -> None:
    """A value is never stored as another one: where no column can be given a wider type, nothing is written."""
    raise_first(grow(engine, incremental("append"), "select 1 as id, cast(7 as integer) as score"))
    report = grow(engine, incremental("append", "append_new_columns"), _GREAT)
    if not engine.dialect.retype:
        remark(request.node, "refused, as its dialect gives no column a wider type")
        assert "score is now" in str(report.results[0].error)
        assert rows(engine, "select id, score from ff_grown") == [(1, 7)]
        return
    raise_first(report)
    assert rows(engine, "select id, score from ff_grown") == [(1, 7), (2, 5000000000)]


@needs(Capability.INCREMENTAL)
def test_a_type_that_is_another_is_refused(engine: Engine) -> None:
    raise_first(grow(engine, incremental("append"), "select 1 as id, cast(7 as integer) as score"))
    text = f"select 2 as id, cast('a' as {engine.dialect.types['text']}) as score"
    for rule in _RULES:
        assert "score is now" in str(grow(engine, incremental("append", rule), text).results[0].error)
    assert rows(engine, "select id, score from ff_grown") == [(1, 7)]


@needs(Capability.INCREMENTAL)
def test_no_value_that_stands_is_rounded_by_another_type(engine: Engine) -> None:
    types = engine.dialect.types
    raise_first(grow(engine, incremental("append"), f"select 1 as id, cast(19.75 as {types['double']}) as score"))
    whole = f"select 2 as id, cast(20 as {types['bigint']}) as score"
    assert "score is now" in str(grow(engine, incremental("append", "sync_all_columns"), whole).results[0].error)
    assert rows(engine, "select id, score from ff_grown") == [(1, 19.75)]


@needs(Capability.INCREMENTAL, Capability.VIEWS)
def test_kinds_that_follow_one_another_leave_no_rows_of_the_other(engine: Engine) -> None:
    """Nobody asks for a full refresh: rows of another query, or of a table that was built otherwise, do not stay."""
    for number, kind in enumerate(("incremental", "table", "incremental", "view", "incremental")):
        project = memory_project({"ff_grown": f"select {number} as id"}, configs={"ff_grown": ModelConfig(kind)})
        raise_first(run(engine, project, False, _CLOCK))
        assert rows(engine, "select id from ff_grown") == [(number,)]


@needs(Capability.INCREMENTAL, Capability.PYTHON_MODELS)
def test_python_model_grows_and_may_see_what_stands(engine: Engine) -> None:
    for new in (_FIRST, _NEXT):
        build(engine, "ff_data", new)
        models: dict[str, Model] = {
            "ff_new": "select * from ff_data",
            "ff_grown": ff_grown,
            "ff_only_once": ff_only_once,
        }
        configs = {name: incremental("append") for name in ("ff_grown", "ff_only_once")}
        raise_first(run(engine, memory_project(models, configs=configs)))
    assert rows(engine, "select id from ff_grown") == [(1,), (2,), (2,), (3,)]
    assert rows(engine, "select id from ff_only_once") == [(1,), (1,), (2,), (2,)]


@needs(Capability.INCREMENTAL, Capability.PYTHON_MODELS)
@pytest.mark.parametrize("rule", [None, "sync_all_columns"])
def test_a_frame_with_holes_leaves_the_types_of_its_table(engine: Engine, rule: OnSchemaChange | None) -> None:
    """What a column without any value is to the frame library is no type that the table would follow."""
    config = incremental("append", rule)
    raise_first(grow_by(engine, [(1, 7, 1.5, "a")], config))
    types = engine.catalog.columns("ff_grown")
    for batch in ([(2, None, None, "b"), (3, 9, 2.5, None)], [(4, None, None, None)], []):
        raise_first(grow_by(engine, batch, config))
    assert engine.catalog.columns("ff_grown") == types
    found = rows(engine, "select id, i, f, s from ff_grown")
    assert found == [(1, 7, 1.5, "a"), (2, None, None, "b"), (3, 9, 2.5, None), (4, None, None, None)]


@needs(Capability.INCREMENTAL, Capability.PYTHON_MODELS)
def test_a_column_that_began_without_values_takes_the_type_of_what_comes(
    engine: Engine, request: pytest.FixtureRequest
) -> None:
    """Where it can be given one, any will do; else the new rows are refused."""
    raise_first(grow_by(engine, [(1, None, None, None)], incremental("append")))
    report = grow_by(engine, [(2, 7, 1.5, "a")], incremental("append"))
    if report.results[0].error and not engine.dialect.retype_empty:
        remark(request.node, "refused, as its dialect gives no column without values another type")
        assert "is now" in str(report.results[0].error)
        return
    raise_first(report)
    assert rows(engine, "select id, i, f, s from ff_grown") == [(1, None, None, None), (2, 7, 1.5, "a")]


@needs(Capability.INCREMENTAL)
def test_nothing_that_was_staged_stays(engine: Engine) -> None:
    for new in (_FIRST, _NEXT):
        raise_first(grow(engine, incremental("append"), new))
    assert set(engine.catalog.relations()) == {"ff_new", "ff_grown", STATE_TABLE}


@needs(Capability.INCREMENTAL)
@claims(Capability.TRANSACTIONAL_STATE)
def test_a_failed_increment_leaves_all_as_it_was(engine: Engine) -> None:
    raise_first(grow(engine, incremental("append"), _FIRST))
    report = run(
        engine, memory_project({"ff_grown": "select * from ff_nowhere"}, configs={"ff_grown": incremental("append")})
    )
    assert caused_by(report.results[0].error, ErrorKind.MISSING_RELATION)
    assert rows(engine, "select id from ff_grown") == [(1,), (2,)]
    assert set(engine.catalog.relations()) == {"ff_new", "ff_grown", STATE_TABLE}


@needs(Capability.INCREMENTAL, Capability.VIEWS)
def test_kinds_follow_one_another(engine: Engine) -> None:
    for kind in ("view", "incremental", "table", "view", "table", "incremental"):
        raise_first(grow(engine, ModelConfig(kind), _FIRST, full_refresh=True))
        expected = "view" if kind == "view" else "table"
        assert engine.catalog.relations()["ff_grown"].kind == expected
        assert rows(engine, "select id from ff_grown") == [(1,), (2,)]


def test_ephemeral_models_are_part_of_those_that_read_them(engine: Engine) -> None:
    models = {
        "ff_base": "select 1 as id union all select 2 -- all",
        "ff_twice": "with x as (select id from {{ ref('ff_base') }}) select id * 2 as id from x",
        "ff_last": "with y as (select id from {{ ref('ff_twice') }}) select y.id, b.id as other from y "
        "left join {{ ref('ff_base') }} as b on y.id = b.id",
    }
    configs = {name: ModelConfig("ephemeral") for name in ("ff_base", "ff_twice")}
    raise_first(run(engine, memory_project(models, configs=configs)))
    assert rows(engine, "select id, other from ff_last") == [(2, 2), (4, None)]
    assert set(engine.catalog.relations()) == {"ff_last", STATE_TABLE}
