"""One session of Spark that runs statements, and the values that it gives.

Only what Spark Connect has as well is used: no SparkContext, no RDD, no way into the JVM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as spark_types

from flowforge_databricks.errors import translated
from flowforge_domain.errors import EngineError, closed_session, ours_if_interrupted
from flowforge_domain.results import Rows

_MOST_TAG = 120
_QUERY = re.compile(r"(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*(?:select|with|from|values|table)\b", re.IGNORECASE | re.DOTALL)


@dataclass
class SparkSqlSession:
    """One session of Spark; there are no transactions, so each statement counts at once."""

    spark: SparkSession
    remote: bool = False
    closed: bool = False
    interrupted: bool = False
    tags: list[str] = field(default_factory=list)

    def execute(self, sql: str) -> int | None:
        with ours_if_interrupted(self), translated(sql):
            frame = self._open().sql(sql)
            # Spark runs a query only when its rows are asked for; all else has run, and has none.
            if _QUERY.match(sql) and frame.columns:
                frame.write.format("noop").mode("overwrite").save()
        return None

    def query(self, sql: str) -> Rows:
        with ours_if_interrupted(self), translated(sql):
            return rows_of(self._open().sql(sql))

    def catalog(self) -> str:
        """Return the name of the catalog in use."""
        with translated():
            return self._open().catalog.currentCatalog()

    def begin(self) -> None:
        """Do nothing: Spark has no transactions."""

    def commit(self) -> None:
        """Do nothing: every statement was kept when it ended."""

    def rollback(self) -> None:
        """Undo nothing: every statement was kept when it ended."""

    def interrupt(self) -> None:
        self.interrupted = True
        # By session: classic Spark finds a tag only from the thread that set it.
        with translated():
            self.spark.interruptAll()

    def label(self, labels: Mapping[str, str]) -> None:
        with translated():
            for tag in self.tags:
                self.spark.removeTag(tag)
            said = [f"{key}={labels[key]}" for key in ("project", "run", "model") if labels.get(key)]
            # Spark parts tags by commas.
            self.tags = [text.replace(",", " ")[:_MOST_TAG] for text in said]
            for tag in self.tags:
                self.spark.addTag(tag)

    def close(self) -> None:
        if self.remote and not self.closed:
            with suppress(EngineError), translated():
                self.spark.stop()
        self.closed = True

    def _open(self) -> SparkSession:
        if self.closed:
            raise closed_session()
        return self.spark


def rows_of(frame: DataFrame) -> Rows:
    """Return a frame's rows: a moment gets its zone, which PySpark does not say, and a struct is a dict."""
    as_read = [_as_read(field.dataType) for field in frame.schema]
    found = [tuple(row) for row in frame.collect()]
    if any(as_read):
        found = [
            tuple(read(v) if read and v is not None else v for v, read in zip(row, as_read, strict=True))
            for row in found
        ]
    return Rows(tuple(frame.columns), found)


def _as_read(kind: spark_types.DataType) -> Callable[[Any], Any] | None:
    """Return what makes of a value of PySpark's one of the core's, None where it is one."""
    if isinstance(kind, spark_types.TimestampType):
        # It is in the machine's zone.
        return lambda moment: moment.astimezone(UTC)
    if isinstance(kind, spark_types.StructType):
        fields = {field.name: _as_read(field.dataType) or _same for field in kind}
        return lambda row: {n: None if v is None else read(v) for (n, read), v in zip(fields.items(), row, strict=True)}
    if isinstance(kind, spark_types.ArrayType) and (read := _as_read(kind.elementType)):
        return lambda items: [None if item is None else read(item) for item in items]
    return None


def _same(value: Any) -> Any:
    return value
