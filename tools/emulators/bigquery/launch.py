"""Starts the emulator on free ports, says which on one line of JSON, and ends when its standard input does."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from threading import Timer
from typing import Any

import pyarrow as pa

from bqemulator.config import LogLevel, Settings
from bqemulator.jobs.executor import JOB_RESULTS
from bqemulator.server import EmulatorServer
from bqemulator.storage.engine import DuckDBEngine

_RESULT = re.compile(r"_bqemu_anonymous.{0,3}[.].{0,3}anon(\w+)")
_LONGEST = 5


def mend() -> None:
    # GEOGRAPHY needs an extension that is a download.
    DuckDBEngine._load_spatial = lambda self: None
    # The Storage Read API finds the result of a query.
    fetch = DuckDBEngine.fetch_arrow
    DuckDBEngine.fetch_arrow = lambda self, sql, parameters=None: _result(sql, lambda: fetch(self, sql, parameters))
    # A statement that nobody can cancel, since the emulator hears of nothing while one runs, ends by itself.
    execute = DuckDBEngine.execute
    DuckDBEngine.execute = lambda self, sql, parameters=None: _bounded(self, lambda: execute(self, sql, parameters))


def _result(sql: str, run: Callable[[], pa.Table]) -> pa.Table:
    found = _RESULT.search(sql)
    results = {job.replace("-", ""): table for job, table in JOB_RESULTS.items()} if found else {}
    return results[found[1]] if found and found[1] in results else run()


def _bounded(engine: DuckDBEngine, run: Callable[[], Any]) -> Any:
    timer = Timer(_LONGEST, engine.connection.interrupt)
    timer.start()
    try:
        return run()
    finally:
        timer.cancel()


async def serve() -> None:
    settings = Settings(rest_port=0, grpc_port=0, log_level=LogLevel.ERROR, enable_format_extensions=False)
    server = EmulatorServer(settings)
    await server.start()
    try:
        print(json.dumps({"rest": server.rest_url, "grpc": server.grpc_endpoint}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await server.stop()


if __name__ == "__main__":
    mend()
    asyncio.run(serve())
