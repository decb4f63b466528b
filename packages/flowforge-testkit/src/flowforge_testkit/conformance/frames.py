"""Frames: what Python models get and give, value by value."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import (
    build,
    claims,
    clear,
    fails,
    forked,
    frames_of,
    needs,
    rows,
    transaction,
)

python_models = needs(Capability.PYTHON_MODELS)

VALUES: dict[str, list[Any]] = {
    "integers": [0, -1, 2**63 - 1, -(2**63)],
    "integers-and-null": [2**63 - 1, None, 2**53 + 1],
    "floats": [0.0, 0.1, -1.5e300, 5e-324, 1.7976931348623157e308],
    "floats-and-null": [0.1, None],
    "booleans": [True, False],
    "booleans-and-null": [True, None, False],
    "text": ["", " ", "plain", "it's", 'say "so"', "back`tick", "semi;--colon", "a\\b", "%s {x} :y ?", "NULL"],
    "text-unicode": ["Straße", "日本語", "🦆👩‍👩‍👧", "e\u0301", "\u202eright\u202c", "zero\u200bwidth", "a\u2028b"],
    "text-lines": ["two\nlines", "tab\there", "return\r\nfeed"],
    "text-and-null": ["x", None],
    "dates": [date(1970, 1, 1), date(2024, 2, 29), date(1900, 1, 1), date(2261, 12, 31)],
    "dates-and-null": [date(2024, 2, 29), None],
    "timestamps": [
        datetime.fromisoformat("1970-01-01T00:00:00"),
        datetime.fromisoformat("2024-02-29T23:59:59.999999"),
        datetime.fromisoformat("1900-01-01T01:00:00"),
    ],
    "timestamps-and-null": [datetime.fromisoformat("2024-02-29T12:00:00"), None],
}


@python_models
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_values_survive_table_and_frame(engine: Engine, values: list[Any]) -> None:
    found = round_trip(engine, values)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@python_models
def test_infinities_survive_or_are_refused(engine: Engine) -> None:
    values = [math.inf, -math.inf, 1.0]
    try:
        found = round_trip(engine, values)
    except EngineError as error:
        assert error.kind is ErrorKind.DATA
        return
    assert found == values


@python_models
def test_nan_survives_or_becomes_null_or_is_refused(engine: Engine) -> None:
    try:
        found = round_trip(engine, [math.nan, 1.0])
    except EngineError as error:
        assert error.kind is ErrorKind.DATA
        return
    assert found[1] == 1.0
    assert found[0] is None or math.isnan(found[0])


@python_models
def test_column_of_nulls_survives(engine: Engine) -> None:
    assert round_trip(engine, [None, None]) == [None, None]


@python_models
def test_empty_frame_keeps_its_columns(engine: Engine) -> None:
    frames = frames_of(engine)
    with transaction(engine):
        assert frames.write("ff_t", frames.from_rows(Rows(("a", "b"), []))) in {0, None}
    assert [name for name, _ in engine.catalog.columns("ff_t")] == ["a", "b"]
    found = frames.read("ff_t")
    assert list(frames.columns(found)) == ["a", "b"]
    assert frames.to_rows(found).rows == []


@python_models
def test_columns_keep_their_order_and_case(engine: Engine) -> None:
    frames = frames_of(engine)
    names = ("Zeta", "alpha", "Two Words", "select")
    frame = frames.from_rows(Rows(names, [(1, 2, 3, 4)]))
    assert tuple(frames.columns(frame)) == names
    with transaction(engine):
        frames.write("ff_t", frame)
    assert tuple(frames.columns(frames.read("ff_t"))) == names


@python_models
def test_read_gives_what_sql_wrote(engine: Engine) -> None:
    frames = frames_of(engine)
    build(engine, "ff_t", "select 1 as a, 'x' as b, case when 1 = 0 then 'y' end as c")
    assert frames.to_rows(frames.read("ff_t")) == Rows(("a", "b", "c"), [(1, "x", None)])


@needs(Capability.PYTHON_MODELS)
@claims(Capability.VIEWS)
def test_read_takes_a_view(engine: Engine) -> None:
    build(engine, "ff_v", "select 1 as a", "view")
    frames = frames_of(engine)
    assert frames.to_rows(frames.read("ff_v")).rows == [(1,)]


@python_models
def test_read_of_nothing_is_a_missing_relation(engine: Engine) -> None:
    with fails(ErrorKind.MISSING_RELATION):
        frames_of(engine).read("ff_nowhere")


@python_models
def test_write_replaces_and_tells_how_many_rows(engine: Engine) -> None:
    frames = frames_of(engine)
    build(engine, "ff_t", "select 'old' as b")
    with transaction(engine):
        assert frames.write("ff_t", frames.from_rows(Rows(("a",), [(1,), (2,)]))) in {2, None}
    assert rows(engine, "select a from ff_t") == [(1,), (2,)]


@needs(Capability.PYTHON_MODELS)
@claims(Capability.VIEWS)
def test_write_replaces_a_view(engine: Engine) -> None:
    frames = frames_of(engine)
    build(engine, "ff_t", "select 'old' as b", "view")
    with transaction(engine):
        clear(engine, "ff_t")
        frames.write("ff_t", frames.from_rows(Rows(("a",), [(1,)])))
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    assert rows(engine, "select a from ff_t") == [(1,)]


@needs(Capability.PYTHON_MODELS)
@claims(Capability.ATOMIC_REPLACE, Capability.TRANSACTIONAL_STATE)
def test_write_is_undone_with_its_transaction(engine: Engine) -> None:
    frames = frames_of(engine)
    build(engine, "ff_t", "select 1 as a")
    engine.session.begin()
    frames.write("ff_t", frames.from_rows(Rows(("a",), [(2,)])))
    engine.session.rollback()
    assert rows(engine, "select a from ff_t") == [(1,)]


@needs(Capability.PYTHON_MODELS)
@claims(Capability.CONCURRENT_SESSIONS)
def test_frames_of_a_second_session_see_committed_work(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    with forked(engine) as second:
        frames = frames_of(second)
        assert frames.to_rows(frames.read("ff_t")).rows == [(1,)]


@python_models
@pytest.mark.parametrize("value", [None, 42, "text", [1, 2], {"a": 1}, object()], ids=lambda v: type(v).__name__)
def test_what_is_no_frame_is_refused(engine: Engine, value: Any) -> None:
    frames = frames_of(engine)
    build(engine, "ff_t", "select 1 as a")
    with fails(ErrorKind.DATA), transaction(engine):
        frames.write("ff_t", value)
    assert rows(engine, "select a from ff_t") == [(1,)]


@python_models
def test_frame_without_columns_is_refused(engine: Engine) -> None:
    frames = frames_of(engine)
    with fails(ErrorKind.DATA), transaction(engine):
        frames.write("ff_t", frames.from_rows(Rows((), [])))
    assert engine.catalog.relations() == {}


@python_models
def test_columns_that_differ_by_case_only_are_refused_or_kept(engine: Engine) -> None:
    frames = frames_of(engine)
    try:
        with transaction(engine):
            frames.write("ff_t", frames.from_rows(Rows(("a", "A"), [(1, 2)])))
    except EngineError as error:
        assert error.kind is ErrorKind.DATA
        assert engine.catalog.relations() == {}
        return
    assert frames.to_rows(frames.read("ff_t")) == Rows(("a", "A"), [(1, 2)])


def round_trip(engine: Engine, values: list[Any]) -> list[Any]:
    """Write values beside their position and return what is read, in order."""
    frames = frames_of(engine)
    with transaction(engine):
        frames.write("ff_t", frames.from_rows(Rows(("place", "held"), list(enumerate(values)))))
    found = frames.to_rows(frames.read("ff_t"))
    assert found.columns == ("place", "held")
    return [value for _, value in sorted(found.rows, key=lambda row: int(row[0]))]
