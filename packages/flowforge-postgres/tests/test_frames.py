"""Every type both ways: from Python through a table and back, and as SQL wrote it."""

# ruff: noqa: DTZ001 - timestamps without a zone are meant
from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Timer

import pandas as pd
import pyarrow as pa
import pytest

from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance.ground import build, fails, rows, transaction

NOON = datetime(2024, 2, 29, 12, 0, 0, 123456)
DIGITS = Decimal("12345678901234567890123456789.123456789")

EXACT = {
    "smallint": (pa.int16(), [1, None, -32768], "smallint"),
    "integer": (pa.int32(), [1, None, -(2**31)], "integer"),
    "unsigned": (pa.uint64(), [2**64 - 1, None], "numeric(20,0)"),
    "real": (pa.float32(), [0.5, None, -0.25], "real"),
    "decimal": (pa.decimal128(38, 9), [DIGITS, None, Decimal("-0.000000001")], "numeric(38,9)"),
    "decimal256": (pa.decimal256(60, 3), [Decimal("1" * 50 + ".125"), None], "numeric(60,3)"),
    "decimal below one": (pa.decimal128(5, 5), [Decimal("0.00012"), Decimal("-0.99999"), None], "numeric(5,5)"),
    "decimal of all digits": (pa.decimal256(76, 38), [Decimal("9" * 38 + "." + "9" * 38), None], "numeric(76,38)"),
    "whole decimal": (pa.decimal128(38, 0), [Decimal(10**37), Decimal(-1), Decimal(0)], "numeric(38,0)"),
    "bytes": (pa.binary(), [b"", b"\x00\xff\\x'\"", None, bytes(range(256))], "bytea"),
    "moments": (pa.timestamp("us", "UTC"), [NOON.replace(tzinfo=UTC), None], "timestamp with time zone"),
    "moments of local time": (
        pa.timestamp("us", "Europe/Berlin"),
        [datetime(1800, 1, 1, tzinfo=UTC), None],
        "timestamp with time zone",
    ),
    "times": (pa.time64("us"), [time(23, 59, 59, 999999), None, time(0)], "time without time zone"),
    "long ago": (pa.date32(), [date(1, 1, 1), date(9999, 12, 31), None], "date"),
    "far away": (
        pa.timestamp("us"),
        [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59), None],
        "timestamp without time zone",
    ),
    "list of ints": (pa.list_(pa.int64()), [[1, None, 2**62], [], None], "bigint[]"),
    "list of floats": (pa.list_(pa.float64()), [[0.1, None, math.inf], []], "double precision[]"),
    "list of text": (pa.list_(pa.string()), [["", "NULL", 'a"b\\c{,}', None, " x ", "🦆\n"], None], "text[]"),
    "list of dates": (pa.list_(pa.date32()), [[date(2024, 2, 29), None]], "date[]"),
    "list of moments": (pa.list_(pa.timestamp("us")), [[NOON, None]], "timestamp without time zone[]"),
    "list of bytes": (pa.list_(pa.binary()), [[b"\x00\\", None]], "bytea[]"),
    "list of decimals": (pa.list_(pa.decimal128(20, 4)), [[Decimal("1.0001"), None]], "numeric(20,4)[]"),
    "list of booleans": (pa.list_(pa.bool_()), [[True, None, False]], "boolean[]"),
    "lists of lists": (pa.list_(pa.list_(pa.int64())), [[[1, 2], [3, None]]], "bigint[]"),
}


@pytest.mark.parametrize(("kind", "values", "stored"), EXACT.values(), ids=EXACT)
def test_arrow_type_comes_back_exactly(engine, kind, values, stored):
    frames = engine.frames
    table = pa.table({"at": pa.array(range(len(values))), "held": pa.array(values, kind)})
    with transaction(engine):
        assert frames.write("ff_t", table) == len(values)
    assert engine.catalog.columns("ff_t")[1] == ("held", stored)
    found = frames.to_rows(frames.read("ff_t"))
    assert [value for _, value in found.rows] == values
    with transaction(engine):
        frames.write("ff_u", frames.read("ff_t"))
    assert rows(engine, "select held from ff_u") == rows(engine, "select held from ff_t")


