"""ADBC's driver beside ours: a million rows into PostgreSQL and back, within one process, in turn.

    uv run --with adbc-driver-postgresql==1.13.0 python tools/bench/adbc.py [ROUNDS]

Not part of `make bench`: ADBC is no dependency. docs/decisions/0012-adbc.md holds what came out.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from runpy import run_path
from time import perf_counter, process_time
from typing import Any

Work = Callable[[], object]

ROWS = 1_000_000
_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent))


def main(rounds: int) -> None:
    """Print the median of ours to ADBC's, on the wall and of this process."""
    import postgres_server

    made = run_path(str(_HERE / "bare" / "postgres_frames.py"))["made"]
    frame, dsn = made(ROWS), postgres_server.new_database()
    ours_in, ours_out = _ours(dsn)
    adbc_in, adbc_out = _adbc(dsn)
    ways: list[tuple[str, Work, Work]] = [
        ("frame to table", lambda: ours_in(frame), lambda: adbc_in(frame)),
        ("table to frame", ours_out, adbc_out),
    ]
    try:
        for what, ours, theirs in ways:
            ours()
            theirs()
            pairs = [(_timed(ours), _timed(theirs)) for _ in range(rounds)]
            walls, cpus = ([(a[i], b[i]) for a, b in pairs] for i in (0, 1))
            _print(what, walls, cpus)
    finally:
        postgres_server.drop_database(dsn)


def _ours(dsn: str) -> tuple[Callable[[Any], object], Work]:
    from flowforge_postgres.engine import open_engine
    from flowforge_postgres.settings import PostgresProfile
    from flowforge_testkit.fakes import claim

    profile = PostgresProfile.model_validate({"engine": "postgres", "postgres": {"dsn": dsn}})
    engine = open_engine(profile, Path(), claim())
    frames = engine.frames
    assert frames is not None

    def write(frame: Any) -> None:
        engine.session.begin()
        frames.write("ours", frame)
        engine.session.commit()

    return write, lambda: frames.read("ours")


def _adbc(dsn: str) -> tuple[Callable[[Any], object], Work]:
    import pyarrow as pa

    connection = import_module("adbc_driver_postgresql.dbapi").connect(dsn)

    def write(frame: Any) -> None:
        with connection.cursor() as cursor:
            cursor.adbc_ingest("theirs", pa.Table.from_pandas(frame, preserve_index=False), mode="replace")
        connection.commit()

    def read() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("select * from theirs")
            frame = cursor.fetch_arrow_table().to_pandas()
        connection.commit()
        return frame

    return write, read


def _timed(work: Work) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - cpu


def _print(what: str, *kinds: list[tuple[float, float]]) -> None:
    for name, pairs in zip(("wall", "CPU of the client"), kinds, strict=True):
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        sys.stdout.write(f"{what}, {name}: ours {ours:.2f} s, ADBC {theirs:.2f} s, ratio {ratio:.2f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 7)
