"""What comes out: a figure per row, with what is to be reached, and the medians of each process behind them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.paired import differences, median_ratio
from bench.processes import Sample, Samples

Values = Callable[[Samples, str], list[float]]


@dataclass(frozen=True)
class Figure:
    """One row: a value in a unit, and the most it may be (None: nothing was promised)."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the figure is as promised, or nothing was."""
        return self.most is None or self.value <= self.most


@dataclass(frozen=True)
class Process:
    """The medians of one command over all rounds."""

    name: str
    median: Sample


@dataclass(frozen=True)
class Measured:
    """A topic: its figures and the processes behind them, or why it could not be measured."""

    topic: str
    figures: Sequence[Figure] = ()
    processes: Sequence[Process] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    rounds: int = 0
    failure: str = ""


def processes(samples: Samples) -> list[Process]:
    """Return the medians of each command."""
    return [
        Process(name, Sample(*(statistics.median(column) for column in zip(*map(_values, taken), strict=True))))
        for name, taken in samples.items()
    ]


def walls(samples: Samples, name: str) -> list[float]:
    """Return the wall seconds of a command, round by round."""
    return [sample.wall for sample in samples[name]]


def cpus(samples: Samples, name: str) -> list[float]:
    """Return the CPU seconds of a command, round by round."""
    return [sample.cpu for sample in samples[name]]


def peaks(samples: Samples, name: str) -> list[float]:
    """Return the peak memory of a command in MB, round by round."""
    return [sample.peak for sample in samples[name]]


def ratio_beyond(values: Values, samples: Samples, ours: tuple[str, str], bare: tuple[str, str]) -> float:
    """Return ours to bare, each a large and a small command; what the small one takes is start-up and subtracted."""
    over, under = (differences(values(samples, large), values(samples, small)) for large, small in (ours, bare))
    return median_ratio(over, under)


def _values(sample: Sample) -> tuple[float, float, float]:
    return sample.wall, sample.cpu, sample.peak
