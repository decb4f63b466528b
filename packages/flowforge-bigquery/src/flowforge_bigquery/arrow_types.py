"""Arrow's types as BigQuery's, and columns in the types that a Parquet file can bring there without losing a digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
from google.cloud import bigquery

from flowforge_domain.frame_rules import data_error

_MICRO = pa.timestamp("us")
_TYPES: Sequence[tuple[Callable[[pa.DataType], bool], str, pa.DataType]] = (
    (pa.types.is_null, "STRING", pa.string()),
    (pa.types.is_boolean, "BOOL", pa.bool_()),
    (pa.types.is_uint64, "NUMERIC", pa.decimal128(20, 0)),
    (pa.types.is_integer, "INT64", pa.int64()),
    (pa.types.is_floating, "FLOAT64", pa.float64()),
    (pa.types.is_date, "DATE", pa.date32()),
    (pa.types.is_time, "TIME", pa.time64("us")),
    (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None, "DATETIME", _MICRO),
    (pa.types.is_timestamp, "TIMESTAMP", pa.timestamp("us", "UTC")),
)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_NUMERIC, _BIGNUMERIC = (38, 9), (76, 38)


def stored(field: pa.Field) -> tuple[bigquery.SchemaField, pa.Field]:
    """Return the column that holds an Arrow field, and the field as Parquet brings it.

    Raises `EngineError` of kind DATA when there is none.
    """
    kind = field.type
    if pa.types.is_dictionary(kind):
        return stored(field.with_type(kind.value_type))
    if any(fits(kind) for fits in _LISTS):
        return _list(field)
    if pa.types.is_struct(kind):
        inner = [stored(kind.field(i)) for i in range(kind.num_fields)]
        column = bigquery.SchemaField(field.name, "RECORD", fields=[each for each, _ in inner])
        return column, pa.field(field.name, pa.struct([each for _, each in inner]))
    if pa.types.is_decimal(kind):
        return bigquery.SchemaField(field.name, _decimal(field)), pa.field(field.name, kind)
    if any(fits(kind) for fits in _TEXTS):
        return bigquery.SchemaField(field.name, "STRING"), pa.field(field.name, pa.string())
    if any(fits(kind) for fits in _BYTES):
        return bigquery.SchemaField(field.name, "BYTES"), pa.field(field.name, pa.binary())
    for fits, name, storage in _TYPES:
        if fits(kind):
            return bigquery.SchemaField(field.name, name), pa.field(field.name, storage)
    raise data_error(f"Column {field.name!r} is {kind}: BigQuery has no type for it.", "Convert it.")


def storable(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows in the types of `stored`; raise `EngineError` of kind DATA for a value that would change."""
    require_no_null_list(batch)
    columns = [_cast(column, field) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def require_no_null_list(table: pa.Table | pa.RecordBatch) -> None:
    """Require that no list is NULL, which would come back empty; raise `EngineError` of kind DATA for one that is."""
    for field, column in zip(table.schema, table.columns, strict=True):
        if column.null_count and any(fits(field.type) for fits in _LISTS):
            message = f"Column {field.name!r} holds a NULL list; BigQuery keeps none, only empty ones."
            raise data_error(message, "Put an empty list in its place.")


def _list(field: pa.Field) -> tuple[bigquery.SchemaField, pa.Field]:
    column, element = stored(pa.field(field.name, field.type.value_type))
    if column.mode == "REPEATED":
        message = f"Column {field.name!r} holds lists of lists: BigQuery has no type for them."
        raise data_error(message, "Put each inner list into a dict.")
    made = bigquery.SchemaField(field.name, column.field_type, mode="REPEATED", fields=column.fields)
    return made, pa.field(field.name, pa.list_(element.type))


def _decimal(field: pa.Field) -> str:
    kind = field.type
    for name, (digits, scale) in (("NUMERIC", _NUMERIC), ("BIGNUMERIC", _BIGNUMERIC)):
        if kind.scale <= scale and kind.precision - kind.scale <= digits - scale:
            return name
    raise data_error(f"Column {field.name!r} is {kind}: no type of BigQuery is so wide.", "Round it.")


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        return (column.dictionary_decode() if pa.types.is_dictionary(column.type) else column).cast(field.type)
    except pa.ArrowInvalid as error:
        if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type):
            message = f"Column {field.name!r} holds nanoseconds; BigQuery keeps microseconds."
            raise data_error(message, f"Round them, e.g. `frame[{field.name!r}].dt.floor('us')`.") from error
        message = f"Column {field.name!r} cannot be stored as {field.type}: {error}"
        raise data_error(message, "Convert it.") from error
