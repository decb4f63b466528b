"""What a run costs that finds everything as it was, and one that finds a single model changed."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes
from bench.paired import median_difference
from bench.processes import FLOWFORGE, Variant, interleaved, run
from bench.projects import write_light

_MOST = {1000: 0.3, 5000: 1.2}
_FEW = 10
_CHANGED = 1000


def measure(folder: Path, rounds: int) -> Measured:
    """Run 10, 1,000 and 5,000 models that are built already; then 10 and 1,000 of which one, read by none, changed."""
    variants = []
    for number in (_FEW, *_MOST):
        root = folder / f"light_{number}"
        write_light(root, number)
        run(FLOWFORGE, "run", str(root))
        variants.append(Variant(_again(number), [FLOWFORGE, "run", str(root)]))
        if number in (_FEW, _CHANGED):
            # Its own project, so that the runs with nothing changed find nothing changed.
            other = folder / f"changed_{number}"
            last = write_light(other, number)[-1]
            run(FLOWFORGE, "run", str(other))
            [file] = other.rglob(f"{last}.ff.sql")
            variants.append(Variant(_edited(number), [FLOWFORGE, "run", str(other)], partial(_edit, file, count(1))))
    samples = interleaved(variants, rounds)
    figures = [
        Figure(
            f"second run of {number:,} models, nothing changed, CPU beyond that of {_FEW}",
            median_difference(cpus(samples, _again(number)), cpus(samples, _again(_FEW))),
            "s",
            most,
        )
        for number, most in _MOST.items()
    ]
    beyond = median_difference(cpus(samples, _edited(_CHANGED)), cpus(samples, _edited(_FEW)))
    figures.append(Figure(f"one model changed of {_CHANGED:,}, CPU beyond one changed of {_FEW}", beyond, "s", 0.5))
    return Measured("unchanged", figures, processes(samples), rounds=rounds)


def _again(number: int) -> str:
    return f"`flowforge run`, {number:,} models, nothing changed"


def _edited(number: int) -> str:
    return f"`flowforge run`, {number:,} models, one changed"


def _edit(file: Path, numbers: count[int]) -> None:
    """Let the model give another value; each time another, or the change would be found to be none."""
    first = file.read_text(encoding="utf-8").split("\nwhere ")[0].rstrip()
    file.write_text(f"{first}\nwhere a.id >= -{next(numbers)}\n", encoding="utf-8")
