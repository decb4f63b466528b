"""Starts the emulator on free ports, says which on one line of JSON, and ends when its standard input does."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pyarrow as pa
import sqlglot
from bqemulator.api.middleware import AccessLogMiddleware, CorrelationIdMiddleware, MetricsMiddleware
from bqemulator.api.routes import tables
from bqemulator.config import LogLevel, Settings
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.jobs import executor
from bqemulator.server import EmulatorServer
from bqemulator.sql.rewriter import default_dataset
from bqemulator.sql.translator import SQLTranslator
from bqemulator.storage import sql_identifiers
from bqemulator.storage.engine import DuckDBEngine
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

_RESULT = re.compile(r"_bqemu_anonymous.{0,3}[.].{0,3}anon(\w+)")
_VIEW = re.compile(r"\bview\b", re.IGNORECASE)
# Seconds of the processor, not of a clock: on a busy machine a small statement may have to wait for longer.
_LONGEST = 1
_running: list[tuple[DuckDBEngine, float]] = []


def mend() -> None:
    # What counts, times and logs requests, for nobody here, costs more than answering a small one.
    for watching in (AccessLogMiddleware, CorrelationIdMiddleware, MetricsMiddleware):
        watching.__call__ = lambda self, *request: self.app(*request)
    parse_once()
    # GEOGRAPHY needs an extension that is a download.
    DuckDBEngine._load_spatial = lambda _: None
    # The Storage Read API finds the result of a query.
    fetch = DuckDBEngine.fetch_arrow
    DuckDBEngine.fetch_arrow = lambda self, sql, parameters=None: _result(sql, lambda: fetch(self, sql, parameters))
    # A load that replaces a table replaces its columns too.
    dispose = executor._apply_load_write_disposition
    executor._apply_load_write_disposition = lambda job, ctx: (_emptied(job, ctx), dispose(job, ctx))
    # A table tells when it expires and where it is, a view what it says.
    tables._table_to_rest = lambda table, told=tables._table_to_rest: told(table) | _more(table)
    tables._rest_to_table_meta = lambda *given, read=tables._rest_to_table_meta: _expiring(read(*given), given[2])
    # Names of tables are not only ASCII.
    sql_identifiers._SQL_SAFE_ID_RE = re.compile(r'^[^"\0]{1,300}$')
    # bigframes asks for the time under a name that DuckDB has for itself.
    translate = SQLTranslator.translate
    SQLTranslator.translate = lambda self, sql, *more, **named: translate(self, _renamed(sql), *more, **named)
    # The default dataset of a job is none of what a view reads, which must say where it is.
    qualify = default_dataset.qualify_unqualified_tables
    default_dataset.qualify_unqualified_tables = lambda sql, **named: (_require_datasets(sql), qualify(sql, **named))[1]
    # A statement that nobody can cancel, since the emulator hears of nothing while one runs, ends by itself.
    execute = DuckDBEngine.execute
    DuckDBEngine.execute = lambda self, sql, parameters=None: _bounded(self, lambda: execute(self, sql, parameters))


def parse_once() -> None:
    """Keep what was parsed: the emulator parses a statement fifty times, and with it the generator's own forms.

    Those, which compiled sqlglot of this version parses for each generator, nobody changes; all else is a copy.
    """
    parse, generator = Dialect.parse, Dialect.generator
    known = functools.lru_cache(1_000)(lambda kind, sql: parse(kind(), sql))
    forms = contextvars.ContextVar("forms", default=False)

    def parsed(self: Dialect, sql: str, **options: Any) -> list[Any]:
        if options or self.settings:
            return parse(self, sql, **options)
        trees = known(type(self), sql)
        return trees if forms.get() else [tree and tree.copy() for tree in trees]

    def generating(self: Dialect, **options: Any) -> Any:
        before = forms.set(True)
        try:
            return generator(self, **options)
        finally:
            forms.reset(before)

    Dialect.parse, Dialect.generator = parsed, generating


def _result(sql: str, run: Callable[[], pa.Table]) -> pa.Table:
    found = _RESULT.search(sql)
    results = {job.replace("-", ""): table for job, table in executor.JOB_RESULTS.items()} if found else {}
    return results[found[1]] if found and found[1] in results else run()


def _emptied(job: Any, ctx: Any) -> None:
    if job.write_disposition != "WRITE_TRUNCATE" or "schema" not in job.raw_config:
        return
    ctx.engine.execute(f"drop table if exists {job.target_ref}")
    ctx.catalog.delete_table(job.project_id, job.dataset_id, job.table_id, not_found_ok=True)
    executor._maybe_create_load_destination(
        dest_project=job.project_id,
        dest_dataset=job.dataset_id,
        dest_table_id=job.table_id,
        load_config=job.raw_config,
        now=ctx.clock.now(),
        ctx=ctx,
    )


def _more(table: Any) -> dict[str, Any]:
    view = {"view": {"query": table.view_query, "useLegacySql": False}} if table.view_query else {}
    expires = table.expiration_time
    end = {"expirationTime": str(int(expires.timestamp() * 1000))} if expires else {}
    return {"location": "US", **view, **end}


def _expiring(table: Any, body: dict[str, Any]) -> Any:
    if "expirationTime" not in body:
        return table
    ends = datetime.fromtimestamp(int(body["expirationTime"]) / 1000, UTC)
    return table.model_copy(update={"expiration_time": ends})


def _require_datasets(sql: str) -> None:
    with suppress(SqlglotError):
        for made in sqlglot.parse(sql, read="bigquery") if _VIEW.search(sql) else ():
            if isinstance(made, exp.Create) and made.kind == "VIEW" and made.expression:
                own = {query.alias for query in made.find_all(exp.CTE)}
                for table in made.expression.find_all(exp.Table):
                    if isinstance(table.this, exp.Identifier) and not table.db and table.name not in own:
                        said = f'Table "{table.name}" must be qualified with a dataset (e.g. dataset.table).'
                        raise InvalidQueryError(said)


def _renamed(sql: str) -> str:
    return sql.replace("AS `current_timestamp`", "AS `the_time`")


def _bounded(engine: DuckDBEngine, run: Callable[[], Any]) -> Any:
    _running.append((engine, time.process_time()))
    try:
        return run()
    finally:
        _running.pop()


def watch() -> None:
    """End what has run for too long."""
    while True:
        time.sleep(0.2)
        for engine, began in _running[:1]:
            if time.process_time() - began > _LONGEST:
                engine.connection.interrupt()


async def serve() -> None:
    settings = Settings(rest_port=0, grpc_port=0, log_level=LogLevel.ERROR, enable_format_extensions=False)
    server = EmulatorServer(settings)
    await server.start()
    try:
        print(json.dumps({"rest": server.rest_url, "grpc": server.grpc_endpoint}), flush=True)
        # Nobody reads what else the emulator has to say; a full pipe would stop it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await server.stop()


if __name__ == "__main__":
    mend()
    Thread(target=watch, daemon=True).start()
    asyncio.run(serve())
