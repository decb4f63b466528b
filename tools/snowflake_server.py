"""fakesnow for tests: Snowflake's wire before DuckDB, started once per process when first asked for.

It is a project of its own (tools/emulators/snowflake), since what it requires contradicts the workspace's lock. What it
cannot do is named in packages/flowforge-snowflake/tests/test_conformance.py.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

_HOME = Path(__file__).parent / "emulators/snowflake"
_STARTS_WITHIN = 120
_numbers = itertools.count(1)


@functools.cache
def port() -> int:
    """Return the port of this process's server."""
    # With each connection the client asks about for the clouds it might run in.
    os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    # Its own environment: `uv run` would take the workspace's for active.
    outside = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    synced = [_uv(), "sync", "--project", str(_HOME), "--frozen", "--quiet"]
    subprocess.run(synced, check=True, env=outside)
    python = next(path for path in (_HOME / ".venv/bin/python", _HOME / ".venv/Scripts/python.exe") if path.exists())
    server = subprocess.Popen([python, _HOME / "serve.py", str(found)], env=outside, stdin=subprocess.PIPE)
    atexit.register(_stop, server)
    _wait(server, found)
    return found


def settings(**other: Any) -> dict[str, Any]:
    """Return settings of a fresh database; nothing of it is made before the first connection."""
    return {
        "account": "fakesnow",
        "user": "ann",
        "password": "hunter22",
        "database": f"ff_{os.getpid()}_{next(_numbers)}",
        "host": "127.0.0.1",
        "port": port(),
        "protocol": "http",
        "login_timeout": 10,
        "network_timeout": 30,
        **other,
    }


def run(sql: str, database: str, schema: str = "PUBLIC") -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own and return what it gives."""
    import snowflake.connector

    given = {key: value for key, value in settings().items() if key in {"account", "user", "password", "host"}}
    with snowflake.connector.connect(
        **given, port=port(), protocol="http", database=database, schema=schema
    ) as connection:
        found: list[tuple[Any, ...]] = connection.cursor().execute(sql).fetchall()  # type: ignore[union-attr]
        return found


def drop_database(name: str) -> None:
    """Drop a database if it was made."""
    address = f"http://127.0.0.1:{port()}/databases/{name.upper()}"
    with urllib.request.urlopen(urllib.request.Request(address, method="DELETE")):
        pass


def _uv() -> str:
    own = Path(__file__).parents[1] / ".uv/uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if found is None:
        raise FileNotFoundError("uv is needed to start the Snowflake emulator: run the tests by `make test`.")
    return found


def _wait(server: subprocess.Popen[bytes], number: int) -> None:
    ends = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < ends and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"The Snowflake emulator did not start on port {number}.")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(timeout=20)
