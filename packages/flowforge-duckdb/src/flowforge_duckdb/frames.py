"""Python models' frames: pandas out, and in whatever is a pandas frame, an Arrow table or gives an Arrow stream.

Frames are stored by way of Arrow, which takes types from all values where DuckDB would take them from a sample.
pandas is imported when a frame is wanted, never for a project of SQL models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import EngineError
from flowforge_domain.frame_rules import (
    data_error,
    kinds_of,
    mixture,
    no_frame,
    require_columns,
    require_no_index,
    require_no_zoned_time,
    unstorable,
)
from flowforge_domain.results import Rows
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated
from flowforge_ports.engine import Frame
from flowforge_ports.failpoint import failpoint

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa
    from duckdb.sqltypes import DuckDBPyType

# DuckDB types for which pandas has no dtype of its own that keeps every value.
_HUGE = frozenset({"hugeint", "uhugeint"})
_NESTED = frozenset({"list", "array", "struct", "map"})
_INEXACT = _HUGE | _NESTED | {"decimal", "date"}
_UNREADABLE = frozenset({"bit", "bignum", "time with time zone", "union"})


@dataclass(frozen=True)
class DuckDBFrames:
    """The frames of one session."""

    connection: duckdb.DuckDBPyConnection

    def read(self, relation: str) -> Frame:
        # DuckDB would import it amid its own call, and take Ctrl-C in the meantime for a package that is not installed.
        import pandas as pd  # noqa: F401

        with translated():
            found = self.connection.sql(f"select * from {quote_relation(relation, DUCKDB)}")
            for name, kind in zip(found.columns, found.types, strict=True):
                _require_readable(name, kind)
            types = {name: kind.id for name, kind in zip(found.columns, found.types, strict=True)}
            if _INEXACT.isdisjoint(types.values()):
                return found.df()
            return self._pandas(_narrow(found.to_arrow_table(), types))

    def write(self, relation: str, frame: Frame) -> int | None:
        # DuckDB finds the variable by its name; a registered view would not outlive a failed transaction.
        flowforge_frame_being_written = _arrow(frame)  # noqa: F841
        made = f"create or replace table {quote_relation(relation, DUCKDB)}"
        failpoint("frame")
        with translated():
            done = self.connection.execute(f"{made} as select * from flowforge_frame_being_written")
            return int(done.fetchall()[0][0])

    def columns(self, frame: Frame) -> Sequence[str]:
        return _names(frame)

    def from_rows(self, rows: Rows) -> Frame:
        import pandas as pd

        with translated():
            return self._pandas(_arrow(pd.DataFrame(rows.rows, columns=list(rows.columns), dtype=object)))

    def to_rows(self, frame: Frame) -> Rows:
        table = _arrow(frame)
        columns = [column.to_pylist() for column in table.columns]
        return Rows(tuple(table.column_names), list(zip(*columns, strict=True)))

    def _pandas(self, table: pa.Table) -> pd.DataFrame:
        """Leave to DuckDB what pandas holds exactly, and hand over the other columns as they are."""
        import pandas as pd

        exact = [field.name for field in table.schema if _needs_arrow(field.type)]
        plain = table.drop_columns(exact)
        frame = self.connection.from_arrow(plain).df() if plain.num_columns else pd.DataFrame(index=range(len(table)))
        for name in exact:
            values = pd.Series(pd.arrays.ArrowExtensionArray(table[name]))
            frame.insert(table.column_names.index(name), name, values)
        return frame


def _require_readable(name: str, kind: DuckDBPyType) -> None:
    """Refuse a type that frames lack, also inside of another: Arrow gives bare bytes, and times without their zone."""
    if kind.id in _UNREADABLE:
        raise data_error(
            f"Column {name!r} is of type {kind.id}, which no frame holds.",
            f"Cast it in a SQL model first, e.g. `{name}::varchar as {name}`.",
        )
    if kind.id in _NESTED:
        for _, inner in kind.children:
            # An array has its size among them.
            if not isinstance(inner, int | list):
                _require_readable(name, inner)


def _arrow(frame: Frame) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pd.DataFrame):
        require_columns(_names(frame), DUCKDB)
        return _storable(_from_pandas(frame))
    if not (hasattr(frame, "__arrow_c_stream__") and hasattr(frame, "columns")):
        raise no_frame(frame)
    require_columns(_names(frame), DUCKDB)
    return _storable(pa.table(frame))


def _names(frame: Frame) -> list[str]:
    return [str(name) for name in getattr(frame, "column_names", frame.columns)]


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    require_no_index(frame.index.names)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
        raise _misfit(frame) from error
    for name, column in zip(frame.columns, table.columns, strict=True):
        if frame[name].dtype == object and _may_hide_a_mix(column.type) and len(kinds_of(frame[name].dropna())) > 1:
            raise _misfit(frame[[name]])
        if "time64" in str(column.type) and not isinstance(frame[name].dtype, pd.ArrowDtype):
            require_no_zoned_time(str(name), frame[name], "DuckDB")
    return table


def _misfit(frame: pd.DataFrame) -> EngineError:
    """Return which column of a frame could not be stored, and why."""
    import pyarrow as pa

    name: Any = ""
    reason = "DuckDB has no type for it"
    for name, column in frame.items():  # noqa: B007
        try:
            pa.Array.from_pandas(column)
            reason = ""
        except (pa.ArrowException, ArithmeticError, TypeError, ValueError) as error:
            reason = str(error.args[0] if isinstance(error, pa.ArrowException) else error)
        kinds = kinds_of(column.dropna()) if column.dtype == object else set()
        if len(kinds) > 1:
            reason = mixture(kinds)
        if reason:
            break
    return unstorable(str(name), reason, "DuckDB")


def _may_hide_a_mix(kind: pa.DataType) -> bool:
    """Tell whether Arrow makes this type also of mixed values: dates cut from times, zones added, text as bytes."""
    import pyarrow as pa

    return bool(pa.types.is_temporal(kind) or pa.types.is_binary(kind))


def _storable(table: pa.Table) -> pa.Table:
    """Give each column a type that DuckDB works with, where that loses nothing."""
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if isinstance(field.type, pa.ExtensionType):
            raise unstorable(field.name, f"DuckDB has no type for {field.type}", "DuckDB")
        wanted = _typed(field.type)
        if wanted != field.type:
            try:
                table = table.set_column(i, field.name, table[i].cast(wanted))
            except pa.ArrowInvalid as error:
                raise unstorable(field.name, f"as {wanted}, {error}", "DuckDB") from error
    return table


def _typed(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_decimal256(kind):
        return pa.decimal128(38, kind.scale)
    if pa.types.is_timestamp(kind) and kind.tz and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_list(kind):
        return pa.list_(_typed(kind.value_type))
    return kind


def _narrow(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    """Turn integers of 128 bits, such as any sum(), into 64 bits where all of them fit."""
    import pyarrow as pa

    for i, name in enumerate(table.column_names):
        if types[name] in _HUGE:
            with suppress(pa.ArrowInvalid):
                table = table.set_column(i, name, table[i].cast(pa.int64()))
    return table


def _needs_arrow(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_nested(kind))