SENT = {
    "int8": (pa.int8(), [-128, None], "-128"),
    "uint16": (pa.uint16(), [65535, None], "65535"),
    "decimal of thousands": (pa.decimal128(3, -3), [Decimal("-1.2e4"), None], "-12000"),
    "short decimal": (pa.decimal64(7, 3), [Decimal("-1234.567"), None], "-1234.567"),
    "half": (pa.float16(), [0.5, None], "0.5"),
    "days in milliseconds": (pa.date64(), [date(1969, 12, 31), None], "1969-12-31"),
    "seconds": (pa.time32("s"), [time(1, 2, 3), None], "01:02:03"),
    "moments of seconds": (pa.timestamp("s"), [datetime(1960, 1, 1), None], "1960-01-01 00:00:00"),
    "text view": (pa.string_view(), ["🦆 of more than twelve bytes", None], "🦆 of more than twelve bytes"),
    "bytes of one length": (pa.binary(2), [b"\x00\xff", None], "\\x00ff"),
    "struct": (pa.struct([("a", pa.int64())]), [{"a": 1}, None], '{"a": 1}'),
}


@pytest.mark.parametrize(("kind", "values", "text"), SENT.values(), ids=SENT)
def test_part_of_an_arrow_table_is_sent_as_it_is(engine, kind, values, text):
    table = pa.table({"held": pa.array([None, *values], kind), "at": [-1, 0, 1]})
    with transaction(engine):
        engine.frames.write("ff_t", table.slice(1))
    assert rows(engine, "select held::text from ff_t order by at") == [(text,), (None,)]


def test_moment_before_all_that_are_kept_is_refused_with_its_column(engine):
    with pytest.raises(EngineError, match="Column 'at'") as caught, transaction(engine):
        engine.frames.write("ff_t", pa.table({"at": pa.array([-(2**63) + 1], pa.timestamp("us"))}))
    assert caught.value.kind is ErrorKind.DATA


def test_decimal_of_more_digits_than_its_type_is_refused_with_its_column(engine):
    buffers = pa.array([Decimal(123)], pa.decimal128(3, 0)).buffers()
    more = pa.Array.from_buffers(pa.decimal128(2, 0), 1, buffers)
    with pytest.raises(EngineError, match="Column 'n'") as caught, transaction(engine):
        engine.frames.write("ff_t", pa.table({"n": more}))
    assert caught.value.kind is ErrorKind.DATA


def test_json_comes_back_as_objects(engine):
    held = [{"a": [1, 2.5, None], "ü": 'it\'s "so"\\n'}, None, {"a": {"b": []}}]
    frame = pd.DataFrame({"at": [0, 1, 2], "held": pd.Series(held, dtype=object)})
    with transaction(engine):
        engine.frames.write("ff_t", frame)
    assert engine.catalog.columns("ff_t")[1] == ("held", "jsonb")
    assert rows(engine, "select held ->> 'ü' from ff_t where at = 0") == [('it\'s "so"\\n',)]
    assert list(engine.frames.read("ff_t")["held"]) == held


def test_what_sql_wrote_is_read_exactly(engine):
    build(
        engine,
        "ff_t",
        """
        select 1::smallint as a, 2::int as b, 3::bigint as c, 1.50::numeric(10, 2) as d, 0.1::float8 as e,
          'x'::varchar(3) as f, 'y '::char(2) as g, true as h, '\\x00ff'::bytea as i, '2024-02-29'::date as j,
          '2024-02-29 12:00'::timestamp as k, '1900-01-01 12:00+00:19:32'::timestamptz as l, '12:00'::time as m,
          '{"a": 1}'::json as n, '[1]'::jsonb as o, 'c0ffee00-0000-0000-0000-000000000000'::uuid as p,
          array[1.5, null] as q, interval '1 day' as r, null as s, 'inf'::float8 as t, 'nan'::float4 as u
        """,
    )
    (found,) = engine.frames.to_rows(engine.frames.read("ff_t")).rows
    assert found[:11] == (
        1,
        2,
        3,
        Decimal("1.50"),
        0.1,
        "x",
        "y ",
        True,
        b"\x00\xff",
        date(2024, 2, 29),
        NOON.replace(microsecond=0),
    )
    assert found[11:15] == (datetime(1900, 1, 1, 11, 40, 28, tzinfo=UTC), time(12), {"a": 1}, [1])
    assert found[15:18] == ("c0ffee00-0000-0000-0000-000000000000", [Decimal("1.5"), None], "1 day")
    assert found[18:] == (None, math.inf, None)


