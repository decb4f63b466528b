"""`flowforge dag`: reading a project and sorting its graph."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes
from bench.paired import differences, median_difference, median_ratio
from bench.processes import FLOWFORGE, Samples, Variant, interleaved
from bench.projects import forget, write_light

_SMALL, _MIDDLE, _LARGE = 5, 1000, 5000
_REACH = {("cold", _MIDDLE): 0.4, ("warm", _MIDDLE): 0.12, ("cold", _LARGE): 2.0, ("warm", _LARGE): 0.5}


def measure(folder: Path, rounds: int) -> Measured:
    """Compare large projects with one of five models, without and with a parse cache."""
    variants = []
    for count in (_SMALL, _MIDDLE, _LARGE):
        root = folder / f"light_{count}"
        write_light(root, count)
        # Warm stands after cold, which leaves a cache; a round backwards finds that of the round before.
        for state in ("cold", "warm"):
            prepare = forget(root, cache=state == "cold", database=False)
            variants.append(Variant(_name(state, count), [FLOWFORGE, "dag", str(root)], prepare))
    samples = interleaved(variants, rounds)
    figures = [
        Figure(
            f"`flowforge dag`, {count:,} models beyond {_SMALL}, {state}, CPU",
            median_difference(cpus(samples, _name(state, count)), cpus(samples, _name(state, _SMALL))),
            "s",
            most,
        )
        for (state, count), most in _REACH.items()
    ]
    growth = [Figure(f"{_LARGE:,} models to {_MIDDLE:,}, {s} (5 is linear)", _growth(samples, s), "x") for s in _STATES]
    return Measured("dag", [*figures, *growth], processes(samples), rounds=rounds)


_STATES = ("cold", "warm")


def _name(state: str, count: int) -> str:
    return f"`flowforge dag`, {count:,} models, {state}"


def _growth(samples: Samples, state: str) -> float:
    small = cpus(samples, _name(state, _SMALL))
    large = differences(cpus(samples, _name(state, _LARGE)), small)
    return median_ratio(large, differences(cpus(samples, _name(state, _MIDDLE)), small))
