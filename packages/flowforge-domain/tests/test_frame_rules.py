"""Frames that cannot become a table are refused, in words that say what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from flowforge_domain.dialect import Dialect
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.frame_rules import (
    kinds_of,
    mixture,
    no_frame,
    require_columns,
    require_no_index,
    require_no_zoned_time,
    unstorable,
)

DIALECT = Dialect("x", {}, "", longest_name=10)
_ZONED = time(1, tzinfo=UTC)


@pytest.mark.parametrize(("value", "what"), [(None, "None"), ([1], "list"), (DIALECT, "Dialect")])
def test_what_is_no_frame(value, what):
    error = no_frame(value)
    assert error.kind is ErrorKind.DATA
    assert error.message == f"The model returned {what}, expected a pandas DataFrame."
    assert no_frame(value, "a Frame", "Return one.").hint == "Return one."


@pytest.mark.parametrize(
    ("names", "case_matters", "words"),
    [
        ([], False, "without columns"),
        (["a", "A"], False, "two columns 'a' and 'A'; names in a table differ by more than case"),
        (["a", "b", "a"], True, "two columns 'a'[.]"),
    ],
)
def test_columns_that_are_no_tables(names, case_matters, words):
    with pytest.raises(EngineError, match=words) as caught:
        require_columns(iter(names), DIALECT, case_matters=case_matters)
    assert caught.value.kind is ErrorKind.DATA


def test_columns_that_are():
    require_columns(["a", "b"], DIALECT)
    require_columns(["a", "A"], DIALECT, case_matters=True)


@pytest.mark.parametrize("name", ["", "a\0", "x" * 11, "a\ud800b"])
def test_name_that_the_engine_cannot_hold(name):
    with pytest.raises(EngineError, match="The model returned a frame with") as caught:
        require_columns([name], DIALECT)
    assert caught.value.kind is ErrorKind.DATA


def test_named_index_is_refused():
    require_no_index([None, None])
    with pytest.raises(EngineError, match="whose index holds id, 2;"):
        require_no_index(["id", None, 2])


def test_kinds_of_values():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert kinds_of([1, "x", b"", bytearray(), now, now.replace(tzinfo=None), date(2026, 1, 1)]) == {
        "int",
        "str",
        "bytes",
        "datetime",
        "datetime with zone",
        "date",
    }
    error = unstorable("a", mixture({"str", "int"}))
    assert error.message == "Column 'a' cannot be stored: it mixes int and str."
    assert error.hint == "Give it one type, e.g. `frame['a'] = frame['a'].astype('string')`."
    assert "one type that X has" in unstorable("a", "why", "X").hint


@pytest.mark.parametrize("value", [_ZONED, [_ZONED], (None, _ZONED), {"a": [{"b": _ZONED}]}])
def test_a_time_of_day_with_a_zone_is_refused_wherever_it_stands(value):
    with pytest.raises(EngineError, match=r"Column 't' .* times of day with a zone, which would be lost") as caught:
        require_no_zoned_time("t", [None, value], "X")
    assert caught.value.kind is ErrorKind.DATA
    assert "frame['t'].astype('string')" in caught.value.hint


@pytest.mark.parametrize("value", [None, time(1), "text", b"bytes", [time(1), "a"], {"a": time(1)}, datetime.now(UTC)])
def test_other_values_than_times_of_day_with_a_zone_pass(value):
    require_no_zoned_time("t", [value], "X")
