"""What PostgreSQL's binary COPY sends as Arrow columns: numpy finds the values of each column in all rows at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowforge_domain.dialect import quote_name
from flowforge_domain.frame_rules import data_error
from flowforge_postgres.arrow_types import DAYS, MICROSECONDS, is_json
from flowforge_postgres.dialect import POSTGRES

_SHORT = 12
_TEXTS = re.compile(r"text|name|character( varying)?([(]\d+[)])?")
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
# All that a frame holds: the years 1 to 9999, and the times of a day.
_BOUNDS: Mapping[pa.DataType, tuple[int, int]] = {
    pa.date32(): (-719_162, 2_932_896),
    pa.timestamp("us"): (-62_135_596_800_000_000, 253_402_300_799_999_999),
    pa.timestamp("us", "UTC"): (-62_135_596_800_000_000, 253_402_300_799_999_999),
    pa.time64("us"): (0, 86_399_999_999),
}


def reader(
    columns: Sequence[tuple[str, str]],
) -> tuple[str, Callable[[memoryview, Sequence[int]], pa.RecordBatch], Callable[[Sequence[pa.RecordBatch]], pa.Table]]:
    """Return what to select, what reads some rows of it, and what makes of all a table with the right columns."""
    sent = [_sent(kind) for _, kind in columns]
    schema = pa.schema([(f"c{i}", kind) for i, kind in enumerate(sent)])

    def read(rows: memoryview, sizes: Sequence[int]) -> pa.RecordBatch:
        # Each row begins with the number of its fields.
        at, arrays = np.cumsum(sizes) - sizes + 2, []
        for kind in sent:
            array, at = _column(rows, at, kind)
            arrays.append(array)
        return pa.record_batch(arrays, schema=schema)

    def finish(batches: Sequence[pa.RecordBatch]) -> pa.Table:
        table = pa.Table.from_batches(batches, schema)
        finished = [_finished(*column, table.column(i)) for i, column in enumerate(columns)]
        return pa.table(finished, names=[name for name, _ in columns])

    return ", ".join(_selected(name, kind) for name, kind in columns), read, finish


def _selected(name: str, kind: str) -> str:
    column = quote_name(name, POSTGRES)
    if kind.endswith("[]"):
        return f"array_to_json({column})::text"
    if _sent(kind) != pa.string() or _TEXTS.fullmatch(kind):
        return column
    # Not cast, which would be another text: of `inet`, with a mask.
    return f"case when {column} is distinct from null then format('%s', {column}) end"


def _sent(kind: str) -> pa.DataType:
    """Return the type as which a column is sent; what has no form of its own here is sent as text."""
    found = _READ.get(kind, pa.string())
    return pa.string() if is_json(found) else found


def _column(rows: memoryview, at: Any, kind: pa.DataType) -> tuple[pa.Array, Any]:
    """Return a column, whose fields begin at these places, and the places where the next one begins."""
    lengths, begin = _values(rows, at, ">i4").astype(np.int64), at + 4
    there = lengths >= 0
    lengths = np.maximum(lengths, 0)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    if kind in {pa.string(), pa.binary()}:
        array = _texts(rows, begin, lengths, valid, kind)
    else:
        array = pa.Array.from_buffers(kind, len(at), [valid, pa.py_buffer(_numbers(rows, begin, kind))])
    return array, begin + lengths


def _values(rows: memoryview, at: Any, form: str) -> Any:
    """Return what stands at these places; `copied` lets some bytes follow the last row."""
    size = np.dtype(form).itemsize
    return np.ndarray(len(rows) - size + 1, form, rows, strides=1)[at]


def _numbers(rows: memoryview, at: Any, kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return np.packbits(_values(rows, at, "?"), bitorder="little")
    letter, width = "f" if pa.types.is_floating(kind) else "i", kind.bit_width // 8
    numbers = _values(rows, at, f">{letter}{width}").astype(f"{letter}{width}")
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        numbers += DAYS if pa.types.is_date(kind) else MICROSECONDS
    return numbers


def _texts(rows: memoryview, at: Any, lengths: Any, valid: pa.Buffer | None, kind: pa.DataType) -> pa.Array:
    """Return texts or bytes by way of Arrow's views: a short value stands in its view, of a long one only its place."""
    views = np.empty(len(at), [("length", "<i4"), ("short", f"V{_SHORT}")])
    views["length"], views["short"] = lengths, _values(rows, at, f"V{_SHORT}")
    long = lengths > _SHORT
    places = views.view([("length", "<i4"), ("prefix", "<i4"), ("buffer", "<i4"), ("place", "<i4")])
    places["buffer"][long], places["place"][long] = 0, at[long]
    view = pa.string_view() if kind == pa.string() else pa.binary_view()
    return pa.Array.from_buffers(view, len(at), [valid, pa.py_buffer(views), pa.py_buffer(rows)]).cast(kind)


def _decimal(kind: str) -> pa.DataType | None:
    said = re.fullmatch(r"numeric\((\d+),(-?\d+)\)", kind)
    if said is None:
        return None
    # PostgreSQL has hundreds of thousands, `numeric(3, -2)`, and millionths, `numeric(2, 6)`; Arrow counts their zeros.
    digits, scale = int(said[1]), int(said[2])
    precision, scale = max(digits - min(scale, 0), scale), max(scale, 0)
    kinds = ((make, most) for make, most in _DECIMALS if precision <= most)
    return next((make(precision, scale) for make, _ in kinds), None)


def _finished(name: str, kind: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type in _BOUNDS:
        _require_bounds(name, column, *_BOUNDS[column.type])
    # What a database without an encoding sends as text may be none.
    column.validate(full=True)
    wanted = _READ.get(kind) or _decimal(kind)
    if kind.endswith("[]"):
        return _lists(column, kind.removesuffix("[]"))
    if kind == "numeric":
        return _narrowed(name, column)
    if wanted is not None and is_json(wanted):
        return pa.chunked_array([pa.ExtensionArray.from_storage(wanted, c) for c in column.chunks], wanted)
    return column.cast(wanted) if wanted is not None and wanted != column.type else column


def _require_bounds(name: str, column: pa.ChunkedArray, least: int, most: int) -> None:
    ends = pc.min_max(column)
    low, high = ends["min"].value, ends["max"].value
    if low is not None and (low < least or high > most):
        raise ValueError(f"In column {name!r}: infinity, BC, beyond the year 9999 or 24:00, which no frame holds.")


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
