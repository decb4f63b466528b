"""What a Python model returned as an Arrow table, and an Arrow table as the pandas frame that it is given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flowforge_domain.frame_rules import (
    kinds_of,
    mixture,
    no_frame,
    require_columns,
    require_no_index,
    require_no_zoned_time,
    unstorable,
)
from flowforge_postgres.dialect import POSTGRES

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
    require_columns(table.column_names, POSTGRES, case_matters=True)
    return table


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table in the pandas types that keep every value."""
    import pandas as pd

    numbered = table.rename_columns([str(i) for i in range(table.num_columns)])
    exact = {
        name: series
        for name, column in zip(numbered.column_names, table.columns, strict=True)
        if (series := _exact(column)) is not None
    }
    # All others at once: one by one, pandas would copy each of them into new memory.
    frame: pd.DataFrame = numbered.drop_columns(list(exact)).to_pandas()
    if exact:
        columns = {name: exact[name] if name in exact else frame[name] for name in numbered.column_names}
        frame = pd.DataFrame(columns, index=range(len(table)))
    frame.columns = pd.Index(table.column_names, dtype=object)
    return frame


def exact_values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values as Python's own."""
    from flowforge_postgres.arrow_types import is_json

    values: list[Any] = column.to_pylist()
    return [v if v is None else json.loads(v) for v in values] if is_json(column.type) else values


def _exact(column: pa.ChunkedArray) -> pd.Series[Any] | None:
    """Return a column as a series where Arrow's own choice of one would lose something."""
    import pandas as pd
    import pyarrow as pa

    from flowforge_postgres.arrow_types import is_json

    kind = column.type
    if is_json(kind):
        return pd.Series(exact_values(column), dtype=object)
    if pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_nested(kind) or pa.types.is_time(kind):
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    if column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        nullable = "boolean" if pa.types.is_boolean(kind) else str(kind).replace("uint", "UInt").replace("int", "Int")
        return pd.Series(pd.array(column.to_pylist(), dtype=nullable))
    return None


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    require_columns(map(str, frame.columns), POSTGRES, case_matters=True)
    require_no_index(frame.index.names)
    columns = [_column(str(name), series) for name, series in frame.items()]
    return pa.table(columns, names=[str(name) for name in frame.columns])


def _column(name: str, series: pd.Series[Any]) -> Any:
    import pandas as pd
    import pyarrow as pa

    kinds = kinds_of(series.dropna()) if series.dtype == object else set()
    try:
        if kinds == {"dict"}:
            texts = [json.dumps(v, ensure_ascii=False) if isinstance(v, dict) else None for v in series]
            return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))
        column = pa.Array.from_pandas(series)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        reason = mixture(kinds) if len(kinds) > 1 else str(error)
        raise unstorable(name, reason) from error
    if len(kinds) > 1 and (pa.types.is_temporal(column.type) or pa.types.is_binary(column.type)):
        # Arrow makes these types also of mixed values: dates cut from times, zones added, text as bytes.
        raise unstorable(name, mixture(kinds))
    if "time64" in str(column.type) and not isinstance(series.dtype, pd.ArrowDtype):
        require_no_zoned_time(name, series, "PostgreSQL")
    return column
