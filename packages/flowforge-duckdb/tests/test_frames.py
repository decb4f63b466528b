"""Frames: every value comes back as it went, or is refused by column and reason."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows

EXACT = {
    "tinyint": "(-128)::tinyint",
    "integer": "2147483647::integer",
    "bigint": "9007199254740993::bigint",
    "ubigint": "18446744073709551615::ubigint",
    "boolean": "true",
    "float": "1.1::float",
    "double": "1e300::double",
    "infinity": "'-inf'::double",
    "decimal": "12345678901234567890123456789.123456789::decimal(38, 9)",
    "small decimal": "1.25::decimal(4, 2)",
    "whole decimal": "12345678901234567890123456789012345678::decimal(38, 0)",
    "text": "'it''s \"so\" 😀 ' || chr(10)",
    "text with NUL": "'a' || chr(0) || 'b'",
    "binary": "'\\xAA\\x00'::blob",
    "date": "date '2024-02-29'",
    "far date": "date '9999-12-31'",
    "timestamp": "timestamp '2024-02-29 23:59:59.999999'",
    "far timestamp": "timestamp '9999-12-31 00:00:00'",
    "timestamp with zone": "timestamptz '2024-02-29 12:00:00+05'",
    "timestamp in nanoseconds": "'2024-01-02 03:04:05.123456789'::timestamp_ns",
    "time": "time '03:04:05.123456'",
    "uuid": "'5b8b1d3a-0000-0000-0000-000000000001'::uuid",
    "list": "[1, null, 3]",
    "empty list": "[]::int[]",
    "array": "[1, 2]::int[2]",
    "struct": "{'a': 1, 'b': 'x'}",
    "map": "map {'a': 1}",
    "list of decimals": "[1.25::decimal(10, 2)]",
    "list of structs": "[{'a': date '2024-01-01'}]",
}


@pytest.fixture
def frames(engine):
    return engine.frames


@pytest.fixture
def rows(engine):
    return lambda sql: engine.session.query(sql).rows


@pytest.fixture
def refused(frames):
    """Write what cannot be stored and return the error."""

    def run(frame):
        with pytest.raises(EngineError) as caught:
            frames.write("t", frame)
        assert caught.value.kind is ErrorKind.DATA
        assert caught.value.hint
        return caught.value.message

    return run


def objects(*values):
    return pd.DataFrame({"c": pd.Series(values, dtype=object)})


@pytest.mark.parametrize("with_null", [False, True], ids=["", "null"])
@pytest.mark.parametrize("value", EXACT.values(), ids=EXACT)
def test_value_and_type_survive(engine, frames, rows, value, with_null):
    tail = " union all select null, 2" if with_null else ""
    engine.session.execute(f"create table t as select {value} as c, 1 as k{tail}")
    assert frames.write("back", frames.read("t")) == 1 + with_null
    assert engine.catalog.columns("back") == engine.catalog.columns("t")
    assert rows("select c::varchar, k from back") == rows("select c::varchar, k from t")


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("1::bigint", "int64"),
        ("case when range > 0 then 9007199254740993 end", "Int64"),
        ("1.5::double", "float64"),
        ("'x'", "object"),
        ("timestamp '2024-01-01'", "datetime64[us]"),
        ("sum(1) over ()", "int64"),
        ("sum(9223372036854775807) over ()", "decimal128(38, 0)[pyarrow]"),
        ("1.5::decimal(4, 1)", "decimal128(4, 1)[pyarrow]"),
        ("date '2024-01-01'", "date32[day][pyarrow]"),
    ],
)
def test_dtypes_are_pandas_own_where_those_keep_the_value(engine, frames, expression, dtype):
    engine.session.execute(f"create table t as select {expression} as c from range(2)")
    assert str(frames.read("t").dtypes["c"]).replace("str", "object") == dtype


def test_columns_stay_in_order_among_exact_ones(engine, frames):
    engine.session.execute("create table t as select 1.5 as d, 'x' as s, date '2024-01-01' as e, 2 as i, [1] as l")
    frame = frames.read("t")
    assert frames.columns(frame) == ["d", "s", "e", "i", "l"]
    assert frames.to_rows(frame).rows == [(Decimal("1.5"), "x", date(2024, 1, 1), 2, [1])]


def test_only_exact_columns_and_no_rows(engine, frames):
    engine.session.execute("create table t as select 1.5 as d, date '2024-01-01' as e where false")
    frame = frames.read("t")
    assert (len(frame), frames.columns(frame)) == (0, ["d", "e"])


def test_dates_work_as_dates(engine, frames):
    engine.session.execute("create table t as select date '2024-02-29' as d")
    frame = frames.read("t")
    assert frame.d.dt.year.tolist() == [2024]
    assert (frame.d >= pd.Timestamp("2024-01-01")).tolist() == [True]
    assert frame.d.astype("datetime64[us]").tolist() == [pd.Timestamp("2024-02-29")]


@pytest.mark.parametrize("also", ["", ", 1.5::decimal(4, 1) as d"], ids=["plain", "with a decimal"])
def test_relation_is_read_once(engine, frames, also):
    engine.session.execute("create sequence counter")
    engine.session.execute(f"create view v as select nextval('counter') as n{also}")
    assert frames.read("v").n.tolist() == [1]


@pytest.mark.parametrize("within", ["{}", "{}[]", "{}[2]", "struct(a {})", "map(varchar, {})", "struct(a {}[])[]"])
@pytest.mark.parametrize("kind", ["bit", "bignum", "timetz", "union(a integer)"])
def test_type_that_no_frame_holds_is_refused(engine, frames, kind, within):
    engine.session.execute(f"create table t (c {within.format(kind)})")
    with pytest.raises(EngineError, match="Column 'c' is of type") as caught:
        frames.read("t")
    assert caught.value.kind is ErrorKind.DATA


def test_nan_is_missing_as_it_is_to_pandas(frames, rows):
    frames.write("t", pd.DataFrame({"c": [1.5, float("nan"), float("inf")]}))
    assert rows("select c from t") == [(1.5,), (None,), (float("inf"),)]


@pytest.mark.parametrize(
    ("frame", "kind", "last"),
    [
        (objects(*[None] * 3000, "x"), "VARCHAR", "x"),
        (objects(None, None), "VARCHAR", None),
        (objects(*range(3000), 2.5), "DOUBLE", 2.5),
        (objects(True, None), "BOOLEAN", None),
        (objects(1, Decimal("1.5")), "DECIMAL(2,1)", Decimal("1.5")),
        (objects(date(2024, 1, 1), None), "DATE", None),
        (objects(datetime(2024, 1, 1, tzinfo=UTC)), "TIMESTAMP WITH TIME ZONE", datetime(2024, 1, 1, tzinfo=UTC)),
        (objects(b"a", bytearray(b"b")), "BLOB", b"b"),
        (objects([], None), "VARCHAR[]", None),
        (objects([1], [2, None]), "BIGINT[]", [2, None]),
        (objects({"a": 1}), "STRUCT(a BIGINT)", {"a": 1}),
        (objects(uuid.UUID(int=5)), "UUID", uuid.UUID(int=5)),
        (objects(timedelta(days=1)), "INTERVAL", timedelta(days=1)),
        (objects(), "VARCHAR", "nothing"),
        (pd.DataFrame({"c": pd.Series(["a", None], dtype="category")}), "VARCHAR", None),
        (pd.DataFrame({"c": pd.Series(["a", None], dtype="string")}), "VARCHAR", None),
        (pd.DataFrame({"c": pd.Series([1.5], dtype="float16")}), "FLOAT", 1.5),
        (pd.DataFrame({"c": pd.Series([2**64 - 1], dtype="uint64")}), "UBIGINT", 2**64 - 1),
        (
            pd.DataFrame({"c": pd.to_datetime(["2024-01-01"], utc=True)}),
            "TIMESTAMP WITH TIME ZONE",
            datetime(2024, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_column_gets_its_type_from_every_value(engine, frames, rows, frame, kind, last):
    assert frames.write("t", frame) == len(frame)
    assert engine.catalog.columns("t") == [("c", kind)]
    assert [value for (value,) in rows("select c from t")][-1:] == ([] if last == "nothing" else [last])


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (objects(*range(3000), "x"), "it mixes int and str"),
        (objects(True, 1), "it mixes bool and int"),
        (objects(1.5, Decimal(1)), "it mixes Decimal and float"),
        (objects("a", b"b"), "it mixes bytes and str"),
        (objects(date(2024, 1, 1), datetime.fromisoformat("2024-01-01T05:00")), "it mixes date and datetime"),
        (
            objects(datetime.fromisoformat("2024-01-01"), datetime(2024, 1, 1, tzinfo=UTC)),
            "it mixes datetime and datetime with zone",
        ),
        (objects(2**70), "too large"),
        (objects(2**60, 2.5), "it mixes float and int"),
        (objects(object()), "did not recognize"),
        (objects("\ud800"), "surrogates not allowed"),
        (objects([1], ["a"]), "Could not convert 'a'"),
        (objects(Decimal("1e40")), "does not fit in precision 38"),
        (pd.DataFrame({"c": [1j]}), "Unsupported"),
        (pd.DataFrame({"c": pd.period_range("2024", periods=2, freq="M")}), "no type for"),
        (pd.DataFrame({"c": pd.arrays.SparseArray([0, 1])}), ""),
        (pd.DataFrame({"c": pd.to_datetime(["2024-01-01 00:00:00.000000001"], utc=True)}), "would lose data"),
    ],
)
def test_column_that_cannot_be_stored_is_named(refused, frame, reason):
    frame.insert(0, "fine", 1)
    message = refused(frame)
    assert message.startswith("Column 'c' cannot be stored: ")
    assert reason in message


@pytest.mark.parametrize(
    ("value", "what"),
    [(None, "None"), ([1], "list"), ({"a": [1]}, "dict"), (pd.Series([1], name="a"), "Series"), (42, "int")],
)
def test_what_is_no_frame_is_told(refused, value, what):
    assert refused(value) == f"The model returned {what}, expected a pandas DataFrame."


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame(), "without columns"),
        (pd.DataFrame(index=[1, 2]), "without columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns 'a' and 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "two columns 'a' and 'A'"),
        (pa.table([[1], [2]], names=["a", "a"]), "two columns 'a' and 'a'"),
        (pd.DataFrame({"k": [1, 1], "v": [1, 2]}).groupby("k").sum(), "index holds k"),
    ],
)
def test_frame_that_would_lose_a_column_is_refused(refused, frame, words):
    assert words in refused(frame)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_name_that_no_column_can_have(refused, name):
    assert "a column that cannot be" in refused(pd.DataFrame({name: [1]}))


def test_index_without_a_name_is_left_out(engine, frames):
    frame = pd.DataFrame({"v": [1, 2, 3]})
    assert frames.write("t", frame[frame.v > 1]) == 2
    assert engine.catalog.columns("t") == [("v", "BIGINT")]


def test_columns_named_by_numbers(engine, frames):
    frames.write("t", pd.DataFrame([[1, 2]]))
    assert [name for name, _ in engine.catalog.columns("t")] == ["0", "1"]


class Streamed:
    """What any frame library gives: columns, and the C stream of Arrow."""

    columns = ("a", "n")

    def __arrow_c_stream__(self, schema=None):
        return pa.table({"a": [1, None], "n": pa.nulls(2)}).__arrow_c_stream__(schema)


@pytest.mark.parametrize(
    "frame",
    [pa.table({"a": [1, None], "n": pa.nulls(2)}), pa.record_batch({"a": [1, None], "n": pa.nulls(2)}), Streamed()],
    ids=lambda frame: type(frame).__name__,
)
def test_whatever_gives_an_arrow_stream_is_a_frame(engine, frames, rows, frame):
    assert frames.write("t", frame) == 2
    assert engine.catalog.columns("t") == [("a", "BIGINT"), ("n", "VARCHAR")]
    assert rows("select a from t") == [(1,), (None,)]
    if not isinstance(frame, pa.RecordBatch):
        assert frames.columns(frame) == ["a", "n"]


def test_failed_write_leaves_the_old_table_and_nothing_else(engine, frames, rows):
    frames.write("t", pd.DataFrame({"a": [1]}))
    engine.session.begin()
    with pytest.raises(EngineError):
        frames.write("nowhere.t", pd.DataFrame({"a": [2]}))
    engine.session.rollback()
    assert rows("select a from t") == [(1,)]
    assert kinds(engine.catalog.relations()) == {"t": "table"}
    assert rows("select count(*) from duckdb_views() where not internal") == [(0,)]


def test_write_into_the_table_it_was_read_from(engine, frames, rows):
    engine.session.execute("create table t as select range as a from range(5000)")
    assert frames.write("t", frames.read("t").assign(b=1)) == 5000
    assert rows("select count(*), sum(a), sum(b) from t") == [(5000, 12497500, 5000)]


def test_large_frame_keeps_order_and_content(engine, frames, rows):
    count = 300_000
    frame = pd.DataFrame({"a": np.arange(count), "s": [f"s{i % 7}" for i in range(count)]})
    assert frames.write("t", frame) == count
    assert rows("select count(*) from (select a, rowid as r, s from t) where a <> r or s <> 's' || (a % 7)") == [(0,)]


def test_rows_and_frames_are_the_same_thing(frames):
    rows = Rows(
        ("i", "f", "s", "d", "n"), [(2**53 + 1, 1.5, "x", date(2024, 1, 1), None), (None, None, None, None, None)]
    )
    frame = frames.from_rows(rows)
    assert frames.to_rows(frame) == rows
    assert str(frame.dtypes["i"]) == "Int64"
    assert frames.to_rows(frames.from_rows(Rows(("a", "b")))) == Rows(("a", "b"))
