"""What a Python model returned as an Arrow table, and an Arrow table as the pandas frame that it is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowforge_bigquery.arrow_types import data_error
from flowforge_bigquery.dialect import BIGQUERY
from flowforge_domain.dialect import quote_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from flowforge_domain.errors import EngineError


def arrow_table(frame: Any) -> pa.Table:
    """Return a frame as Arrow; raise `EngineError` of kind DATA for what is none, or cannot be stored exactly."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pd.DataFrame):
        return _from_pandas(frame)
    if not (hasattr(frame, "__arrow_c_stream__") and hasattr(frame, "columns")):
        what = "None" if frame is None else type(frame).__name__
        raise data_error(
            f"The model returned {what}, expected a pandas DataFrame.",
            "Return a pandas DataFrame; a polars DataFrame or a pyarrow Table will do as well.",
        )
    table = pa.table(frame)
    require_columns(table.column_names)
    return table


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table in the pandas types that keep every value."""
    import pandas as pd

    columns = [_series(column) for column in table.columns]
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(len(table)))
    frame.columns = pd.Index(table.column_names, dtype=object)
    return frame


def require_columns(names: Iterable[str]) -> None:
    """Require names that BigQuery can hold, each but once, whatever its case, and at least one.

    Raises `ConfigError` for a name, `EngineError` of kind DATA for the rest.
    """
    seen: set[str] = set()
    for name in names:
        quote_name(name, BIGQUERY)
        if name.casefold() in seen:
            hint = "Rename or drop one of them; BigQuery does not tell names apart by case."
            raise data_error(f"The model returned a frame with two columns {name!r}.", hint)
        seen.add(name.casefold())
    if not seen:
        raise data_error("The model returned a frame without columns.", "Return at least one column.")


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

    require_columns([str(name) for name in frame.columns])
    named = [str(name) for name in frame.index.names if name is not None]
    if named:
        raise data_error(
            f"The model returned a DataFrame whose index holds {', '.join(named)}; a table has no index.",
            "Return `frame.reset_index()` to keep it as a column, `frame.reset_index(drop=True)` to leave it out.",
        )
    columns = [_column(str(name), series) for name, series in frame.items()]
    return pa.table(columns, names=[str(name) for name in frame.columns])


def _column(name: str, series: pd.Series[Any]) -> Any:
    import pyarrow as pa

    kinds = _kinds(series) if series.dtype == object else set()
    try:
        column = pa.Array.from_pandas(series)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        reason = f"it mixes {' and '.join(sorted(kinds))}" if len(kinds) > 1 else str(error)
        raise _misfit(name, reason) from error
    if len(kinds) > 1 and (pa.types.is_temporal(column.type) or pa.types.is_binary(column.type)):
        # Arrow makes these types also of mixed values: dates cut from times, zones added, text as bytes.
        raise _misfit(name, f"it mixes {' and '.join(sorted(kinds))}")
    return column


def _misfit(name: str, reason: str) -> EngineError:
    return data_error(
        f"Column {name!r} of the model's frame cannot be stored: {reason}.",
        f"Give it one type, e.g. `frame[{name!r}] = frame[{name!r}].astype('string')`.",
    )


def _kinds(column: pd.Series[Any]) -> set[str]:
    return {_kind(value) for value in column.dropna()}


def _kind(value: object) -> str:
    if isinstance(value, datetime):
        return "datetime with zone" if value.tzinfo else "datetime"
    return "bytes" if isinstance(value, bytearray | memoryview) else type(value).__name__
