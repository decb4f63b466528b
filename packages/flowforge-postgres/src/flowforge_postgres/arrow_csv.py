"""Arrow columns as the CSV of PostgreSQL's COPY, and back, without losing a digit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowforge_domain.dialect import quote_name
from flowforge_domain.frame_rules import data_error
from flowforge_postgres.arrow_types import (
    in_microseconds,
    is_bytes,
    is_json,
    is_list,
    is_nested,
    is_text,
    json_texts,
)
from flowforge_postgres.dialect import POSTGRES

_NULL = ""
CSV = f"csv, null '{_NULL}'"
_ROWS = 1 << 16
_READ: Mapping[str, pa.DataType] = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "time without time zone": pa.time64("us"),
    "json": pa.json_(),
    "jsonb": pa.json_(),
    "bytea": pa.binary(),
}


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


def reader(
    columns: Sequence[tuple[str, str]],
) -> tuple[str, Callable[[memoryview], pa.Table], Callable[[Sequence[pa.Table]], pa.Table]]:
    """Return what to select, how Arrow reads some rows, and what makes of all a table with the right columns."""
    numbered = {f"c{i}": _parsed(kind) for i, (_, kind) in enumerate(columns)}
    parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(columns) > 1)
    convert = csv.ConvertOptions(
        column_types=numbered,
        null_values=[_NULL],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )

    def read(rows: memoryview) -> pa.Table:
        # In one block, as no value may be longer than a block.
        options = csv.ReadOptions(column_names=list(numbered), block_size=len(rows), use_threads=False)
        return csv.read_csv(pa.py_buffer(rows), options, parse, convert)

    def finish(parts: Sequence[pa.Table]) -> pa.Table:
        table = pa.concat_tables([pa.schema(numbered).empty_table(), *parts])
        finished = [_finished(name, table[f"c{i}"], kind) for i, (name, kind) in enumerate(columns)]
        return pa.table(finished, names=[name for name, _ in columns])

    return ", ".join(_selected(name, kind) for name, kind in columns), read, finish


def _selected(name: str, kind: str) -> str:
    column = quote_name(name, POSTGRES)
    if kind.endswith("[]"):
        return f"array_to_json({column})"
    return f"{column} at time zone 'UTC'" if kind == "timestamp with time zone" else column


def _parsed(kind: str) -> pa.DataType:
    """Return the type as which Arrow reads the text of a column."""
    found = _READ.get(kind) or _decimal(kind)
    if found is None or is_json(found) or found == pa.binary() or pa.types.is_decimal256(found):
        return pa.string()
    return pa.timestamp("us") if pa.types.is_timestamp(found) else found


def _decimal(kind: str) -> pa.DataType | None:
    said = re.fullmatch(r"numeric\((\d+),(\d+)\)", kind)
    if said is None:
        return None
    precision, scale = int(said[1]), int(said[2])
    fits = scale <= precision <= 76
    return None if not fits else pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _finished(name: str, column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    wanted = _READ.get(kind) or _decimal(kind)
    if kind.endswith("[]"):
        return _lists(column, kind.removesuffix("[]"))
    if kind == "numeric":
        return _narrowed(name, column)
    if wanted == pa.binary():
        return pa.chunked_array([[v if v is None else bytes.fromhex(v[2:]) for v in column.to_pylist()]], wanted)
    if wanted is not None and is_json(wanted):
        return pa.chunked_array([pa.ExtensionArray.from_storage(wanted, c) for c in column.chunks], wanted)
    return column.cast(wanted) if wanted is not None and wanted != column.type else column


def _narrowed(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give numbers of any size, such as a sum, the narrowest type that holds every digit.

    Raises `EngineError` of kind DATA where none does: as text they would be added to one long text.
    """
    digits, whole = _longest(column, "^[^.]*[.]?"), _longest(column, "^-?0?|[.].*")
    # Counted, as Arrow takes some numbers of more digits for others.
    for kind in (pa.int64(), *(make(width, digits) for make, width in _DECIMALS if whole + digits <= width)):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    message = f"Column {name!r} is numeric without bounds, and holds NaN, infinity or more than 76 digits."
    raise data_error(message, "Cast the column in a model, as to `double precision`.")


def _longest(column: pa.ChunkedArray, pattern: str) -> int:
    """Return the most characters that a text has without what fits a pattern."""
    return pc.max(pc.utf8_length(pc.replace_substring_regex(column, pattern, ""))).as_py() or 0


_DECIMALS = ((pa.decimal128, 38), (pa.decimal256, 76))
_ELEMENTS: Mapping[str, Callable[[Any], Any]] = {
    "real": float,
    "double precision": float,
    "date": date.fromisoformat,
    "timestamp without time zone": datetime.fromisoformat,
    "timestamp with time zone": datetime.fromisoformat,
    "time without time zone": time.fromisoformat,
    "bytea": lambda text: bytes.fromhex(text[2:]),
}


def _lists(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    element = _READ.get(kind) or _decimal(kind) or (None if kind.startswith("numeric") else pa.string())
    plain: Callable[[Any], Any] = Decimal if kind.startswith("numeric") else lambda value: value
    convert = _ELEMENTS.get(kind, plain)

    def converted(value: Any) -> Any:
        if isinstance(value, list):
            return [converted(each) for each in value]
        return value if value is None else convert(value)

    texts = column.to_pylist()
    values = [None if text is None else converted(json.loads(text, parse_float=Decimal)) for text in texts]
    flat = not any(isinstance(each, list) for value in values for each in value or ())
    return pa.chunked_array([pa.array(values, pa.list_(element) if flat and element is not None else None)])


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
