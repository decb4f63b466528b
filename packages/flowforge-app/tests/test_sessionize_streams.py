"""Sessions on engines, against a plain-Python oracle: however the events arrive, the table is the same."""

# ruff: noqa: DTZ001 - events are kept in UTC without a zone
from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_app.sessionize_streams import BatchResult, SessionizeStreams
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import EngineError, StreamError, UnsupportedByEngineError
from flowforge_domain.results import Rows
from flowforge_domain.session_events import SessionColumns
from flowforge_domain.sessions import SessionSettings
from flowforge_ports.stream import Batch, DeadLetter
from flowforge_testkit.fakes import claim

NIGHTLY = bool(os.environ.get("FLOWFORGE_NIGHTLY"))
NOON = datetime(2024, 1, 31, 12)
TABLE = "fct_sessions_streaming"
LETTERS = "_flowforge_dead_letters"
HELPERS = {f"{TABLE}_events", "_flowforge_offsets", LETTERS}


def sqlite_engine(path=":memory:"):
    from flowforge_testkit.sqlite.engine import open_engine
    from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings

    return open_engine(SqliteProfile(engine="sqlite", sqlite=SqliteSettings(path=str(path))), Path(), claim())


def duckdb_engine(path=":memory:"):
    from flowforge_duckdb.engine import open_engine
    from flowforge_duckdb.settings import DuckDBProfile, DuckDBSettings

    return open_engine(DuckDBProfile(engine="duckdb", duckdb=DuckDBSettings(path=str(path))), Path(), claim())


ENGINES = {"sqlite": sqlite_engine, "duckdb": duckdb_engine}


@pytest.fixture(params=ENGINES)
def engine(request):
    opened = ENGINES[request.param]()
    yield opened
    opened.session.close()


@pytest.fixture
def sessionize(engine):
    return SessionizeStreams(engine, claim())


def event(number, user="u", minutes: float = 0, page="/", revenue: Any = None):
    at = NOON + timedelta(minutes=minutes)
    return {"event_id": f"e{number}", "user_id": user, "ts": at.isoformat(), "page": page, "revenue": revenue}


def oracle(events, gap=timedelta(minutes=30)):
    """Compute the sessions of all events at once: valid events, the first of each id, users apart, cut at gaps."""
    valid: dict[str, Any] = {}
    for one in events:
        if one["ts"][:1].isdigit():
            valid.setdefault(one["event_id"], one)
    sessions = []
    for user in {one["user_id"] for one in valid.values()}:
        mine = [(datetime.fromisoformat(e["ts"]), e) for e in valid.values() if e["user_id"] == user]
        current: list[Any] = []
        for at, one in sorted(mine, key=itemgetter(0)):
            if current and at - current[-1][0] > gap:
                sessions.append(session(user, current))
                current = []
            current.append((at, one))
        sessions.append(session(user, current))
    return sorted(sessions)


