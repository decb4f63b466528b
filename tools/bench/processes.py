"""Measures whole processes: wall, CPU of user and system, and peak memory, as the kernel counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

PYTHON = sys.executable
FLOWFORGE = str(Path(sys.executable).with_name("flowforge"))
BARE = Path(__file__).parent / "bare"
# What a user's shell does not set: with PYTHONDONTWRITEBYTECODE every start would compile everything again.
_ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FF_", "FLOWFORGE_"))}


class CommandFailedError(Exception):
    """A command that was to be measured did not end well."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One process: seconds of wall and CPU, and its peak resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Variant:
    """A command, and what must be done before each time it is measured."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], None] = field(default=_nothing)


Samples = Mapping[str, list[Sample]]


def interleaved(variants: Sequence[Variant], rounds: int) -> Samples:
    """Run all variants in turn, once to warm up and `rounds` times to measure; every other round backwards.

    Raises `CommandFailedError`.
    """
    for variant in variants:
        _sample(variant)
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        for variant in variants if number % 2 == 0 else variants[::-1]:
            samples[variant.name].append(_sample(variant))
    return samples


def run(*command: str) -> Sample:
    """Run a command to its end and return what it took.

    Raises `CommandFailedError` with what it said.
    """
    with tempfile.TemporaryFile() as said:
        started = perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=_ENVIRONMENT)
        # The kernel's count of this one child. A child's peak starts at its parent's, so this process stays small.
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            last = said.read().decode("utf-8", "replace").strip()
            shown = " ".join([Path(command[0]).name, *command[1:2]])
            raise CommandFailedError(f"{shown} ended with {process.returncode}\n{last}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, _megabytes(usage.ru_maxrss))


def _sample(variant: Variant) -> Sample:
    variant.prepare()
    return run(*variant.command)


def _megabytes(peak: int) -> float:
    """Linux counts in kilobytes, macOS in bytes."""
    return peak / (1 << 20) if sys.platform == "darwin" else peak / (1 << 10)
