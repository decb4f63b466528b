"""The command: choose what to measure, print the figures, and with `--write` keep them in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import (
    checks,
    dag,
    engines,
    growth,
    merge,
    postgres,
    postgres_frames,
    python_model,
    run,
    seed,
    seeds,
    spark,
    startup,
    unchanged,
    wide,
)
from bench.figures import Measured
from bench.processes import CommandFailedError
from bench.report import as_markdown, as_text

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
# What is measured, and how many rounds it takes until the medians stand still.
TOPICS: Mapping[str, tuple[Callable[[Path, int], Measured], int]] = {
    "startup": (startup.measure, 15),
    "engines": (engines.measure, 25),
    "dag": (dag.measure, 5),
    "run": (run.measure, 5),
    "unchanged": (unchanged.measure, 5),
    "growth": (growth.measure, 3),
    "wide": (wide.measure, 3),
    "merge": (merge.measure, 5),
    "python": (python_model.measure, 3),
    "seed": (seed.measure, 3),
    "seeds": (seeds.measure, 2),
    "checks": (checks.measure, 5),
    "postgres": (postgres.measure, 7),
    "postgres-frames": (postgres_frames.measure, 3),
    "spark": (spark.measure, 5),
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 0 when everything could be measured, whatever came out."""
    options = _parser().parse_args(arguments)
    topics = options.only.split(",") if options.only else list(TOPICS)
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        print(f"There is no {unknown[0]!r}; --only takes {', '.join(TOPICS)}.", file=sys.stderr)
        return 1
    load = os.getloadavg()[0]
    results = [_measured(topic, options.rounds) for topic in topics]
    print(as_text(results, load))
    if options.write:
        DOCUMENT.parent.mkdir(exist_ok=True)
        page = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
        DOCUMENT.write_text(as_markdown(results, load, options.date, list(TOPICS), page), encoding="utf-8")
    return 1 if any(result.failure for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", metavar="A,B", help=f"measure these only: {', '.join(TOPICS)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="measure everything N times")
    parser.add_argument(
        "--write", action="store_true", help="write these topics into docs/benchmarks.md; the others stay"
    )
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="the date on the page; today if left out")
    return parser


def _measured(topic: str, rounds: int | None) -> Measured:
    measure, usual = TOPICS[topic]
    print(f"{topic} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            return measure(Path(folder), rounds or usual)
        except CommandFailedError as error:
            print(f"{topic}: {error}", file=sys.stderr)
            return Measured(topic, failure=str(error).splitlines()[0])
