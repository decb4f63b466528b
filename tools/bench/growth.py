"""What a project costs as it grows: memory of a run, and time to load and schedule."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, Measured, cpus, peaks, processes
from bench.paired import differences, median_difference, median_ratio
from bench.processes import FLOWFORGE, Variant, interleaved
from bench.projects import forget, write_light

_RUNS = (1000, 2000)
_LOADS = (5, 1000, 10_000)


def measure(folder: Path, rounds: int) -> Measured:
    """Run 1,000 and 2,000 models; read and sort 5, 1,000 and 10,000."""
    variants = []
    for count in sorted({*_RUNS, *_LOADS}):
        root = folder / f"light_{count}"
        write_light(root, count)
        anew = forget(root, cache=True, database=True)
        if count in _RUNS:
            variants.append(Variant(_named("run", count), [FLOWFORGE, "run", str(root)], anew))
        if count in _LOADS:
            variants.append(Variant(_named("dag", count), [FLOWFORGE, "dag", str(root)], anew))
    samples = interleaved(variants, rounds)
    few, many = (peaks(samples, _named("run", count)) for count in _RUNS)
    start, some, most = (cpus(samples, _named("dag", count)) for count in _LOADS)
    growth = median_ratio(differences(most, start), differences(some, start))
    figures = [
        Figure("`flowforge run`: peak memory of 1,000 models more", median_difference(many, few), "MB", 15),
        Figure("load and schedule 10,000 models to 1,000, CPU (10 is linear)", growth, "x"),
    ]
    return Measured("growth", figures, processes(samples), rounds=rounds)


def _named(command: str, count: int) -> str:
    return f"`flowforge {command}`, {count:,} models, nothing cached"
