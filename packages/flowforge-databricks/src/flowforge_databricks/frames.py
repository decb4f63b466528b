"""Python models' frames: Spark DataFrames, lazy and without pandas, in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import types as spark_types

from flowforge_databricks.catalog import SparkReplacer
from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.session import SparkSqlSession, rows_of
from flowforge_domain.dialect import Dialect, quote_relation
from flowforge_domain.errors import ours_if_interrupted
from flowforge_domain.frame_rules import kinds_of, mixture, no_frame, require_columns, unstorable
from flowforge_domain.results import Rows
from flowforge_ports.engine import Frame

_TYPES: Mapping[type, Callable[[], spark_types.DataType]] = {
    bool: spark_types.BooleanType,
    int: spark_types.LongType,
    float: spark_types.DoubleType,
    str: spark_types.StringType,
    bytes: spark_types.BinaryType,
    date: spark_types.DateType,
    datetime: spark_types.TimestampNTZType,
    Decimal: spark_types.DecimalType,
}
_WIDEST = 2**63
_MOST_DIGITS = 38


@dataclass(frozen=True)
class SparkFrames:
    """The frames of one session."""

    session: SparkSqlSession
    dialect: Dialect
    replacer: SparkReplacer

    def read(self, relation: str) -> Frame:
        with translated():
            frame = self.session.spark.table(quote_relation(relation, SPARK))
            # Spark Connect looks for the table only when it is asked something.
            _ = frame.columns
            return frame

    def write(self, relation: str, frame: Frame) -> int | None:
        if not isinstance(frame, DataFrame):
            raise no_frame(frame, "a Spark DataFrame", "Return a DataFrame of Spark.")
        require_columns(self.columns(frame), SPARK)
        with self.replacer.replacing(relation, "table") as into, ours_if_interrupted(self.session), translated():
            writer = frame.writeTo(quote_relation(into, SPARK))
            if "table" in self.dialect.replaces:
                writer.createOrReplace()
            else:
                writer.create()
        return None

    def columns(self, frame: Frame) -> Sequence[str]:
        with translated():
            return list(frame.columns)

    def from_rows(self, rows: Rows) -> Frame:
        kinds = [_type_of(name, [row[at] for row in rows.rows]) for at, name in enumerate(rows.columns)]
        fields = [spark_types.StructField(name, kind) for name, kind in zip(rows.columns, kinds, strict=True)]
        schema = spark_types.StructType(fields)
        with translated():
            return self.session.spark.createDataFrame(rows.rows, schema)

    def to_rows(self, frame: Frame) -> Rows:
        with ours_if_interrupted(self.session), translated():
            return rows_of(frame)


def _type_of(name: str, values: Sequence[Any]) -> spark_types.DataType:
    """Return the type of a column that holds `values`; text where all are NULL."""
    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if len(kinds) > 1:
        raise unstorable(name, mixture(kinds_of(there)), "Spark")
    kind = kinds.pop() if kinds else str
    if kind is list:
        return spark_types.ArrayType(_type_of(name, [item for value in there for item in value]))
    if kind is dict:
        return _struct(name, there)
    if kind not in _TYPES:
        raise unstorable(name, f"it holds {kind.__name__}", "Spark")
    if kind is int and not all(-_WIDEST <= value < _WIDEST for value in there):
        raise unstorable(name, "it holds integers beyond 64 bits", "Spark")
    if kind is Decimal:
        return _decimal(name, there)
    if kind is datetime and any(value.tzinfo for value in there):
        return spark_types.TimestampType()
    return _TYPES[kind]()


def _struct(name: str, values: Sequence[Mapping[str, Any]]) -> spark_types.StructType:
    keys = dict.fromkeys(key for value in values for key in value)
    kinds = {key: _type_of(name, [value.get(key) for value in values]) for key in keys}
    return spark_types.StructType([spark_types.StructField(key, kind) for key, kind in kinds.items()])


def _decimal(name: str, values: Sequence[Decimal]) -> spark_types.DecimalType:
    """Return the type that keeps every digit of these decimals."""
    parts = [value.as_tuple() for value in values]
    if not all(isinstance(part.exponent, int) for part in parts):
        raise unstorable(name, "it holds a decimal that is no number", "Spark")
    scale = max(0, *(-int(part.exponent) for part in parts))
    whole = max(len(part.digits) + int(part.exponent) for part in parts)
    if scale + max(whole, 0) > _MOST_DIGITS:
        raise unstorable(name, f"its decimals need more than {_MOST_DIGITS} digits", "Spark")
    return spark_types.DecimalType(_MOST_DIGITS, scale)
