"""Frames: the types that pandas and Arrow bring, and what BigQuery has no type for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from flowforge_bigquery.arrow_types import stored
from flowforge_bigquery.engine import open_engine
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_testkit.conformance.ground import build
from flowforge_testkit.fakes import claim


def test_every_type_has_one_of_bigquery(engine):
    columns = {
        "i8": pa.array([1, None], pa.int8()),
        "u64": pa.array([2**64 - 1, None], pa.uint64()),
        "f16": pa.array([0.5, None], pa.float32()),
        "n": pa.array([Decimal("1.10"), None]),
        "t": pa.array([time(1, 2, 3), None]),
        "z": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("ms", "Europe/Berlin")),
        "b": pa.array([b"\0\xff", None], pa.large_binary()),
        "d": pa.array(["x", None]).dictionary_encode(),
        "s": pa.array([{"a": 1, "b": "x"}, None]),
        "l": pa.array([[1, 2], []]),
    }
    assert engine.frames.write("ff_t", pa.table(columns)) == 2
    assert dict(engine.catalog.columns("ff_t")) == {
        "i8": "INT64",
        "u64": "NUMERIC",
        "f16": "FLOAT64",
        "n": "NUMERIC",
        "t": "TIME",
        "z": "TIMESTAMP",
        "b": "BYTES",
        "d": "STRING",
        "s": "STRUCT<a INT64, b STRING>",
        "l": "ARRAY<INT64>",
    }
    found = engine.session.query("select i8, n, t, z, b, d, l from ff_t where i8 = 1").rows
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert found == [(1, Decimal("1.10"), time(1, 2, 3), at, b"\0\xff", "x", [1, 2])]


@pytest.mark.parametrize(
    ("digits", "scale", "name"),
    [(38, 9, "NUMERIC"), (29, 0, "NUMERIC"), (38, 20, "BIGNUMERIC"), (76, 38, "BIGNUMERIC")],
)
def test_decimals_get_the_narrowest_type_that_holds_them(digits, scale, name):
    assert stored(pa.field("a", pa.decimal256(digits, scale)))[0].field_type == name


def test_pandas_types_keep_values(engine):
    build(
        engine,
        "ff_t",
        "select 1 as i, true as b, date '2024-02-29' as d, 1.5 as f union all select null, null, null, 2",
    )
    frame = engine.frames.read("ff_t")
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "boolean", "date32[day][pyarrow]", "float64"]
    assert engine.frames.to_rows(frame).rows[0][2] in {date(2024, 2, 29), None}


@pytest.mark.parametrize("storage_api", [True, False])
def test_both_ways_of_reading_give_the_same(settings, tmp_path, storage_api):
    profile = BigQueryProfile.model_validate(
        {"engine": "bigquery", "bigquery": {**settings, "storage_api": storage_api}}
    )
    engine = open_engine(profile, tmp_path, claim())
    engine.frames.write("ff_t", pd.DataFrame({"a": [1, 2], "b": ["x", None]}))
    found = engine.frames.to_rows(engine.frames.read("ff_t"))
    assert (found.columns, sorted(found.rows)) == (("a", "b"), [(1, "x"), (2, None)])
    engine.session.close()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"a": [pd.Timestamp(1, unit="ns")]}), "nanoseconds"),
        (pd.DataFrame({"a": [[[1]]]}), "lists of lists"),
        (pa.table({"a": pa.array([1], pa.duration("s"))}), "no type for it"),
        (pa.table({"a": pa.array([Decimal("1e40")], pa.decimal256(76, 0))}), "so wide"),
        (pd.DataFrame({"a": ["x", 1]}), "cannot be stored"),
        (pd.DataFrame({"a": [1], "A": [2]}), "two columns"),
        (pd.DataFrame({"a": [1]}).set_index("a"), "without columns"),
        (pd.DataFrame({"a": [1], "b": [1]}).set_index("a"), "index holds a"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_leaves_the_table(engine, frame, said):
    build(engine, "ff_t", "select 'old' as b")
    with pytest.raises(EngineError, match=said) as caught:
        engine.frames.write("ff_t", frame)
    assert caught.value.kind is ErrorKind.DATA
    assert engine.session.query("select b from ff_t").rows == [("old",)]


def test_arrow_tables_are_frames_too(engine):
    frame = pa.table({"a": [1]})
    assert engine.frames.columns(frame) == ["a"]
    assert engine.frames.to_rows(frame) == Rows(("a",), [(1,)])
