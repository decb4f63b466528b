"""Parquet files that are well formed and odd: types, values and names that an engine may not have."""

from __future__ import annotations

import io
import random
from datetime import date
from decimal import Decimal

import pyarrow as pa
from pyarrow import parquet

COLUMNS = (
    pa.array([2**64 - 1, None], pa.uint64()),
    pa.array([1.5, None], pa.float16()),
    pa.array([float("nan"), float("inf")], pa.float32()),
    pa.array([-0.0, 1e308]),
    pa.array(["a\0b", None]),
    pa.array(["", "\\N"]),
    pa.array(["\\.", 'a"b,c\r\n\t\x1a'], pa.large_string()),
    pa.array(["x" * 100_000, None]),
    pa.array([b"\xff\0", None]),
    pa.array([b"0123456789abcdef", None], pa.binary(16)),
    pa.array([Decimal("9" * 38), None], pa.decimal128(38, 0)),
    pa.array([Decimal("1.5"), None], pa.decimal256(76, 30)),
    pa.array([date(1, 1, 1), date(9999, 12, 31)]),
    pa.array([2**31 - 1, -(2**31)], pa.int32()).view(pa.date32()),
    *(pa.array([2**62, -(2**62)]).view(pa.timestamp(unit)) for unit in ("ms", "us", "ns")),
    *(pa.array([0, 1767225600123456]).view(pa.timestamp("us", zone)) for zone in ("UTC", "Asia/Tokyo", "Nope/Where", "+05:30")),
    pa.array([86_399, None], pa.time32("s")),
    pa.array([10**15, -1]).view(pa.time64("ns")),
    pa.array([2**62, -1]).view(pa.duration("us")),
    pa.array([[1, None], None]),
    pa.array([[[1], []], [None]]),
    pa.array([["a,b", '"', "{", None], []]),
    pa.array([[1, 2], None], pa.list_(pa.int64(), 2)),
    pa.array([{"a": 1, "b": "x"}, None]),
    pa.array([[{"a": 1}], None]),
    pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
    pa.array(["a", "b"]).dictionary_encode(),
    pa.nulls(2),
    pa.array([True, None]),
)  # fmt: skip
NAMES = (
    "order_id", "user_id", "amount", "id", "ID", "", " ", "x" * 63, "x" * 64, "é" * 40, "x" * 5000, 'a"b', "a'b", "a\nb", "a\0b", "😀", "\u202e", "a.b", "%s",
    "{0}", "select", "user", "ctid", "xmin", "tableoid", "oid", "rowid", "_flowforge_x", "_partitiontime",
)  # fmt: skip


def odd_table(rng: random.Random, _: bytes) -> bytes:
    """Return another file, of one to three columns, or of very many."""
    width = rng.choice((1, 1, 2, 2, 3, 3, 0, 1700))
    names = [f"c{i}" for i in range(width)] if width > len(NAMES) else rng.choices(NAMES, k=width)
    table = pa.Table.from_arrays([rng.choice(COLUMNS) for _ in names], names)
    sink = io.BytesIO()
    parquet.write_table(table.slice(0, rng.choice((0, 1, 2, 2))), sink)
    return sink.getvalue()
