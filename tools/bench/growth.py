"""What a project costs as it grows: memory of a run beyond the engine's own, and time to load and schedule."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, Measured, cpus, peaks, processes
from bench.paired import differences, median_difference, median_ratio
from bench.processes import FLOWFORGE, Variant, interleaved, run
from bench.projects import DATABASE, forget, write_light
from bench.run import bare_script, block_size

_RUNS = (1000, 2000)
_LOADS = (5, 1000, 10_000)
_BARE = "bare script, blocks as FlowForge's"
_NOTE = (
    "Memory of further models is that of FlowForge beyond the bare script's on the same statements, both with blocks "
    "of FlowForge's size: what DuckDB itself keeps of a thousand tables is in both."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Run 1,000 and 2,000 models; read and sort 5, 1,000 and 10,000."""
    variants = []
    for count in sorted({*_RUNS, *_LOADS}):
        root = folder / f"light_{count}"
        names = write_light(root, count)
        anew = forget(root, cache=True, database=True)
        if count in _RUNS:
            run(FLOWFORGE, "run", str(root))
            blocks = block_size(root / DATABASE)
            variants.append(Variant(_named("run", count), [FLOWFORGE, "run", str(root)], anew))
            variants.append(bare_script(_bare(count), folder, root, names, blocks))
        if count in _LOADS:
            variants.append(Variant(_named("dag", count), [FLOWFORGE, "dag", str(root)], anew))
    samples = interleaved(variants, rounds)
    few, many = (peaks(samples, _named("run", count)) for count in _RUNS)
    bare_few, bare_many = (peaks(samples, _bare(count)) for count in _RUNS)
    beyond = median_difference(differences(many, few), differences(bare_many, bare_few))
    start, some, most = (cpus(samples, _named("dag", count)) for count in _LOADS)
    growth = median_ratio(differences(most, start), differences(some, start))
    figures = [
        Figure(f"`flowforge run`: peak memory of 1,000 models more, beyond the {_BARE}", beyond, "MB", 15),
        Figure("the same, with DuckDB's own", median_difference(many, few), "MB"),
        Figure("load and schedule 10,000 models to 1,000, CPU (10 is linear)", growth, "x", 12),
    ]
    return Measured("growth", figures, processes(samples), [_NOTE], rounds)


def _bare(count: int) -> str:
    return f"{_BARE}, {count:,} models"


def _named(command: str, count: int) -> str:
    return f"`flowforge {command}`, {count:,} models, nothing cached"
