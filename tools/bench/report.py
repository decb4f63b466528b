"""Says what was measured: as text for the terminal, as Markdown for docs/benchmarks.md."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.figures import Figure, Measured, Process

_INTRODUCTION = """# Benchmarks

Made by `make bench` (`python tools/bench --write`); do not edit. Every figure compares whole processes that ran in
turn in the same rounds on the same machine: the median of the paired differences or ratios, after a round to warm up.
A ratio travels to another machine; a second does not. What is missed is marked as missed.
"""
_IDLE = 0.3
_HEADS = ("topic", "figure", "measured", "reach", "")
_BEHIND = "## Behind the figures\n\nMedians of each command; user and system CPU, peak resident memory.\n"
_PROCESS_HEADS = ("command", "wall s", "CPU s", "peak MB")


def as_text(results: Sequence[Measured], load: float) -> str:
    """Return tables for a terminal; `load` is what the machine had to do besides, before the first round."""
    lines = [machine(), versions(), _load(load), ""]
    for result in results:
        lines += [_headline(result), *_aligned([_row(figure) for figure in result.figures])]
        lines += ["", *_aligned([_PROCESS_HEADS, *map(_process_row, result.processes)]), ""]
    return "\n".join(lines)


def as_markdown(
    results: Sequence[Measured], load: float, date: str | None, order: Sequence[str], page: str = ""
) -> str:
    """Return the page docs/benchmarks.md, its topics in this order; those not measured stay as `page` has them."""
    taken = f"Taken {date or datetime.now(UTC).date().isoformat()}. {_load(load)}\n"
    rows, sections = _figure_lines(page), _sections(page)
    for result in results:
        rows[result.topic] = [f"| {' | '.join((result.topic, *row))} |" for row in _figure_rows(result)]
        parts = [f"{_headline(result)}\n", taken, *(f"{note}\n" for note in result.notes)]
        table = _table(_PROCESS_HEADS, [_process_row(process) for process in result.processes])
        sections[result.topic] = "\n".join([*parts, table])
    known = [topic for topic in order if topic in rows]
    lines = [line for topic in known for line in rows[topic]]
    behind = [f"### {sections[topic].rstrip()}\n" for topic in known if topic in sections]
    return "\n".join(
        [_INTRODUCTION, f"{machine()} {versions()}\n", _table(_HEADS, (), lines, left=2), _BEHIND, *behind]
    )


def _figure_lines(page: str) -> dict[str, list[str]]:
    """Return the lines of a page's figures, by topic."""
    found: dict[str, list[str]] = {}
    for line in page.partition(_BEHIND)[0].splitlines():
        if line.startswith("| ") and not line.startswith(f"| {_HEADS[0]} |"):
            found.setdefault(line.split(" ")[1], []).append(line)
    return found


def _sections(page: str) -> dict[str, str]:
    """Return what a page says behind the figures of each topic."""
    parts = page.partition(_BEHIND)[2].split("### ")[1:]
    return {part[: min(part.find(mark) for mark in ",:" if mark in part)]: part for part in parts}


def machine() -> str:
    """Describe the machine without naming it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = f"{platform.system()} {platform.machine()}"
    return f"Machine: {os.cpu_count()} cores ({_processor()}), {memory:.0f} GB of memory, {system}."


def versions() -> str:
    """Name the versions that the figures depend on."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas", "pyarrow"))
    return f"Versions: flowforge {version('flowforge')}, Python {platform.python_version()}, {libraries}."


def _load(load: float) -> str:
    if load < _IDLE * (os.cpu_count() or 1):
        return f"Load before the first round: {load:.1f}."
    return f"Load before the first round: {load:.1f}, so others took their share: trust CPU and memory, not wall time."


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return platform.processor() or "unknown"
    lines = information.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _headline(result: Measured) -> str:
    return (
        f"{result.topic}: not measured, {result.failure}"
        if result.failure
        else f"{result.topic}, {result.rounds} rounds"
    )


def _figure_rows(result: Measured) -> list[tuple[str, ...]]:
    if result.failure:
        return [(result.topic, "not measured", "", "✗")]
    return [_row(figure) for figure in result.figures]


def _row(figure: Figure) -> tuple[str, ...]:
    if figure.most is None:
        return figure.what, _shown(figure.value, figure.unit), "", ""
    verdict = "✓" if figure.reached else "✗ missed"
    return figure.what, _shown(figure.value, figure.unit), _shown(figure.most, figure.unit), verdict


def _process_row(process: Process) -> tuple[str, ...]:
    median = process.median
    return process.name, f"{median.wall:.3f}", f"{median.cpu:.3f}", f"{median.peak:.0f}"


def _shown(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "lost in noise"
    return f"{value:.0f} {unit}" if unit in ("ms", "MB") else f"{value:.2f} {unit}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as columns: the first to the left, numbers to the right."""
    if not rows:
        return []
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], written: Sequence[str] = (), left: int = 1) -> str:
    rule = "|".join(["---"] * left + ["---:"] * (len(heads) - left))
    lines = [*(f"| {' | '.join(row)} |" for row in rows), *written]
    return "\n".join([f"| {' | '.join(heads)} |", f"|{rule}|", *lines, ""])
