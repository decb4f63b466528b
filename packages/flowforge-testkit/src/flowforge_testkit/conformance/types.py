"""Types: values beyond the plain ones, from a frame to a table and back, and from SQL to who reads it.

What `Dialect.types` names must survive. What it does not name survives too or is refused, and is reported as not
claimed: nothing is ever changed on its way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.dialect import NeutralType
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.frames import round_trip
from flowforge_testkit.conformance.ground import build, frames_of, needs, transaction

_HALF_PAST = timezone(timedelta(hours=5, minutes=30))
_EVENING = time(20, 15, tzinfo=_HALF_PAST)

VALUES: dict[NeutralType, list[Any]] = {
    "decimal": [Decimal("12345678901234567890123456789.123456789"), Decimal("-0.000000001"), Decimal(0), None],
    "timestamptz": [
        datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=_HALF_PAST),
        datetime(1970, 1, 1, tzinfo=UTC),
        None,
    ],
    "binary": [b"", b"\x00\xff'\"\\`", None],
    "list": [[1, 2], [2**53 + 1], None],
    "struct": [{"a": 2**53 + 1, "b": "it's"}, {"a": None, "b": '"🦆"'}, None],
}

# Texts that a cast makes into a value, and the value; `boolean` and `text` need no cast.
_CASTS: dict[NeutralType, list[tuple[str, Any]]] = {
    "bigint": [("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))],
    "double": [("0.1", 0.1), ("-1.5e300", -1.5e300)],
    "date": [("2024-02-29", date(2024, 2, 29)), ("1900-01-01", date(1900, 1, 1))],
    "timestamp": [("2024-02-29 23:59:59.999999", datetime.fromisoformat("2024-02-29T23:59:59.999999"))],
    "timestamptz": [("2024-02-29 23:59:59+05:30", datetime(2024, 2, 29, 18, 29, 59, tzinfo=UTC))],
    "decimal": [("12345678901234567890123456789.123456789", VALUES["decimal"][0])],
    "json": [('{"a": [1, "x", null, true]}', {"a": [1, "x", None, True]})],
}
_AS_READ: dict[NeutralType, Callable[[Any], Any]] = {
    "json": lambda value: json.loads(value) if isinstance(value, str) else value,
}


@needs(Capability.PYTHON_MODELS)
@pytest.mark.parametrize("kind", VALUES)
def test_values_of_a_further_type_survive_or_are_refused(engine: Engine, kind: NeutralType) -> None:
    frames_of(engine)
    claimed = kind in engine.dialect.types
    try:
        found = round_trip(engine, VALUES[kind])
    except EngineError as error:
        if claimed or error.kind is not ErrorKind.DATA:
            raise
    else:
        assert found == VALUES[kind]
    if not claimed:
        pytest.xfail(f"not claimed by {engine.name}: {kind} values")


@needs(Capability.PYTHON_MODELS)
@pytest.mark.parametrize("held", [_EVENING, [_EVENING], {"a": _EVENING}], ids=["plain", "list", "struct"])
def test_time_of_day_with_a_zone_keeps_it_or_is_refused(engine: Engine, held: Any) -> None:
    try:
        found = round_trip(engine, [held])
    except EngineError as error:
        assert error.kind is ErrorKind.DATA
        assert engine.catalog.relations() == {}
        return
    assert found == [held]


@pytest.mark.parametrize("kind", _CASTS)
def test_value_that_sql_made_is_read(engine: Engine, kind: NeutralType) -> None:
    # sqlite knows no types of time: it casts a date to the number of its year.
    if kind not in engine.dialect.types or (kind == "timestamp" and "date" not in engine.dialect.types):
        pytest.xfail(f"not claimed by {engine.name}: the type {kind}")
    as_read = _AS_READ.get(kind, lambda value: value)
    for text, value in _CASTS[kind]:
        build(engine, "ff_t", f"select cast('{text}' as {engine.dialect.types[kind]}) as a")
        found = engine.session.query("select a from ff_t").rows
        assert [as_read(row[0]) for row in found] == [value]
        if engine.frames is not None:
            read = engine.frames.to_rows(engine.frames.read("ff_t")).rows
            assert [as_read(row[0]) for row in read] == [value]


def test_null_of_every_type_is_read(engine: Engine) -> None:
    named = engine.dialect.types
    nulls = ", ".join(f"cast(null as {kind}) as a{i}" for i, kind in enumerate(named.values()))
    build(engine, "ff_t", f"select {nulls}")
    assert engine.session.query("select * from ff_t").rows == [(None,) * len(named)]
    if engine.frames is not None:
        assert engine.frames.to_rows(engine.frames.read("ff_t")).rows == [(None,) * len(named)]


def test_truth_is_read(engine: Engine) -> None:
    assert engine.session.query("select 1 = 1 as a, 1 = 0 as b").rows == [(True, False)]


def test_wide_table_is_built(engine: Engine) -> None:
    names = [f"column_{i}" for i in range(1_000)]
    build(engine, "ff_t", "select " + ", ".join(f"{i} as {name}" for i, name in enumerate(names)))
    assert [name for name, _ in engine.catalog.columns("ff_t")] == names
    assert engine.session.query("select column_0, column_999 from ff_t").rows == [(0, 999)]


@needs(Capability.PYTHON_MODELS)
def test_wide_frame_is_written(engine: Engine) -> None:
    frames = frames_of(engine)
    names = tuple(f"column_{i}" for i in range(1_000))
    with transaction(engine):
        frames.write("ff_t", frames.from_rows(Rows(names, [tuple(range(1_000))])))
    assert frames.to_rows(frames.read("ff_t")) == Rows(names, [tuple(range(1_000))])
