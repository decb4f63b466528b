"""Arrow columns as the CSV of PostgreSQL's COPY, for types that only the server makes of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowforge_postgres.arrow_types import (
    in_microseconds,
    is_bytes,
    is_list,
    is_nested,
    is_text,
    json_texts,
)

_NULL = ""
CSV = f"csv, null '{_NULL}'"
_ROWS = 1 << 16


def csv_chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[memoryview]:
    """Give the rows as CSV, some tens of thousands at a time."""
    options = csv.WriteOptions(include_header=False, batch_size=_ROWS)
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            part = batch.slice(start, _ROWS)
            columns = [_writable(name, column) for name, column in zip(part.schema.names, part.columns, strict=True)]
            sink = pa.BufferOutputStream()
            csv.write_csv(pa.record_batch(columns, [f"c{i}" for i in range(len(columns))]), sink, options)
            yield memoryview(sink.getvalue())


def _writable(name: str, column: pa.Array) -> pa.Array:
    """Return a column in a type that Arrow writes the way PostgreSQL reads it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _writable(name, column.dictionary_decode())
    if is_nested(kind):
        return json_texts(column)
    if is_list(kind):
        return pa.array([v if v is None else _literal(v) for v in column.to_pylist()], pa.string())
    if is_bytes(kind):
        return pa.array([v if v is None else "\\x" + v.hex() for v in column.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_duration(kind):
        column = in_microseconds(name, column)
    if pa.types.is_duration(kind):
        return pc.binary_join_element_wise(column.cast(pa.int64()).cast(pa.string()), "microseconds", " ")
    if is_text(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.large_string())
    return column.cast(pa.float32()) if pa.types.is_float16(kind) else column


def _literal(value: Any) -> str:
    """Return a list as PostgreSQL writes an array."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "{" + ",".join(map(_literal, value)) + "}"
    text = "\\x" + value.hex() if isinstance(value, bytes) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
