"""A BigQuery emulator for tests: started once per process when first asked for, one fresh project per test.

It is a small project of its own, with its own lock (`tools/emulators/bigquery`), run by uv in its own environment. It
ends with this process, whose end closes its standard input.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent / "emulators/bigquery"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Emulator:
    """Where it listens."""

    rest: str
    grpc: str
    process: subprocess.Popen[str]


@functools.cache
def server() -> Emulator:
    """Return this process's emulator."""
    uv = os.environ.get("UV") or shutil.which("uv") or str(Path(__file__).parents[1] / ".uv/uv")
    command = [uv, "run", "--project", str(HOME), "--frozen", "--python", _python(), "python", str(HOME / "launch.py")]
    kept = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=kept
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            said = json.loads(line)
            atexit.register(_stop, process)
            return Emulator(said["rest"], said["grpc"], process)
    raise RuntimeError(f"The BigQuery emulator did not start: {' '.join(command)}")


def new_target() -> dict[str, Any]:
    """Return the settings of an empty project."""
    return {
        "project": f"ff-{os.getpid()}-{next(_numbers)}",
        "dataset": "tests",
        "location": "US",
        "endpoint": server().rest,
        "storage_endpoint": server().grpc,
        "anonymous": True,
        "retry_deadline": 2,
    }


def _stop(process: subprocess.Popen[str]) -> None:
    # The end of its standard input is the sign to stop.
    process.communicate()


def _python() -> str:
    return getattr(sys, "_base_executable", sys.executable)
