"""`Project.run` of light SQL models on Spark against the same statements in one script, both in one Spark."""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path

from bench.figures import Figure, Measured
from bench.processes import BARE, PYTHON
from bench.projects import write_light

_MODELS = 50
_RATIO = 1.1
_NUMBERS = "(select id as range from range(100))"
_NOTE = (
    f"One process, one local[2] Spark, {_MODELS} models built into a fresh database, by turns; a first turn of "
    "each is not counted. The bare script executes the statements of `compile` one after the other and keeps no state."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Let a process with Spark in it build the models both ways, round by round."""
    root = folder / "spark"
    names = write_light(root, _MODELS, _PROFILE, _NUMBERS)
    command = [PYTHON, str(BARE / "spark_turns.py"), str(root), str(rounds), *names]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    turns = [tuple(map(float, line.split())) for line in lines if line[:1].isdigit()]
    ratio = statistics.median(ours / bare for ours, bare in turns)
    figures = [
        Figure(f"`Project.run`, {_MODELS} models, to the bare script", ratio, "x", _RATIO),
        Figure(f"`Project.run`, {_MODELS} models", statistics.median(ours for ours, _ in turns), "s"),
        Figure("bare script", statistics.median(bare for _, bare in turns), "s"),
    ]
    return Measured("spark", figures, notes=[_NOTE], rounds=rounds)


_PROFILE = """default:
  engine: databricks_spark
  databricks_spark:
    master: local[2]
    warehouse: warehouse
    metastore: memory
    database: bench
    conf: {spark.ui.enabled: false, spark.sql.shuffle.partitions: 1}
"""
