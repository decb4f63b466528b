"""Streaming as a user has it: the public classes on DuckDB, through crashes, rotations and long files."""

# ruff: noqa: DTZ001 - sessions are kept in UTC without a zone
from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from counts import KILLS

from flowforge.streaming import FileTailSource, StreamSessionizer
from flowforge.streaming.sessionizer import BatchResult
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind, StreamError

ROOT = Path(__file__).parents[2]
NOON = datetime(2024, 1, 31, 12)
SESSIONS = "select * from fct_sessions_streaming order by session_id"


@pytest.fixture
def con():
    with duckdb.connect(":memory:") as connection:
        yield connection


def frame(**columns):
    return pd.DataFrame({"event_id": [1, 2], "user_id": ["ann", "ann"], "ts": [NOON, NOON], **columns})


def test_stream_sessionizer_produces_sessions():
    con = duckdb.connect(":memory:")
    df = pd.DataFrame(
        {
            "event_id": ["e1", "e2", "e3", "e4"],
            "user_id": ["ann", "ann", "ann", "bob"],
            "ts": pd.to_datetime(["2024-01-31 12:00", "2024-01-31 12:30", "2024-01-31 13:01", "2024-01-31 12:00"]),
            "page": ["/", "/cart", None, "/"],
            "revenue": [None, 0.1, 0.2, None],
        }
    )
    result = StreamSessionizer(con).process_batch(df)
    assert result == BatchResult(read=4, written=4)
    assert con.sql(SESSIONS).columns == [
        "session_id",
        "user_id",
        "session_start",
        "session_end",
        "pageviews",
        "revenue",
    ]
    assert con.sql(SESSIONS).fetchall() == [
        ("ann:1706702400000000", "ann", NOON, NOON + timedelta(minutes=30), 2, 0.1),
        ("ann:1706706060000000", "ann", NOON + timedelta(minutes=61), NOON + timedelta(minutes=61), 0, 0.2),
        ("bob:1706702400000000", "bob", NOON, NOON, 1, 0.0),
    ]
    con.close()


def test_batches_add_up_in_any_order(con):
    sessionizer = StreamSessionizer(con)
    sessionizer.process_batch(frame(ts=[NOON, NOON + timedelta(minutes=50)], revenue=[1, 2]))
    assert len(con.sql(SESSIONS).fetchall()) == 2
    late = sessionizer.process_batch(frame(event_id=[2, 3], ts=[NOON, NOON + timedelta(minutes=25)], revenue=[9, 4]))
    assert late == BatchResult(read=2, written=1, duplicates=1)
    assert [row[2:] for row in con.sql(SESSIONS).fetchall()] == [(NOON, NOON + timedelta(minutes=50), 0, 7.0)]


@pytest.mark.parametrize(
    "ts",
    [
        pd.to_datetime(["2024-01-31 14:00+02:00"] * 2),
        pd.to_datetime(["2024-01-31 12:00:00.000000999"] * 2),
        ["2024-01-31T12:00:00Z", NOON],
        [pd.Timestamp("2024-01-31 12:00", tz="UTC"), "2024-01-31 12:00"],
    ],
    ids=["zone", "nanoseconds", "text and datetime", "timestamp and text"],
)
def test_times_of_a_frame_become_utc(con, ts):
    StreamSessionizer(con).process_batch(frame(ts=ts))
    assert [row[2:4] for row in con.sql(SESSIONS).fetchall()] == [(NOON, NOON)]


def test_what_a_frame_calls_missing_is_missing(con):
    df = frame(ts=[NOON, pd.NaT], page=pd.array(["/", pd.NA], "string"), revenue=pd.array([pd.NA, 2], "Int64"))
    assert StreamSessionizer(con).process_batch(df) == BatchResult(read=2, written=1, dead_lettered=1)
    assert [row[4:] for row in con.sql(SESSIONS).fetchall()] == [(1, 0.0)]
    assert con.sql("select reason from _flowforge_dead_letters").fetchall() == [("'ts' is empty.",)]


def test_bad_times_of_a_frame_are_dead_letters(con):
    result = StreamSessionizer(con).process_batch(frame(ts=[NOON, "soon"]))
    assert result == BatchResult(read=2, written=1, dead_lettered=1)