NOT_CAST = [
    "'10.0.0.1'::inet",
    "'x '::char(3)",
    "'2 days'::interval",
    "true::text",
    "'(,)'::ff_pair",
    "1.50::money",
    "b'101'",
]


@pytest.mark.parametrize("sql", NOT_CAST)
def test_other_types_are_the_text_that_the_server_writes(engine, sql):
    engine.session.execute("create type ff_pair as (a int, b int)")
    build(engine, "ff_t", f"select 0 as at, {sql} as a union all select 1, null")
    (said,) = rows(engine, "select format('%s', a) from ff_t where at = 0")[0]
    assert list(engine.frames.to_rows(engine.frames.read("ff_t")).rows) == [(0, said), (1, None)]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select sum(n) as a from generate_series(1::bigint, 3) n", 6),
        ("select 1.25 + 1 as a", Decimal("2.25")),
        ("select -1e-76 as a", Decimal("-1e-76")),
        ("select 12345678901234567890123456789012345678901234567890.5 as a", Decimal("1234567890" * 5 + ".5")),
    ],
)
def test_numbers_without_bounds_keep_every_digit(engine, sql, value):
    build(engine, "ff_t", sql)
    assert engine.frames.to_rows(engine.frames.read("ff_t")).rows == [(value,)]


def test_numbers_of_round_hundreds_and_of_millionths_stay_numbers(engine):
    build(engine, "ff_t", "select 12300::numeric(3, -2) as a, 0.000012::numeric(2, 6) as b")
    frame = engine.frames.read("ff_t")
    assert frame["a"].sum() == 12300
    assert frame["b"].sum() == Decimal("0.000012")


@pytest.mark.parametrize("value", ["'nan'", "'infinity'", "'-infinity'", "1e80 + 0.5", "1e60 + 1e-30", "1e-77"])
def test_a_number_without_bounds_that_no_frame_holds_is_refused_with_its_column(engine, value):
    build(engine, "ff_t", f"select 0 as a, 1.5::numeric as b union all select 1, {value}::numeric")
    with pytest.raises(EngineError, match="Column 'b' is numeric") as caught:
        engine.frames.read("ff_t")
    assert caught.value.kind is ErrorKind.DATA
    assert "double precision" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    ["timestamp 'infinity'", "timestamptz '-infinity'", "date 'infinity'", "date '0044-03-15 BC'", "time '24:00'"],
)
def test_a_time_that_no_frame_holds_is_refused_with_its_column(engine, value):
    build(engine, "ff_t", f"select 0 as a, {value} as b")
    with pytest.raises(EngineError, match="ff_t cannot be read as a frame: In column 'b': ") as caught:
        engine.frames.read("ff_t")
    assert caught.value.kind is ErrorKind.DATA


def test_pandas_types_are_those_that_lose_nothing(engine):
    build(engine, "ff_t", "select 1 as a, null::int as b, 1.5::float8 as c, 'x' as d, now()::timestamp as e, true as f")
    engine.session.execute("insert into ff_t values (2, 3, null, null, null, null)")
    found = engine.frames.read("ff_t")
    assert [str(kind) for kind in found.dtypes[["a", "b", "c", "e", "f"]]] == [
        "int32",
        "Int32",
        "float64",
        "datetime64[us]",
        "boolean",
    ]


def test_nanoseconds_are_refused_not_cut(engine):
    frame = pd.DataFrame({"at": pd.to_datetime([1], unit="ns")})
    with fails(ErrorKind.DATA), transaction(engine):
        engine.frames.write("ff_t", frame)
    assert engine.catalog.relations() == {}


