"""How Spark is started or reached, in the profile's database, which is made when missing.

A Spark that runs in this process already is shared, and nobody stops it: it ends with the process. A session of Spark
Connect is closed; its server must answer within the time which the profile gives it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.java import require_java, start_java
from flowforge_databricks.session import SparkSqlSession
from flowforge_databricks.settings import DatabricksSparkSettings
from flowforge_domain.dialect import quote_name
from flowforge_domain.errors import EngineError, ErrorKind

if TYPE_CHECKING:
    import grpc
    from pyspark.sql.connect.client import DefaultChannelBuilder

WAREHOUSE = ".local/warehouse"
SPARKS_OWN = "spark_catalog"
_WAREHOUSE = "spark.sql.warehouse.dir"
_OPTIONS = "spark.driver.extraJavaOptions"
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
_ANY_CALL = "/spark.connect.SparkConnectService/Config"


def open_session(settings: DatabricksSparkSettings, root: Path) -> SparkSqlSession:
    """Return a session of its own in the profile's database, which is made when missing.

    Raises `EngineError` of kind UNREACHABLE when Spark does not start, or runs in this process with other tables.
    """
    # Workers of Spark take the machine's `python3` otherwise, which may be another than this one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # What went wrong is told by us, in a few lines; PySpark would print the whole trace of it as JSON.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    remote = settings.remote
    spark = _connected(remote.get_secret_value(), settings.connect_timeout) if remote else _started(settings, root)
    session = SparkSqlSession(spark, remote=remote is not None)
    try:
        _prepare(session, settings)
    except BaseException:
        session.close()
        raise
    return session


def formats_of(session: SparkSqlSession) -> Mapping[str, str]:
    """Return how a session casts values: a cluster may say something else than another, such as `ansi.enabled`."""
    found: dict[str, str] = {}
    for name in _FORMATS:
        # What a server keeps from its clients is not theirs to know.
        with suppress(EngineError), translated():
            found[name] = str(session.spark.conf.get(name))
    return found


def _connected(remote: str, timeout: float) -> SparkSession:
    """Return a new session of the server at `remote`.

    Raises `EngineError` of kind UNREACHABLE for a remote that cannot be read, where packages are missing, and where no
    server has taken the connection after `timeout` seconds.
    """
    with translated():
        try:
            if remote.startswith("sc:"):
                from pyspark.sql.connect.client import DefaultChannelBuilder

                _require_answer(DefaultChannelBuilder(remote), timeout)
            spark: SparkSession = SparkSession.builder.remote(remote).create()
        except ImportError as error:
            hint = 'pip install "flowforge-databricks[connect]"'
            message = f"Spark Connect needs packages that are not installed: {error.name or error}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint) from error
        except ValueError:
            # Not chained: the parser's own words hold a token, or all of the remote.
            hint = "Write it as sc://host:port/;token=…, what is special in the token percent-encoded, as %3D for =."
            raise EngineError("The remote cannot be read.", kind=ErrorKind.UNREACHABLE, hint=hint) from None
    return spark


def _require_answer(server: DefaultChannelBuilder, timeout: float) -> None:
    """Open a connection and close it: Spark's own client would go on trying to for ten minutes, and say nothing."""
    import grpc

    with server.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout)
        except grpc.FutureTimeoutError as error:
            message = f"Spark Connect at {server.endpoint} took no connection in {timeout:g} s{_reason(channel)}."
            hint = "Check `remote`: host, port, `use_ssl=true` where it is TLS; or raise `connect_timeout`."
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint) from error


def _reason(channel: grpc.Channel) -> str:
    """Return why there is no connection, as far as gRPC knows it: it says so to who calls at once."""
    import grpc

    try:
        channel.unary_unary(_ANY_CALL)(b"", timeout=0.1)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return f": {error.details().splitlines()[0].rpartition(': ')[2].rstrip(']')}"
    return ""


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