def test_identifiers_of_a_column_with_gaps_stay_whole_numbers(con):
    StreamSessionizer(con).process_batch(frame(user_id=[7, None]))
    assert [row[1] for row in con.sql(SESSIONS).fetchall()] == ["7"]


def test_an_arrow_table_and_dicts_are_taken_too(con):
    import pyarrow as pa

    sessionizer = StreamSessionizer(con)
    assert sessionizer.process_batch(pa.Table.from_pandas(frame())).written == 2
    assert sessionizer.process_batch([{"event_id": 3, "user_id": "ann", "ts": "2024-01-31"}]).written == 1


def test_names_and_gap_are_settings(con):
    df = frame().rename(columns={"event_id": "id"}).assign(ts=[NOON, NOON + timedelta(minutes=6)])
    sessionizer = StreamSessionizer(con, gap_minutes=5, event_id="id", table="visits")
    sessionizer.process_batch(df)
    assert con.execute("select count(*) from visits").fetchone() == (2,)


def test_an_unknown_setting_is_refused(con):
    with pytest.raises(ConfigError, match="no setting 'evnt_id'") as refused:
        StreamSessionizer(con, evnt_id="id")
    assert str(refused.value).endswith("Did you mean 'event_id'?")


def test_a_missing_column_is_named(con):
    with pytest.raises(StreamError, match="has no column 'event_id'"):
        StreamSessionizer(con).process_batch(frame().rename(columns={"event_id": "eventid"}))


@pytest.mark.parametrize("target", [None, 7, "demo.duckdb"])
def test_what_is_no_target_is_refused(target):
    with pytest.raises(StreamError, match="Streams are written through an engine, not a"):
        StreamSessionizer(target)


@pytest.mark.parametrize("batch", [None, 7, "demo", [1], {"event_id": 1}])
def test_what_is_no_batch_is_refused(con, batch):
    with pytest.raises(StreamError, match="is no frame and no list of events"):
        StreamSessionizer(con).process_batch(batch)


def test_what_is_no_source_is_refused(con):
    with pytest.raises(StreamError, match="A str is no source of a stream"):
        StreamSessionizer(con).consume("events.jsonl")


def test_an_executor_is_a_target(tmp_path):
    from flowforge.executors.duckdb_exec import DuckExecutor

    executor = DuckExecutor(db_path=str(tmp_path / "demo.duckdb"))
    StreamSessionizer(executor).process_batch(frame())
    assert len(executor.engine.session.query(SESSIONS).rows) == 1
    executor.close()


def test_the_users_own_connection_is_left_as_it_was(con):
    StreamSessionizer(con).process_batch(frame())
    con.execute("begin")
    con.execute("rollback")
    with pytest.raises(duckdb.CatalogException, match="Table with name nothing does not exist"):
        con.execute("select * from nothing")


def test_a_file_is_followed_and_its_position_kept(con, tmp_path):
    path = tmp_path / "events.jsonl"
    lines = [json.dumps({"event_id": n, "user_id": "ann", "ts": f"2024-01-31T12:0{n}:00Z"}) for n in range(4)]
    path.write_text("\n".join(lines[:2]) + "\n" + lines[2][:10])
    source = FileTailSource(path, name="web")
    assert StreamSessionizer(con).consume(source).written == 2
    with path.open("a") as file:
        file.write(lines[2][10:] + "\n")
    path.rename(tmp_path / "events.jsonl.1")
    path.write_text(f"oops\n{lines[3]}\n")
    again = StreamSessionizer(con)
    result = again.consume(source)
    assert (result.read, result.written, result.dead_lettered) == (3, 2, 1)
    assert again.position("web") == result.position != ""
    assert [row[2:4] for row in con.sql(SESSIONS).fetchall()] == [(NOON, NOON + timedelta(minutes=3))]
    assert con.sql("select position from _flowforge_dead_letters").fetchall() == [(f"{path}:1",)]


