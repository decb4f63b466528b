"""What a Python model returned as an Arrow table, and an Arrow table as the pandas frame that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowforge_bigquery.dialect import BIGQUERY
from flowforge_domain.frame_rules import (
    kinds_of,
    mixture,
    no_frame,
    require_columns,
    require_no_index,
    require_no_zoned_time,
    unstorable,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def arrow_table(frame: Any) -> pa.Table:
    """Return a frame as Arrow; raise `EngineError` of kind DATA for what is none, or cannot be stored exactly."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pd.DataFrame):
        return _from_pandas(frame)
    if not (hasattr(frame, "__arrow_c_stream__") and hasattr(frame, "columns")):
        raise no_frame(frame)
    table = pa.table(frame)
    require_columns(table.column_names, BIGQUERY)
    return table


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table in the pandas types that keep every value."""
    import pandas as pd

    columns = [_series(column) for column in table.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(len(table)))
    frame.columns = pd.Index(table.column_names, dtype=object)
    return frame


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    exact = pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_nested(kind) or pa.types.is_time(kind)
    if exact:
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    if column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        nullable = "boolean" if pa.types.is_boolean(kind) else "Int64"
        return pd.Series(pd.array(column.to_pylist(), dtype=nullable))
    series: pd.Series[Any] = column.to_pandas()
    return series


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    require_columns(map(str, frame.columns), BIGQUERY)
    require_no_index(frame.index.names)
    columns = [_column(str(name), series) for name, series in frame.items()]
    return pa.table(columns, names=[str(name) for name in frame.columns])


def _column(name: str, series: pd.Series[Any]) -> Any:
    import pandas as pd
    import pyarrow as pa

    kinds = kinds_of(series.dropna()) if series.dtype == object else set()
    try:
        column = pa.Array.from_pandas(series)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        reason = mixture(kinds) if len(kinds) > 1 else str(error)
        raise unstorable(name, reason) from error
    if len(kinds) > 1 and (pa.types.is_temporal(column.type) or pa.types.is_binary(column.type)):
        # Arrow makes these types also of mixed values: dates cut from times, zones added, text as bytes.
        raise unstorable(name, mixture(kinds))
    if "time64" in str(column.type) and not isinstance(series.dtype, pd.ArrowDtype):
        require_no_zoned_time(name, series, "BigQuery")
    return column
