"""The columns of a Parquet seed: their names and types are read here, their values by Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.seed_text import no_parquet, seed_error

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_columns(seed: Seed) -> tuple[dict[str, str], int]:
    """Return Snowflake's type for each column, and how many rows there are; raise `SeedError` for another file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(seed.path) as file:
            columns = {field.name: _type(seed, field) for field in file.schema_arrow}
            return columns, file.metadata.num_rows
    except pa.ArrowException as error:
        raise no_parquet(seed, error) from error


def _type(seed: Seed, field: pa.Field) -> str:
    from pyarrow import types

    kind = field.type
    if types.is_decimal(kind):
        return f"number({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "timestamp_tz" if kind.tz else "timestamp_ntz"
    fitting = (
        (types.is_boolean, "boolean"),
        (types.is_integer, "number(38, 0)"),
        (types.is_floating, "double"),
        (types.is_date, "date"),
        (types.is_time, "time"),
        (lambda k: types.is_string(k) or types.is_large_string(k) or types.is_null(k), "varchar"),
        (lambda k: types.is_binary(k) or types.is_large_binary(k), "binary"),
        (types.is_nested, "variant"),
    )
    for is_it, name in fitting:
        if is_it(kind):
            return name
    raise _no_type(seed, field)


def _no_type(seed: Seed, field: pa.Field) -> SeedError:
    message = f"Column {field.name!r} is {field.type}, for which Snowflake has no type."
    return seed_error(seed, message, hint="Save it as another type.")