def test_two_consumers_of_one_stream_count_nothing_twice(con, tmp_path):
    path = tmp_path / "events.jsonl"
    events = write_events(path, 600, random.Random(5))

    def consume_all(_):
        sessionizer, refused = StreamSessionizer(con.cursor()), 0
        while True:
            try:
                if not sessionizer.consume(FileTailSource(path, name="web"), limit=20).read:
                    return refused
            except (StreamError, EngineError) as error:
                assert isinstance(error, StreamError) or error.kind is ErrorKind.TRANSIENT, error
                refused += 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(consume_all, range(2)))
    assert con.sql(SESSIONS).fetchall() == expected(events)
    assert con.execute("select count(*) from _flowforge_offsets").fetchone() == (1,)


# Loads everything once and forks a consumer for each line it is told, so that 200 of them need not start Python.
CONSUMERS = """
import os, signal, sys
import duckdb, filelock, numpy.rec, pandas, pyarrow.pandas_compat, pyarrow.vendored.version
import flowforge_duckdb.engine
from flowforge.streaming import FileTailSource, StreamSessionizer

def consume(database, path, limit):
    with duckdb.connect(database) as con:
        sessionizer, read = StreamSessionizer(con), 1
        while read:
            print("begin", os.getpid(), flush=True)
            read = sessionizer.consume(FileTailSource(path, name="web"), limit=limit).read
            print("end", flush=True)
        print("idle", flush=True)
        signal.pause()

for limit in sys.stdin:
    child = os.fork()
    if not child:
        consume(sys.argv[1], sys.argv[2], int(limit))
    os.waitpid(child, 0)
    print("killed", flush=True)
"""


def test_kills_at_any_moment_lose_and_double_nothing(tmp_path, record_property):
    """Each kill follows some committed batches, and hits while the next one is under way or just done."""
    record_property("trials", KILLS)
    chance = random.Random(17)
    database, path = tmp_path / "demo.duckdb", tmp_path / "events.jsonl"
    events = write_events(path, 20 * KILLS, chance)
    in_flight = 0
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", CONSUMERS, str(database), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as consumers:
        for kill in range(KILLS):
            in_flight += run_and_kill(consumers, chance)
            check_a_commit_is_whole(database)
            events += change_the_file(path, kill, chance)
        run_to_the_end(consumers)
        consumers.stdin.close()
    assert consumers.returncode == 0
    assert in_flight >= 0.6 * KILLS
    with duckdb.connect(database) as con:
        assert con.sql(SESSIONS).fetchall() == expected(events)
        assert con.execute("select count(*) from _flowforge_dead_letters").fetchone() == (events.count(POISON),)
        assert con.execute("select count(*) from _flowforge_offsets").fetchone() == (1,)


def run_and_kill(consumers, chance):
    """Kill a consumer a moment after it began its nth batch; tell whether that batch had not ended."""
    consumers.stdin.write(f"{chance.randint(1, 9)}\n")
    consumers.stdin.flush()
    lines = iter(consumers.stdout.readline, "")
    for _ in range(chance.randint(1, 4)):
        word, _, pid = next(line for line in lines if not line.startswith("end")).partition(" ")
        if word == "idle\n":
            break
        victim = int(pid)
    threading.Event().wait(chance.random() * 0.04)  # waits for nothing: it only spreads the kills over a batch
    os.kill(victim, signal.SIGKILL)
    rest = [word, *iter(consumers.stdout.readline, "killed\n")]
    return rest[-1].startswith("begin")


def run_to_the_end(consumers):
    consumers.stdin.write("1000\n")
    consumers.stdin.flush()
    for line in iter(consumers.stdout.readline, "idle\n"):
        victim = int(line.split()[1]) if line.startswith("begin") else victim  # noqa: F821 - the first line begins
    os.kill(victim, signal.SIGKILL)
    assert consumers.stdout.readline() == "killed\n"


def check_a_commit_is_whole(database):
    """What a kill leaves is what a commit left: the sessions are those of the events kept, and no helper stays."""
    with duckdb.connect(database) as con:
        tables = {name for (name,) in con.sql("select table_name from duckdb_tables()").fetchall()}
        assert not any(name.endswith("_batch") for name in tables)
        if tables:
            kept = con.sql("select event_id, user_id, ts, page, revenue_micros from fct_sessions_streaming_events")
            events = [(i, u, at, page, Fraction(r, 10**6)) for i, u, at, page, r in kept.fetchall()]
            assert con.sql(SESSIONS).fetchall() == expected(events)


