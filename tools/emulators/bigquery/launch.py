"""Starts the emulator on free ports, says which on one line of JSON, and ends when its standard input does."""

from __future__ import annotations

import asyncio
import json
import sys

from bqemulator.config import LogLevel, Settings
from bqemulator.server import EmulatorServer
from bqemulator.storage.engine import DuckDBEngine


def mend() -> None:
    # GEOGRAPHY needs an extension that is a download.
    DuckDBEngine._load_spatial = lambda self: None


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
