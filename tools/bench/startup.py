"""Start-up: what the command costs before it does anything."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, walls
from bench.paired import median_difference
from bench.processes import FLOWFORGE, PYTHON, Variant, interleaved

_EMPTY = "python -c pass"
_REACH = {"flowforge --version": 60, "flowforge --help": 250}


def measure(folder: Path, rounds: int) -> Measured:
    """Compare `--version` and `--help` with an interpreter that does nothing."""
    del folder
    commands = [Variant(name, [FLOWFORGE, name.split()[1]]) for name in _REACH]
    samples = interleaved([Variant(_EMPTY, [PYTHON, "-c", "pass"]), *commands], rounds)
    figures = []
    for name, most in _REACH.items():
        wall = median_difference(walls(samples, name), walls(samples, _EMPTY)) * 1000
        cpu = median_difference(cpus(samples, name), cpus(samples, _EMPTY)) * 1000
        figures += [
            Figure(f"`{name}` beyond `{_EMPTY}`", wall, "ms", most),
            Figure("the same, CPU", cpu, "ms", most),
        ]
    return Measured("startup", figures, processes(samples), rounds=rounds)
