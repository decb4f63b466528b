"""TPC-H's tables and answers for tests, made by the project in `tools/tpch` in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_HOME = ROOT / "tools/tpch"


def make(seeds: Path, answers: Path, scale: str) -> None:
    """Write `seeds/<table>.parquet` and `answers/q01.txt` to `q22.txt`."""
    # Its own environment: uv would take the workspace's for active.
    outside = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    uv_run = [_uv(), "run", "--project", str(_HOME), "--frozen", "--python", _python()]
    script = ["python", str(_HOME / "generate.py"), str(seeds), "--answers", str(answers), "--scale", scale]
    done = subprocess.run([*uv_run, *script], env=outside, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"TPC-H's data could not be made: {done.stderr}")


def _uv() -> str:
    own = ROOT / ".uv" / ("uv.exe" if os.name == "nt" else "uv")
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if found is None:
        raise FileNotFoundError("uv is needed to make TPC-H's data. Fix: python3 tools/bootstrap_uv.py")
    return found


def _python() -> str:
    return getattr(sys, "_base_executable", sys.executable)
