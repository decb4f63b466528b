"""Python models of a million rows on PostgreSQL against COPY by hand, and against pandas' `to_sql`."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, Measured, cpus, processes, ratio_beyond, walls
from bench.paired import differences, median_ratio
from bench.postgres import profile
from bench.processes import BARE, FLOWFORGE, PYTHON, Samples, Variant, interleaved, run
from bench.projects import write_frame

_SMALL, _SOME, _LARGE = 10, 100_000, 1_000_000
_IN, _OUT = "`flowforge run`, frame to table", "`flowforge run`, table to frame"
_COPY_IN, _COPY_OUT, _TO_SQL = "COPY from a frame by hand", "COPY to a frame by hand", "`to_sql`"
_COPY, _FASTER = 1.2, 1 / 5
_SCRIPT = BARE / "postgres_frames.py"
# The very frame of the script.
_MODELS = """import runpy

from flowforge import model


@model()
def made():
    return runpy.run_path({script!r})["made"]({rows})


@model(deps=["made"])
def seen(frame):
    assert len(frame) == {rows}
    return frame.head(1)
"""
_NOTE = (
    f"Five columns: integer, float, text, timestamp, boolean. Beyond start-up: what {_SMALL} rows take is subtracted, "
    "on all sides; making the frame is part of both. By hand: COPY of CSV that Arrow writes and "
    "reads, sent in parts, and taken with libpq's own calls. "
    f"`to_sql` took {_SOME:,} rows, and its time is multiplied by {_LARGE // _SOME}. FlowForge's COPY is binary, which "
    "halves the server's time. The fastest driver, ADBC, is not among these, as it is no dependency: beside it, in one "
    "process, ours takes 0.7 of its time in, as much out (docs/decisions/0012-adbc.md, `tools/bench/adbc.py`)."
)


def measure(folder: Path, rounds: int) -> Measured:
    """Write and read a million rows and ten."""
    samples = interleaved([variant for count in (_SMALL, _LARGE) for variant in _variants(folder, count)], rounds)
    figures = []
    for ours, bare in ((_IN, _COPY_IN), (_OUT, _COPY_OUT)):
        sizes = _sizes(ours), _sizes(bare)
        figures += [
            Figure(f"PostgreSQL: {ours}, to {bare}", ratio_beyond(walls, samples, *sizes), "x", _COPY),
            Figure("the same, CPU of the client", ratio_beyond(cpus, samples, *sizes), "x"),
        ]
    figures.append(Figure(f"PostgreSQL: {_IN}, to {_TO_SQL}", _to_sql(samples), "x", _FASTER))
    return Measured("postgres-frames", figures, processes(samples), [_NOTE], rounds)


def _variants(folder: Path, count: int) -> list[Variant]:
    import postgres_server

    dsn, root = postgres_server.new_database(), folder / f"frames_{count}"
    write_frame(root, profile(dsn))
    (root / "models").mkdir()
    text = _MODELS.format(script=str(_SCRIPT), rows=count)
    head, made, seen = text.split("\n\n\n")
    for name, function in (("made", made), ("seen", seen)):
        (root / "models" / f"{name}.ff.py").write_text(f"{head}\n\n\n{function}\n", encoding="utf-8")
    run(FLOWFORGE, "run", str(root))
    by_hand = [PYTHON, str(_SCRIPT), dsn]
    some = min(count, _SOME)
    return [
        Variant(_named(_IN, count), [FLOWFORGE, "run", str(root), "--select", "made"]),
        Variant(_named(_COPY_IN, count), [*by_hand, str(count), "copy_in"]),
        Variant(_named(_OUT, count), [FLOWFORGE, "run", str(root), "--select", "seen"]),
        Variant(_named(_COPY_OUT, count), [*by_hand, str(count), "copy_out"]),
        Variant(_named(_TO_SQL, some), [*by_hand, str(some), "to_sql"]),
    ]


def _to_sql(samples: Samples) -> float:
    ours = differences(walls(samples, _named(_IN, _LARGE)), walls(samples, _named(_IN, _SMALL)))
    theirs = differences(walls(samples, _named(_TO_SQL, _SOME)), walls(samples, _named(_TO_SQL, _SMALL)))
    return median_ratio(ours, [seconds * (_LARGE // _SOME) for seconds in theirs])


def _named(what: str, count: int) -> str:
    return f"{what}, {count:,} rows"


def _sizes(what: str) -> tuple[str, str]:
    return _named(what, _LARGE), _named(what, _SMALL)
