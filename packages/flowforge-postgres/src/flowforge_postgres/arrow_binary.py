"""Arrow columns as PostgreSQL's binary COPY: numpy lays out the fields, Arrow joins those of each row.

The server takes less than half of its time for CSV, and no number is written out to be read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowforge_domain.frame_rules import unstorable
from flowforge_postgres.arrow_types import DAYS, MICROSECONDS, in_microseconds, json_texts

_ROWS = 1 << 14
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NOTHING, _NULL, _JSONB_VERSION = b"", b"\xff\xff\xff\xff", b"\1"
_FORMS: Mapping[str, Any] = {
    "boolean": [("value", "?")],
    "smallint": [("value", ">i2")],
    "integer": [("value", ">i4")],
    "bigint": [("value", ">i8")],
    "real": [("value", ">f4")],
    "double precision": [("value", ">f8")],
    "date": [("value", ">i4")],
    "time": [("value", ">i8")],
    "timestamp": [("value", ">i8")],
    "timestamptz": [("value", ">i8")],
    "interval": [("value", ">i8"), ("days", ">i4"), ("months", ">i4")],
}
_WORD = np.uint64(32)


def binary_chunks(batches: Iterable[pa.RecordBatch], kinds: Sequence[str]) -> Iterator[memoryview]:
    """Give the rows as a table with columns of these types takes them, some thousands at a time.

    Raises `EngineError` of kind DATA for what its column cannot hold.
    """
    yield memoryview(_BEGIN)
    width, nothing = _scalar(len(kinds).to_bytes(2, "big")), _scalar(_NOTHING)
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            part = batch.slice(start, _ROWS)
            columns = zip(part.schema.names, part.columns, kinds, strict=True)
            fields = [field for name, column, kind in columns for field in _fields(name, column, kind)]
            # Nothing stands for the value of a NULL.
            rows = pc.binary_join_element_wise(
                width, *fields, nothing, null_handling="replace", null_replacement=_NOTHING
            )
            _, offsets, data = rows.buffers()
            yield memoryview(data)[: np.frombuffer(offsets, np.int64)[len(rows)]]
    yield memoryview(_END)


def _fields(name: str, column: pa.Array, kind: str) -> Sequence[pa.Array]:
    """Return what stands for a column in each row: the length of the value and the value, in one part or in two."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if kind in _FORMS:
            return [_fixed(column, _FORMS[kind], value=_values(_counted(name, column)))]
        if kind.startswith("numeric"):
            return [_decimals(column)]
    except ValueError as error:
        raise unstorable(name, str(error)) from error
    texts = (json_texts(column) if kind == "jsonb" else column).cast(pa.large_binary())
    if kind == "jsonb":
        texts = pc.binary_join_element_wise(_scalar(_JSONB_VERSION), texts, _scalar(_NOTHING))
    lengths = pc.fill_null(pc.binary_length(texts), -1).to_numpy()
    return [_bytes(lengths.astype(">i4")), texts]


def _fixed(column: pa.Array, form: Sequence[tuple[Any, ...]], **values: Any) -> pa.Array:
    """Return fields of one length for all values of a column."""
    records = np.zeros(len(column), [("length", ">i4"), *form])
    records["length"] = records.itemsize - 4
    for part, value in values.items():
        records[part] = value
    return pc.if_else(column.is_valid(), _bytes(records), _scalar(_NULL)) if column.null_count else _bytes(records)


def _scalar(value: bytes) -> pa.Scalar:
    # Not made on import: the first value has Arrow reserve a gigabyte of addresses, whoever imports this module.
    return pa.scalar(value, pa.large_binary())


def _bytes(records: Any) -> pa.Array:
    ends = np.arange(0, records.nbytes + 1, records.itemsize)
    return pa.Array.from_buffers(pa.large_binary(), len(records), [None, pa.py_buffer(ends), pa.py_buffer(records)])


def _values(column: pa.Array) -> Any:
    """Return what numpy makes of a column; in the place of a NULL anything may stand."""
    data = [None, column.buffers()[1]]
    plain = pa.Array.from_buffers(column.type, len(column), data, offset=column.offset)
    return plain.to_numpy(zero_copy_only=False)


def _counted(name: str, column: pa.Array) -> pa.Array:
    """Return a column of times as what PostgreSQL counts, any other as it is."""
    kind = column.type
    if not pa.types.is_temporal(kind):
        return column
    if pa.types.is_date(kind):
        return pc.subtract_checked(column.cast(pa.date32()).cast(pa.int32()), pa.scalar(DAYS, pa.int32()))
    microseconds = in_microseconds(name, column).cast(pa.int64())
    return pc.subtract_checked(microseconds, MICROSECONDS) if pa.types.is_timestamp(kind) else microseconds


def _decimals(column: pa.Array) -> pa.Array:
    """Return fields of `numeric`: groups of four digits, those before the point and those behind it."""
    kind = pa.decimal128(20) if pa.types.is_uint64(column.type) else column.type
    scale = max(0, kind.scale)
    precision = kind.precision - kind.scale + scale
    column = column.cast(pa.decimal256(precision, scale))
    whole, behind = max(0, -((scale - precision) // 4)), -(-scale // 4)
    negative = _words(column)[:, -1] >> 31
    return _fixed(
        column,
        [("groups", ">u2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">u2"), ("digits", ">u2", whole + behind)],
        groups=whole + behind,
        weight=whole - 1,
        sign=negative << 14,
        scale=scale,
        digits=_digits(_words(pc.abs(column)), whole + behind, scale % 4),
    )


def _words(column: pa.Array) -> Any:
    """Return the whole numbers behind decimals, 32 bits at a time, the lowest first."""
    words = np.frombuffer(column.buffers()[1], "<u4").reshape(-1, 8)
    return words[column.offset : column.offset + len(column)]


def _digits(words: Any, groups: int, rest: int) -> Any:
    """Divide numbers into groups of four digits; the last group of them has only `rest` digits, unless that is 0."""
    digits = np.zeros((len(words), groups), np.uint16)
    parts = [word.astype(np.uint64) for word in words.T]
    while parts and not parts[-1].any():
        parts.pop()
    for group in reversed(range(groups)):
        left = np.zeros(len(digits), np.uint64)
        for i in reversed(range(len(parts))):
            parts[i], left = np.divmod((left << _WORD) | parts[i], np.uint64(10 ** (rest or 4)))
        digits[:, group] = left * np.uint64(10 ** (4 - (rest or 4)))
        rest = 0
    return digits
