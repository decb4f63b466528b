"""A CSV seed of two million rows on engines with a server of their own: how much memory the client takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import Figure, Measured, peaks, processes
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved
from bench.projects import write_frame
from bench.seed import MOST, ROWS, write_csv

# The servers of the tests.
_TOOLS = str(Path(__file__).parents[1])
sys.path.append(_TOOLS)

_NOTE = (
    f"The file of the topic `seed`, {ROWS:,} rows of six columns. Counted is the process of `flowforge seed`, start-up "
    "and driver included; the server is another process: PostgreSQL itself, the tests' emulators for BigQuery and "
    "Snowflake. Spark runs in a JVM that the process begins: Python is counted by itself, and the JVM as far as "
    "its own limit, `spark.driver.memory`, lets it grow; it is the engine, and has no reach here."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Load one file into each engine, over and over."""
    file = folder / "seeds" / "events.csv"
    write_csv(file)
    with _servers() as servers:
        variants = [_variant(folder, engine, settings, file) for engine, settings in servers.items()]
        samples = interleaved(variants, rounds)
    # Each in a folder of its own: a metastore in memory does not know what lies in the warehouse of the last.
    spark = [_on_spark(_project(folder / str(n), "databricks_spark", _SPARK, file)) for n in range(rounds)]
    figures = [Figure(f"{name}, peak memory", median(peaks(samples, name)), "MB", MOST) for name in samples]
    figures += [
        Figure("Spark: `flowforge seed`, peak memory of Python", median(python for python, _ in spark), "MB", MOST),
        Figure("the same, of its JVM", median(java for _, java in spark), "MB"),
    ]
    return Measured("seeds", figures, processes(samples), [_NOTE], rounds)


@contextmanager
def _servers() -> Iterator[Mapping[str, Mapping[str, Any]]]:
    import postgres_server
    import snowflake_server

    # By a process of its own: it imports Google's client, and Linux counts to a child what its parent held.
    environment = {**os.environ, "PYTHONPATH": _TOOLS}
    command = [PYTHON, "-c", _EMULATOR]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as emulator:
        assert emulator.stdin is not None
        assert emulator.stdout is not None
        yield {
            "postgres": {"dsn": postgres_server.new_database()},
            "bigquery": json.loads(emulator.stdout.readline()),
            "snowflake_snowpark": snowflake_server.settings(),
        }
        emulator.stdin.close()


_EMULATOR = """
import bigquery_emulator, json, sys
print(json.dumps(bigquery_emulator.new_target()), flush=True)
sys.stdin.read()
"""
_NAMES = {"postgres": "PostgreSQL", "bigquery": "BigQuery", "snowflake_snowpark": "Snowflake"}
_SPARK = {
    "master": "local[2]",
    "warehouse": "warehouse",
    "metastore": "memory",
    "database": "bench",
    "conf": {"spark.ui.enabled": False},
}


def _variant(folder: Path, engine: str, settings: Mapping[str, Any], file: Path) -> Variant:
    root = _project(folder, engine, settings, file)
    return Variant(f"{_NAMES[engine]}: `flowforge seed`", [FLOWFORGE, "seed", str(root)])


def _project(folder: Path, engine: str, settings: Mapping[str, Any], file: Path) -> Path:
    root = folder / engine
    if not root.exists():
        folder.mkdir(exist_ok=True)
        write_frame(root, f"default: {json.dumps({'engine': engine, engine: settings})}\n")
        (root / "seeds").mkdir()
        os.link(file, root / "seeds" / file.name)
    return root


def _on_spark(root: Path) -> tuple[float, float]:
    """Return the peak memory of Python and of the JVM that it began."""
    said = subprocess.run([PYTHON, str(BARE / "own_peaks.py"), "seed", str(root)], check=True, capture_output=True)
    python, java = map(float, said.stdout.split()[-2:])
    return python, java