@pytest.mark.parametrize("value", ["nul\0", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(engine, value):
    with fails(ErrorKind.DATA), transaction(engine):
        engine.frames.write("ff_t", pd.DataFrame({"a": pd.Series([value], dtype=object)}))


def test_durations_are_intervals(engine):
    with transaction(engine):
        engine.frames.write("ff_t", pd.DataFrame({"a": [timedelta(days=1, microseconds=5)]}))
    assert rows(engine, "select a from ff_t") == [(timedelta(days=1, microseconds=5),)]


def test_mixed_column_is_refused_by_its_name(engine):
    frame = pd.DataFrame({"mixed": pd.Series([1, "x"], dtype=object)})
    with pytest.raises(Exception, match=r"'mixed'.*mixes int and str"), transaction(engine):
        engine.frames.write("ff_t", frame)


def test_categories_strings_and_indexes(engine):
    frame = pd.DataFrame({"a": pd.Categorical(["x", None, "x"]), "b": pd.array(["p", None, ""], dtype="string")})
    with transaction(engine):
        assert engine.frames.write("ff_t", frame[frame["b"].notna()]) == 2
    assert rows(engine, "select a, b from ff_t") == [("x", ""), ("x", "p")]
    with fails(ErrorKind.DATA), transaction(engine):
        engine.frames.write("ff_t", frame.rename_axis("place"))


def test_single_column_of_nulls_and_empty_texts(engine):
    with transaction(engine):
        assert engine.frames.write("ff_t", pd.DataFrame({"a": ["", None, "\\.", "x"]})) == 4
    assert list(engine.frames.to_rows(engine.frames.read("ff_t")).rows) == [("",), (None,), ("\\.",), ("x",)]


def test_many_rows_in_order(engine):
    count = 150_000
    frame = pd.DataFrame({"a": range(count), "b": [f"line {i}\n" if i % 7 else None for i in range(count)]})
    with transaction(engine):
        assert engine.frames.write("ff_t", frame) == count
    pd.testing.assert_frame_equal(engine.frames.read("ff_t"), frame)


def test_values_of_some_megabytes(engine):
    frame = pd.DataFrame({"a": [f"{i}\n" * (1 << 21) for i in range(5)], "b": range(5)})
    with transaction(engine):
        engine.frames.write("ff_t", frame)
    pd.testing.assert_frame_equal(engine.frames.read("ff_t"), frame)


def test_frame_of_a_thousand_columns(engine):
    table = pa.table({f"c{i}": pa.array([i, None]) for i in range(1_000)})
    with transaction(engine):
        engine.frames.write("ff_t", table)
    assert engine.frames.to_rows(engine.frames.read("ff_t")).rows == [tuple(range(1_000)), (None,) * 1_000]


def test_write_outside_a_transaction_is_one_of_its_own(engine):
    build(engine, "ff_t", "select 1 as a")
    engine.frames.write("ff_t", pd.DataFrame({"a": [2]}))
    assert rows(engine, "select a from ff_t") == [(2,)]
    with fails(ErrorKind.DATA):
        engine.frames.write("ff_t", pd.DataFrame({"a": ["nul\0"]}))
    assert rows(engine, "select a from ff_t") == [(2,)]
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}


def test_a_row_that_fails_amid_reading_is_an_error_and_the_session_goes_on(engine):
    build(engine, "ff_t", "select g as a from generate_series(1, 50000) g")
    build(engine, "ff_v", "select 1 / (49000 - a) as b from ff_t", "view")
    with pytest.raises(EngineError, match="division by zero") as caught:
        engine.frames.read("ff_v")
    assert caught.value.kind is ErrorKind.DATA
    assert len(engine.frames.read("ff_t")) == 50000


def test_reading_is_cancelled_from_another_thread(engine):
    build(engine, "ff_v", "select g as a, pg_sleep(0.05)::text as b from generate_series(1, 10000) g", "view")
    timer = Timer(0.3, engine.session.interrupt)
    timer.start()
    with pytest.raises(EngineError) as caught:
        engine.frames.read("ff_v")
    timer.join()
    assert caught.value.kind is ErrorKind.CANCELLED
    assert rows(engine, "select 1") == [(1,)]


def test_sql_models_need_neither_arrow_nor_pandas():
    told = "import sys, flowforge_postgres.engine; print({'numpy', 'pandas', 'pyarrow'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
