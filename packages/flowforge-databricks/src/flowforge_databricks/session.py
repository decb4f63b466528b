"""Sessions: how Spark is started or reached, and one session of it that runs statements.

Only what Spark Connect has as well is used: no SparkContext, no RDD, no way into the JVM. A Spark that runs in this
process already is shared, and nobody stops it: it ends with the process. A session of Spark Connect is closed.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as spark_types

from flowforge_databricks.connect import connected
from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.java import require_java, start_java
from flowforge_databricks.settings import DatabricksSparkSettings
from flowforge_domain.dialect import quote_name
from flowforge_domain.errors import EngineError, ErrorKind, closed_session, ours_if_interrupted
from flowforge_domain.results import Rows

WAREHOUSE = ".local/warehouse"
SPARKS_OWN = "spark_catalog"
_WAREHOUSE = "spark.sql.warehouse.dir"
_OPTIONS = "spark.driver.extraJavaOptions"
_MOST_TAG = 120
_QUERY = re.compile(r"(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*(?:select|with|from|values|table)\b", re.IGNORECASE | re.DOTALL)
# Of every session, unless the profile says otherwise: a `${…}` in a text is text, and a time without zone is UTC.
_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    # What `insert overwrite` replaces are the partitions that the new rows have, not all of them.
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
}
# Of these, what decides how values are cast; others may hold secrets.
_FORMATS = ("spark.sql.session.timeZone", "spark.sql.ansi.enabled", "spark.sql.legacy.timeParserPolicy")
_QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


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


def open_session(settings: DatabricksSparkSettings, root: Path) -> SparkSqlSession:
    """Return a session of its own in the profile's database, which is made when missing.

    Raises `EngineError` of kind UNREACHABLE when Spark does not start, or runs in this process with other tables.
    """
    # Workers of Spark take the machine's `python3` otherwise, which may be another than this one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # What went wrong is told by us, in a few lines; PySpark would print the whole trace of it as JSON.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    remote = settings.remote
    spark = connected(remote.get_secret_value(), settings.connect_timeout) if remote else _started(settings, root)
    session = SparkSqlSession(spark, remote=remote is not None)
    try:
        _prepare(session, settings)
    except BaseException:
        session.close()
        raise
    return session


def formats_of(settings: DatabricksSparkSettings) -> Mapping[str, str]:
    """Return how a session casts values, as far as it is said here and in the profile; nothing is asked for it."""
    given = {**_SESSION, **_texts(settings.conf)}
    return {name: given[name] for name in _FORMATS if name in given}


def _started(settings: DatabricksSparkSettings, root: Path) -> SparkSession:
    """Return a new session of the Spark that runs in this process, which is started where none does."""
    conf = {**_QUIET, **_texts(settings.conf)}
    if settings.is_local:
        # Asking a Java for its version starts it; one that runs Spark here has been asked.
        if SparkSession.getActiveSession() is None:
            require_java()
        place = _place(settings, root)
        options = " ".join(filter(None, (place.get(_OPTIONS), conf.get(_OPTIONS))))
        conf = {**place, **conf, **({_OPTIONS: options} if options else {})}
    conf = {"spark.master": settings.master, "spark.app.name": "flowforge", **conf}
    with translated():
        start_java(conf)
        builder = SparkSession.builder
        for key, value in conf.items():
            builder = builder.config(key, value)
        spark: SparkSession = builder.getOrCreate().newSession()
        _require_same_tables(spark, conf)
    return spark


def _place(settings: DatabricksSparkSettings, root: Path) -> dict[str, str]:
    """Return what tells a local Spark where tables lie and who knows them."""
    folder = (root / Path(settings.warehouse or WAREHOUSE).expanduser()).resolve()
    place = {_WAREHOUSE: str(folder)}
    if settings.metastore == "memory":
        return {**place, "spark.sql.catalogImplementation": "in-memory"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The warehouse {folder} cannot be made: {error.strerror}"
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Check who may write there.") from error
    return {
        **place,
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/_metastore;create=true",
        _OPTIONS: f'"-Dderby.stream.error.file={folder}/_derby.log"',
    }


def _require_same_tables(spark: SparkSession, conf: Mapping[str, str]) -> None:
    """Refuse a Spark that this process runs with another warehouse: its tables are not those of the profile."""
    wanted, found = conf.get(_WAREHOUSE), spark.conf.get(_WAREHOUSE)
    if wanted is not None and found is not None and found.removeprefix("file:") != wanted:
        message = f"Spark runs in this process with another warehouse: {found}"
        hint = "Give both projects one `warehouse` and two databases, or run them in two processes."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)


def _prepare(session: SparkSqlSession, settings: DatabricksSparkSettings) -> None:
    """Set what is its own, make the database, for which even `if not exists` may ask more rights, and enter it."""
    tables = {"spark.sql.sources.default": settings.format}
    with translated():
        for key, value in {**_SESSION, **tables, **_texts(settings.conf)}.items():
            if session.spark.conf.isModifiable(key):
                session.spark.conf.set(key, value)
    database = quote_name(settings.database, SPARK)
    if settings.catalog:
        with translated():
            session.spark.catalog.setCurrentCatalog(settings.catalog)
    with translated():
        missing = not session.spark.catalog.databaseExists(settings.database)
    if missing:
        session.execute(f"create database if not exists {database}")
    session.execute(f"use {database}")


def _texts(conf: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in conf.items()}