def change_the_file(path, kill, chance):
    """Write more, and rotate or copy and cut every third time."""
    events = append_events(path, chance.randint(0, 20), chance)
    if kill % 3 == 1:
        for old in sorted(path.parent.glob("events.jsonl.*"), reverse=True, key=lambda p: int(p.suffix[1:])):
            old.rename(path.with_name(f"events.jsonl.{int(old.suffix[1:]) + 1}"))
        path.rename(path.with_name("events.jsonl.1"))
        events += append_events(path, 5, chance)
    return events


POISON = None


def write_events(path, count, chance):
    path.touch()
    return append_events(path, count, chance)


def append_events(path, count, chance):
    """Append events out of order, some of them twice and some lines poison; return what was written."""
    events = []
    with path.open("a") as file:
        for _ in range(count):
            at = NOON + timedelta(minutes=15 * chance.randint(0, 60), microseconds=chance.choice([0, 0, 1]))
            revenue = chance.choice([None, 0.1, 19.99, round(chance.random() * 100, 2)])
            one = (str(chance.randint(0, 10**9)), f"u{chance.randint(0, 9)}", at, chance.choice(["/", None]), revenue)
            events += [POISON if chance.random() < 0.05 else one] * chance.choice([1, 1, 1, 2])
        file.writelines(line(one) for one in events)
    return events


def line(one):
    if one is POISON:
        return '{"event_id": \n'
    number, user, at, page, revenue = one
    event = {"event_id": number, "user_id": user, "ts": at.isoformat(), "page": page, "revenue": revenue}
    return json.dumps(event) + "\n"


def expected(events, gap=timedelta(minutes=30)):
    """Compute the sessions of all events at once, in the form in which the table gives them."""
    first = {one[0]: one for one in reversed(events) if one is not POISON}
    sessions = []
    for _, user, at, page, revenue in sorted(first.values(), key=lambda one: (one[1], one[2])):
        last = sessions[-1] if sessions else None
        if last is None or last[0] != user or at - last[2] > gap:
            sessions.append([user, at, at, 0, Fraction(0)])
        sessions[-1][2] = at
        sessions[-1][3] += page is not None
        sessions[-1][4] += Fraction(str(revenue or 0)) if not isinstance(revenue, Fraction) else revenue
    return sorted(
        (f"{user}:{(start - datetime(1970, 1, 1)) // timedelta(microseconds=1)}", user, start, end, pages, float(total))
        for user, start, end, pages, total in sessions
    )


LONG = """
import resource, sys
import duckdb
from flowforge.streaming import FileTailSource, StreamSessionizer

with duckdb.connect(sys.argv[1]) as con:
    con.execute("set memory_limit = '200MB'")
    sessionizer, source, total, peaks = StreamSessionizer(con), FileTailSource(sys.argv[2], name="web"), 0, []
    while read := sessionizer.consume(source, limit=10_000).read:
        total += read
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    print(total, con.execute("select count(*), sum(revenue) from fct_sessions_streaming").fetchone()[0], *peaks)
"""


def test_memory_stays_flat_over_a_long_file(tmp_path):
    path = tmp_path / "events.jsonl"
    with path.open("w") as file:
        for n in range(200_000):
            at = NOON + timedelta(seconds=n // 100 * 60)
            file.write(line((str(n), f"user{n % 2000}", at, "/shop/item", 1.25)))
    command = [sys.executable, "-c", LONG, str(tmp_path / "demo.duckdb"), str(path)]
    total, sessions, *peaks = map(int, subprocess.check_output(command, text=True).split())
    assert (total, sessions) == (200_000, 2000)
    assert len(peaks) == 20
    assert peaks[-1] - peaks[4] < 60, f"megabytes after each batch: {peaks}"


def test_the_code_of_the_guide_runs_and_prints_what_it_says(tmp_path):
    guide = (ROOT / "docs/guide/streaming.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", guide, re.DOTALL)
    assert len(examples) == guide.count("```python")
    for code, promised in examples:
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert re.sub(r"position='[^']+'", "position='…'", done.stdout) == promised
