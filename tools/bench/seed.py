"""A CSV seed of two million rows: how much memory it takes, and how long against DuckDB's own reader."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from statistics import median

from bench.figures import Figure, Measured, cpus, peaks, processes, walls
from bench.paired import median_ratio
from bench.processes import BARE, FLOWFORGE, PYTHON, Variant, interleaved
from bench.projects import DATABASE, delete_database, forget, write_frame

ROWS = 2_000_000
_FLOWFORGE, _SAMPLE, _SCAN = (
    "`flowforge seed`",
    "bare `read_csv`, types by a sample",
    "bare `read_csv`, types by a full scan",
)
MOST = 300


def measure(folder: Path, rounds: int) -> Measured:
    """Load the file into a new database each time."""
    root = folder / "project"
    write_frame(root)
    file = root / "seeds" / "events.csv"
    write_csv(file)
    samples = interleaved(
        [
            Variant(_FLOWFORGE, [FLOWFORGE, "seed", str(root)], forget(root, cache=False, database=True)),
            _bare(_SAMPLE, folder / DATABASE, file),
            _bare(_SCAN, folder / DATABASE, file, "-1"),
        ],
        rounds,
    )
    figures = [
        Figure(f"{_FLOWFORGE}, {ROWS:,} rows of CSV, peak memory", median(peaks(samples, _FLOWFORGE)), "MB", MOST),
        Figure(f"its time to {_SCAN}", median_ratio(walls(samples, _FLOWFORGE), walls(samples, _SCAN)), "x"),
        Figure("the same, CPU", median_ratio(cpus(samples, _FLOWFORGE), cpus(samples, _SCAN)), "x"),
    ]
    return Measured("seed", figures, processes(samples), [_NOTE], rounds)


_NOTE = (
    "The file has six columns: an integer, a code with leading zeros, a decimal number, a word, a date, a timestamp. "
    "Start-up is included. Types taken from DuckDB's default sample lose leading zeros that come late in a file; "
    "FlowForge looks at every value."
)


def write_csv(file: Path) -> None:
    file.parent.mkdir()
    rng = random.Random(2)
    words = [f"word {i}" for i in range(1000)]
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write("id,code,price,word,day,at\n")
        for i in range(ROWS):
            day = f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}"
            out.write(f"{i},{i % 99_999:05},{rng.random() * 100:.2f},{words[i % 1000]},{day},{day} 12:34:{i % 60:02}\n")


def _bare(name: str, database: Path, file: Path, *sample: str) -> Variant:
    command = [PYTHON, str(BARE / "csv_file.py"), str(database), str(file), *sample]
    return Variant(name, command, partial(delete_database, database))
