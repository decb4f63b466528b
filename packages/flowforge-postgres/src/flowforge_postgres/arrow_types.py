"""Which of PostgreSQL's types holds which of Arrow's, and how its values are told to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pyarrow as pa

from flowforge_domain.frame_rules import data_error

_TYPES: Sequence[tuple[Callable[[pa.DataType], bool], str]] = (
    (pa.types.is_null, "text"),
    (pa.types.is_boolean, "boolean"),
    (lambda kind: kind in {pa.int8(), pa.int16(), pa.uint8()}, "smallint"),
    (lambda kind: kind in {pa.int32(), pa.uint16()}, "integer"),
    (lambda kind: kind in {pa.int64(), pa.uint32()}, "bigint"),
    (pa.types.is_uint64, "numeric(20)"),
    (lambda kind: kind in {pa.float16(), pa.float32()}, "real"),
    (pa.types.is_float64, "double precision"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "interval"),
    (pa.types.is_date, "date"),
)
# PostgreSQL counts from the year 2000.
DAYS, MICROSECONDS = 10_957, 946_684_800_000_000


def stored_type(field: pa.Field) -> str:
    """Return the type of a column that holds an Arrow field; raise `EngineError` of kind DATA when none does."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        return stored_type(field.with_type(kind.value_type))
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision - min(kind.scale, 0)}, {max(kind.scale, 0)})"
    if is_nested(kind):
        return "jsonb"
    if is_text(kind) or is_bytes(kind):
        return "text" if is_text(kind) else "bytea"
    if is_list(kind):
        return f"{stored_type(field.with_type(kind.value_type)).removesuffix('[]')}[]"
    found = next((name for fits, name in _TYPES if fits(kind)), None)
    if found is None:
        raise data_error(f"Column {field.name!r} is {kind}: PostgreSQL has no type for it.", "Convert it.")
    return found


def in_microseconds(name: str, column: pa.Array) -> pa.Array:
    """Return a column of moments, times or durations in PostgreSQL's unit; raise `EngineError` of kind DATA."""
    kind = column.type
    finest = (
        pa.timestamp("us", kind.tz)
        if pa.types.is_timestamp(kind)
        else pa.duration("us")
        if pa.types.is_duration(kind)
        else pa.time64("us")
    )
    try:
        return column.cast(finest)
    except pa.ArrowInvalid as error:
        message = f"Column {name!r} holds nanoseconds; PostgreSQL keeps microseconds."
        raise data_error(message, f"Round them, e.g. `frame[{name!r}].dt.floor('us')`.") from error


def json_texts(column: pa.Array) -> pa.Array:
    """Return a column of JSON, structs or maps as texts."""
    if is_json(column.type):
        return column.storage.cast(pa.large_string())
    texts = [v if v is None else json.dumps(v, default=str, ensure_ascii=False) for v in column.to_pylist()]
    return pa.array(texts, pa.large_string())


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a type is one of Arrow's for text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Tell whether a type is one of Arrow's for bytes."""
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    return bool(binary or pa.types.is_fixed_size_binary(kind))


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a type is one of Arrow's for lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_nested(kind: pa.DataType) -> bool:
    """Tell whether values of a type are stored as JSON."""
    inner = pa.types.is_struct(kind) or pa.types.is_map(kind) or is_json(kind)
    return bool(inner or (is_list(kind) and is_nested(kind.value_type)))


def is_json(kind: pa.DataType) -> bool:
    """Tell whether a type is Arrow's for JSON text."""
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json"