def session(user, members):
    start, end = members[0][0], members[-1][0]
    micros = (start - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    pages = sum(one["page"] is not None for _, one in members)
    revenue = sum((Decimal(str(one["revenue"] or 0)) for _, one in members), Decimal(0))
    return (f"{user}:{micros}", user, start, end, pages, float(revenue))


def rows(engine, relation):
    found = engine.frames.to_rows(engine.frames.read(relation))
    return sorted(found.rows, key=repr)


def sessions(engine, table=TABLE):
    return sorted(rows(engine, table))


def everything(engine):
    """Return all rows of all tables."""
    return {relation: rows(engine, relation) for relation in engine.catalog.relations()}


@dataclass
class Listed:
    """A source over a list; the position counts the events given out."""

    events: list[Any]
    name: str = "listed"
    letters: list[DeadLetter] = field(default_factory=list)

    def read(self, position, limit):
        start = int(position or 0)
        end = min(start + limit, len(self.events))
        return Batch(self.events[start:end], str(end) if end > start or position else "", tuple(self.letters))


TIMES = st.one_of(
    st.integers(0, 40).map(lambda n: n * 15.0),
    st.floats(0, 300, allow_nan=False),
    st.sampled_from([30 + 1e-6 / 60 * 100]),
)
MONEY = st.one_of(
    st.none(),
    st.sampled_from([0.1, 0.2, 19.99, -5, "0.07", 1e-6]),
    st.decimals(-1000, 1000, places=2),
    st.floats(0, 1000).map(lambda amount: round(amount, 2)),
)
EVENTS = st.lists(
    st.builds(
        event,
        number=st.integers(0, 25),
        user=st.sampled_from(["ann", "bob", "b'o\"b", "ann:1"]),
        minutes=TIMES,
        page=st.sampled_from([None, "/", "/über"]),
        revenue=MONEY,
    )
    | st.builds(lambda e: e | {"ts": "soon"}, st.builds(event, number=st.integers(0, 25))),
    max_size=30,
)


@pytest.mark.parametrize("name", ENGINES)
def test_any_split_of_any_events_gives_the_sessions_of_all_at_once(name):
    examples = {"sqlite": 150, "duckdb": 40}[name] * (10 if NIGHTLY else 1)
    engine = ENGINES[name]()
    tables = count()

    @settings(derandomize=True, deadline=None, max_examples=examples)
    @given(EVENTS, st.lists(st.integers(1, 8), max_size=30), st.sets(st.integers(0, 5)))
    def check(events, sizes, redelivered):
        table = f"sessions_{next(tables)}"
        sessionize = SessionizeStreams(engine, claim(), SessionSettings(table=table))
        results = []
        for number, batch in enumerate(split(events, sizes)):
            results.append(sessionize.process_batch(batch))
            if number in redelivered:
                before = sessions(engine, table)
                again = sessionize.process_batch(batch)
                assert again.written == 0
                assert sessions(engine, table) == before
        assert (sessions(engine, table) if results else []) == oracle(events)
        assert sum(r.read for r in results) == len(events)
        assert all(r.read == r.written + r.duplicates + r.dead_lettered for r in results)
        assert sum(r.dead_lettered for r in results) == sum(e["ts"] == "soon" for e in events)
        for relation in (table, f"{table}_events") if results else ():
            engine.session.execute(f"drop table {quote_relation(relation, engine.dialect)}")

    try:
        check()
    finally:
        engine.session.close()


def split(events, sizes):
    rest = list(events)
    for size in [*sizes, len(rest)]:
        if rest:
            yield rest[:size]
            rest = rest[size:]


def test_sessions_have_start_end_pageviews_and_revenue(engine, sessionize):
    result = sessionize.process_batch([event(1), event(2, minutes=30, page=None, revenue=0.1), event(3, revenue="0.2")])
    assert result == BatchResult(read=3, written=3)
    assert sessions(engine) == [
        ("u:1706702400000000", "u", NOON, NOON + timedelta(minutes=30), 2, 0.3),
    ]


@pytest.mark.parametrize(("gap", "expected"), [(1800, 1), (1800.000001, 2)])
def test_a_gap_is_strictly_more_than_thirty_minutes(engine, sessionize, gap, expected):
    sessionize.process_batch([event(1), event(2, minutes=gap / 60)])
    assert len(sessions(engine)) == expected


def test_a_late_event_merges_two_sessions(engine, sessionize):
    sessionize.process_batch([event(1, revenue=1), event(2, minutes=40, revenue=2)])
    assert len(sessions(engine)) == 2
    sessionize.process_batch([event(3, minutes=20, revenue=4)])
    assert sessions(engine) == oracle(
        [event(1, revenue=1), event(2, minutes=40, revenue=2), event(3, minutes=20, revenue=4)]
    )
    assert len(sessions(engine)) == 1


def test_users_whom_a_batch_does_not_touch_keep_their_rows(engine, sessionize):
    sessionize.process_batch([event(1, "ann"), event(2, "bob")])
    table = quote_relation(TABLE, engine.dialect)
    engine.session.execute(f"update {table} set pageviews = 99 where user_id = 'bob'")
    sessionize.process_batch([event(1, "bob"), event(3, "ann")])
    assert [row[4] for row in sessions(engine)] == [2, 99]


def test_the_first_event_of_an_id_counts(engine, sessionize):
    result = sessionize.process_batch([event(1, revenue=1), event(1, revenue=2)])
    assert result == BatchResult(read=2, written=1, duplicates=1)
    assert sessionize.process_batch([event(1, revenue=3)]) == BatchResult(read=1, duplicates=1)
    assert [row[5] for row in sessions(engine)] == [1.0]


def test_a_batch_without_pages_and_revenue_is_fine(engine, sessionize):
    sessionize.process_batch([{"event_id": 1, "user_id": 2, "ts": NOON, "more": [1]}])
    assert [row[1:] for row in sessions(engine)] == [("2", NOON, NOON, 0, 0.0)]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00", "1600-02-29T12:00:00", "9999-12-31T23:59:59.999999"])
def test_every_time_of_the_calendar_is_kept(engine, sessionize, at):
    sessionize.process_batch([event(1) | {"ts": at}])
    assert [row[2] for row in sessions(engine)] == [datetime.fromisoformat(at)]


def test_large_sums_stay_exact(engine, sessionize):
    events = [event(n, revenue="12345678.91") for n in range(50)]
    sessionize.process_batch(events)
    assert [row[5] for row in sessions(engine)] == [617283945.5]


def test_an_empty_batch_changes_nothing(engine, sessionize):
    assert sessionize.process_batch([]) == BatchResult()
    assert sessions(engine) == []


def test_a_batch_of_dead_letters_alone(engine, sessionize):
    result = sessionize.process_batch([event(1) | {"ts": "soon"}, event(2) | {"user_id": None}])
    assert result == BatchResult(read=2, dead_lettered=2)
    assert sessions(engine) == []
    assert [(r[0], r[1], r[2], r[3], r[5]) for r in rows(engine, LETTERS)] == [
        ("process_batch", TABLE, 0, "event 1", "'ts' is no ISO 8601 timestamp: 'soon'."),
        ("process_batch", TABLE, 0, "event 2", "'user_id' is empty."),
    ]
    assert rows(engine, LETTERS)[0][4].startswith('{"event_id": "e1", ')


def test_the_same_batch_twice_keeps_its_dead_letters_once(engine, sessionize):
    batch = [event(1), event(2) | {"ts": "soon"}]
    sessionize.process_batch(batch)
    before = everything(engine)
    assert sessionize.process_batch(batch) == BatchResult(read=2, duplicates=1, dead_lettered=1)
    assert everything(engine) == before


def test_dead_letters_that_no_database_keeps_are_escaped(engine, sessionize):
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    sessionize.process_batch([event(1) | {"user_id": "a\0\ud800'"}, event(2) | {"user_id": deep}])
    texts = [row[4] for row in rows(engine, LETTERS)]
    assert "a\\u0000\\ud800'" in texts[0] or "\\x00" in texts[0]
    assert texts[1] == "an event that is no JSON, with event_id, user_id, ts, page, revenue"


def test_no_helper_is_left(engine, sessionize):
    sessionize.process_batch([event(1), event(2) | {"ts": "soon"}])
    sessionize.consume(Listed([event(3)]))
    assert set(engine.catalog.relations()) == {TABLE, *HELPERS}


def test_columns_and_table_can_be_named_otherwise(engine):
    columns = SessionColumns("id", "who", "at", "url", "amount")
    sessionize = SessionizeStreams(engine, claim(), SessionSettings(columns, 5, "my visits".join('""')))
    sessionize.process_batch(
        [{"id": n, "who": "u", "at": NOON + timedelta(minutes=6 * n), "amount": n} for n in (1, 2)]
    )
    assert [row[5] for row in sessions(engine, '"my visits"')] == [1.0, 2.0]
    assert '"my visits_events"' in engine.catalog.relations()


def test_a_missing_column_is_an_error_and_changes_nothing(engine, sessionize):
    with pytest.raises(StreamError, match="has no column 'event_id'") as refused:
        sessionize.process_batch([{"eventid": 1, "user_id": 2, "ts": NOON}])
    assert str(refused.value).endswith("Did you mean 'eventid'? Rename it, or name the column in the settings.")
    assert everything(engine) == {}


def test_a_frame_of_the_engine_is_taken(engine, sessionize):
    columns = ("event_id", "user_id", "ts", "page", "revenue", "more")
    frame = engine.frames.from_rows(Rows(columns, [(1, "u", NOON, "/", 1.5, "x"), (2, "u", NOON, None, None, "x")]))
    assert sessionize.process_batch(frame) == BatchResult(read=2, written=2)
    assert [row[2:] for row in sessions(engine)] == [(NOON, NOON, 1, 1.5)]


def test_what_is_no_frame_is_refused(engine, sessionize):
    with pytest.raises((EngineError, StreamError)):
        sessionize.process_batch(17)
    assert everything(engine) == {}


def test_a_stream_is_read_on_from_its_committed_position(engine, sessionize):
    source = Listed([event(n, minutes=n) for n in range(5)])
    results = [sessionize.consume(source, limit=2) for _ in range(4)]
    assert [(r.read, r.written, r.position) for r in results] == [(2, 2, "2"), (2, 2, "4"), (1, 1, "5"), (0, 0, "5")]
    assert SessionizeStreams(engine, claim()).position("listed") == "5"
    assert sessions(engine) == oracle(source.events)


def test_a_stream_has_no_position_before_its_first_batch(engine, sessionize):
    assert sessionize.position("listed") == ""
    assert sessionize.consume(Listed([])) == BatchResult()
    assert everything(engine) == {}
    sessionize.consume(Listed([event(1)], name="other"))
    assert sessionize.position("listed") == ""


def test_dead_letters_of_the_source_are_kept_with_their_place(engine, sessionize):
    source = Listed([event(1), event(2) | {"ts": 5}], letters=[DeadLetter("a.jsonl:7", "tex\0t", "no JSON")])
    assert sessionize.consume(source) == BatchResult(read=3, written=1, dead_lettered=2, position="2")
    assert [(row[2], row[3], row[5]) for row in rows(engine, LETTERS)] == [
        (1, "a.jsonl:7", "no JSON"),
        (1, "batch 1, event 2", "'ts' is no ISO 8601 timestamp: 5."),
    ]
    assert rows(engine, LETTERS)[0][4] == "tex\\x00t"


def test_the_same_bad_line_again_is_another_dead_letter(engine, sessionize):
    letters = [DeadLetter("a.jsonl:1", "x", "no JSON")]
    source = Listed([event(1), event(2)], letters=letters)
    for _ in range(2):
        sessionize.consume(source, limit=1)
    assert [row[2] for row in rows(engine, LETTERS)] == [1, 2]


HOSTILE = ["it's", 'a"b', "a`b", "; drop table x; --", "{{ 1 }}", "a\nb", "Zürich 🚲", "%s", "\\", "x" * 5000, " "]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stream_may_have_any_name(engine, sessionize, name):
    source = Listed([event(1), event(2) | {"ts": ""}], name=name)
    sessionize.consume(source, limit=1)
    sessionize.consume(source, limit=1)
    assert sessionize.position(name) == "2"
    assert sessionize.position(name + "x") == ""
    assert [row[0] for row in rows(engine, LETTERS)] == [name]


def test_two_tables_read_one_stream_each_from_its_own_position(engine):
    first, second = (SessionizeStreams(engine, claim(), SessionSettings(table=table)) for table in ("one", "two"))
    source = Listed([event(1), event(2)])
    first.consume(source)
    assert second.position("listed") == ""
    second.consume(source)
    assert sessions(engine, "one") == sessions(engine, "two")


def test_a_consumer_whose_stream_was_moved_meanwhile_is_refused(engine, sessionize):
    class Overtaken(Listed):
        """While it is read, another consumer takes the same batch and commits first."""

        def read(self, position, limit):
            if not overtaking:
                overtaking.append(True)
                sessionize.consume(self, limit)
            return super().read(position, limit)

    overtaking: list[bool] = []
    source = Overtaken([event(n) for n in range(4)])
    with pytest.raises(StreamError, match="Another consumer has moved the stream 'listed'"):
        sessionize.consume(source, limit=2)
    assert sessionize.position("listed") == "2"
    assert sessionize.consume(source, limit=2).written == 2
    assert sessions(engine) == oracle(source.events)


def test_an_engine_that_keeps_no_streams_is_refused_before_anything(engine):
    other = replace(engine, capabilities=engine.capabilities - {Capability.STREAMS})
    for act in (lambda s: s.process_batch([event(1)]), lambda s: s.consume(Listed([event(1)]))):
        with pytest.raises(UnsupportedByEngineError, match="stream offsets in the transaction"):
            act(SessionizeStreams(other, claim()))
        with pytest.raises(UnsupportedByEngineError, match="data frames"):
            act(SessionizeStreams(replace(engine, frames=None), claim()))
    assert everything(engine) == {}


@dataclass
class Failing:
    """A session that breaks before its nth statement, or at its commit."""

    session: Any
    left: int

    def execute(self, sql):
        self.count()
        return self.session.execute(sql)

    def query(self, sql):
        return self.session.query(sql)

    def begin(self):
        self.session.begin()

    def commit(self):
        self.count()
        self.session.commit()

    def rollback(self):
        self.session.rollback()

    def count(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("first", [True, False])
def test_a_failure_anywhere_leaves_everything_as_it_was(engine, first):
    source = Listed(
        [event(1), event(2, minutes=40), event(3) | {"ts": "soon"}, event(4, minutes=20), event(5) | {"ts": ""}]
    )
    if not first:
        SessionizeStreams(engine, claim()).consume(source, limit=3)
    before = everything(engine)
    for nth in count():
        try:
            SessionizeStreams(replace(engine, session=Failing(engine.session, nth)), claim()).consume(source)
        except KeyboardInterrupt:
            assert everything(engine) == before
        else:
            break
    assert nth > 10
    assert sessions(engine) == oracle(source.events)
    assert SessionizeStreams(engine, claim()).position("listed") == "5"


def test_a_batch_waits_for_the_lock_of_the_target(engine):
    @dataclass
    class Seen:
        held: list[Any] = field(default_factory=list)

        @contextmanager
        def hold(self, claim):
            self.held.append(claim.wait)
            yield

    lock = Seen()
    sessionize = SessionizeStreams(replace(engine, lock=lock), claim(3))
    sessionize.process_batch([event(1)])
    sessionize.consume(Listed([event(2)]))
    assert lock.held == [3, 3]
