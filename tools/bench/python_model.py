"""A Python model of five million rows against the same three calls by hand."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figures import Figure, Measured, cpus, peaks, processes, ratio_beyond, walls
from bench.paired import median_difference
from bench.processes import BARE, FLOWFORGE, PYTHON, Samples, Variant, interleaved, run
from bench.projects import DATABASE, put_back, write_frame
from bench.run import statements

_SMALL, _LARGE = 10, 5_000_000
_FLOWFORGE, _BARE = "`flowforge run` of a Python model", "three calls by hand"
_RATIO = 1.15
_NUMBERS = "range as id, range % 1000 as customer, (range % 977) / 8.0 as price, range % 9 as quantity"
_TABLES = {"numbers": _NUMBERS, "numbers and a text": f"{_NUMBERS}, 'country ' || (range % 50) as country"}
_MODEL = """from flowforge import model


@model(deps=["events"])
def enriched(frame):
    return frame.assign(total=frame["price"] * frame["quantity"])
"""


def measure(folder: Path, rounds: int) -> Measured:
    """Read a table, add a column with pandas and write the result; of ten rows, and of five million."""
    kinds = [(kind, count) for kind in _TABLES for count in (_SMALL, _LARGE)]
    variants = [variant for i, (kind, count) in enumerate(kinds) for variant in _variants(folder / str(i), kind, count)]
    samples = interleaved(variants, rounds)
    figures = [figure for kind in _TABLES for figure in _figures(samples, kind)]
    return Measured("python", figures, processes(samples), [_NOTE], rounds)


_NOTE = (
    f"Beyond start-up again: what {_SMALL} rows take, pandas' import included, is subtracted on both sides. The calls "
    "by hand: `con.table(…).df()`, the function, `create or replace table … as select * from` the frame."
)


def _variants(folder: Path, kind: str, count: int) -> list[Variant]:
    root, bare = folder / "project", folder / "bare.duckdb"
    _write_project(root, f"select {_TABLES[kind]} from range({count})")
    listed = folder / "statements.json"
    listed.write_text(json.dumps(statements(root, ["events"])), encoding="utf-8")
    run(FLOWFORGE, "run", str(root), "--select", "events")
    run(PYTHON, str(BARE / "statements.py"), str(bare), str(listed))
    return [
        Variant(
            _named(_FLOWFORGE, kind, count),
            [FLOWFORGE, "run", str(root), "--select", "enriched"],
            put_back(root / DATABASE),
        ),
        Variant(_named(_BARE, kind, count), [PYTHON, str(BARE / "frames.py"), str(bare)], put_back(bare)),
    ]


def _write_project(root: Path, query: str) -> None:
    root.parent.mkdir()
    write_frame(root)
    models = root / "models"
    models.mkdir()
    (models / "events.ff.sql").write_text(f"{query}\n", encoding="utf-8")
    (models / "enriched.ff.py").write_text(_MODEL, encoding="utf-8")


def _named(what: str, kind: str, count: int) -> str:
    return f"{what}, {count:,} rows of {kind}"


def _figures(samples: Samples, kind: str) -> list[Figure]:
    ours, bare = ((_named(what, kind, _LARGE), _named(what, kind, _SMALL)) for what in (_FLOWFORGE, _BARE))
    memory = median_difference(peaks(samples, ours[0]), peaks(samples, bare[0]))
    return [
        Figure(
            f"Python model, {_LARGE:,} rows of {kind}, to {_BARE}",
            ratio_beyond(walls, samples, ours, bare),
            "x",
            _RATIO,
        ),
        Figure("the same, CPU", ratio_beyond(cpus, samples, ours, bare), "x", _RATIO),
        Figure("the same, peak memory beyond them", memory, "MB"),
    ]
