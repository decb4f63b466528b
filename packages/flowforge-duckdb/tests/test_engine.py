"""Sessions, catalog and lock as DuckDB has them; what every engine must do is in the conformance suite."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time

import duckdb
import pytest

from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import read_holder
from flowforge_duckdb.engine import engine_on
from flowforge_testkit.fakes import claim


def kind_of(caught):
    return caught.value.kind


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("create table t as select * from range(3)", 3),
        ("create or replace table old as select 1 where false", 0),
        ("insert into old select * from range(4)", 4),
        ("delete from old where a = 1", 1),
        ("update old set a = 2", 2),
        ("create table t (a int)", None),
        ("create view v as select 1 as a", None),
        ("drop table old", None),
        ("set threads = 2", None),
        ("select 7 as b", None),
        ("-- nothing", None),
    ],
)
def test_execute_counts_what_was_written(engine, sql, rows):
    engine.session.execute("create table old as select unnest([1, 3]) as a")
    assert engine.session.execute(sql) == rows


def test_query_of_nothing_is_empty(engine):
    assert engine.session.query("-- nothing").columns == ()


def test_values_of_a_zone_need_no_pandas(engine):
    assert engine.session.query("select timestamptz '2024-01-01 00:00:00+00' as a").rows[0][0].year == 2024


def test_rollback_without_a_transaction_or_a_connection_does_nothing(engine):
    engine.session.rollback()
    engine.session.close()
    engine.session.rollback()
    engine.session.interrupt()


def test_failed_statement_leaves_the_old_table_and_the_session_usable(engine):
    session = engine.session
    session.execute("create table t as select 1 as a")
    session.begin()
    session.execute("create or replace table t as select 2 as a")
    with pytest.raises(EngineError):
        session.execute("create or replace table u as select error('stop')")
    session.rollback()
    assert session.query("select a from t").rows == [(1,)]


def test_reader_never_sees_a_half_written_table(open_at):
    engine = open_at("x.duckdb")
    engine.session.execute("create table t as select 0 as version, range as a from range(20000)")
    seen, stop = [], threading.Event()

    def poll():
        reader = engine.fork().session
        while not stop.is_set():
            seen.append(reader.query("select count(*), min(version), max(version) from t").rows[0])

    thread = threading.Thread(target=poll)
    thread.start()
    for version in range(1, 25):
        engine.session.begin()
        engine.session.execute("drop table t")
        engine.session.execute(f"create table t as select {version} as version, range as a from range(20000)")
        (engine.session.rollback if version % 3 == 0 else engine.session.commit)()
    stop.set()
    thread.join()
    versions = [low for _, low, _ in seen]
    assert {count for count, _, _ in seen} == {20000}
    assert all(low == high for _, low, high in seen)
    assert versions == sorted(versions)
    assert len(set(versions)) > 1
    assert not {version for version in versions if version and version % 3 == 0}


def test_forks_build_at_the_same_time(engine):
    failures = []

    def build(i):
        fork = engine.fork()
        try:
            for j in range(5):
                fork.session.begin()
                fork.session.execute(f"create or replace table t{i} as select {j} as a from range(1000)")
                fork.session.commit()
        except EngineError as error:
            failures.append(error)
        finally:
            fork.session.close()

    threads = [threading.Thread(target=build, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert kinds(engine.catalog.relations()) == dict.fromkeys(("t0", "t1", "t2", "t3"), "table")


def test_two_engines_of_one_process_meet_in_one_file(open_at):
    first, second = open_at("x.duckdb"), open_at("x.duckdb")
    first.session.execute("create table t as select 1 as a")
    first.session.begin()
    first.session.execute("create or replace table t as select 2 as a")
    assert second.session.query("select a from t").rows == [(1,)]
    with pytest.raises(EngineError) as caught:
        second.session.execute("create or replace table t as select 3 as a")
    assert kind_of(caught) is ErrorKind.TRANSIENT
    first.session.commit()
    assert second.session.query("select a from t").rows == [(2,)]


def test_closing_closes_forks_and_frees_the_file(open_at, tmp_path):
    engine = open_at("x.duckdb")
    fork = engine.fork().fork()
    engine.session.close()
    with pytest.raises(EngineError) as caught:
        fork.session.query("select 1")
    assert kind_of(caught) is ErrorKind.UNREACHABLE
    script = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "x.duckdb")], check=True)


def test_closing_a_fork_leaves_the_others(engine):
    fork = engine.fork()
    fork.session.close()
    fork.session.close()
    assert engine.session.query("select 1 as a").rows == [(1,)]


def test_interrupt_stops_the_statement_and_not_the_next(engine):
    timer = threading.Timer(0.2, engine.session.interrupt)
    timer.start()
    started = time.monotonic()
    with pytest.raises(EngineError) as caught:
        engine.session.query(
            "select count(*) from range(1000000000) as a, range(1000) as b where a.range % 7 = b.range"
        )
    timer.join()
    assert kind_of(caught) is ErrorKind.CANCELLED
    assert time.monotonic() - started < 20
    assert engine.session.query("select 1 as a").rows == [(1,)]


def test_relations_are_the_sessions_own(engine):
    session = engine.session
    for sql in (
        "create table Users (a int)",
        'create view "my view" as select 1 as a',
        "create schema staging",
        "create table staging.users (a int)",
        "create temp table scratch (a int)",
        "attach ':memory:' as other",
        "create table other.main.foreign_table (a int)",
    ):
        session.execute(sql)
    assert kinds(engine.catalog.relations()) == {"users": "table", '"my view"': "view", "staging.users": "table"}
    session.execute("use staging")
    assert kinds(engine.catalog.relations()) == {"main.users": "table", 'main."my view"': "view", "users": "table"}


def test_columns_of_a_broken_view_point_nowhere(engine):
    engine.session.execute("create table t as select 1 as a, 2 as b")
    engine.session.execute("create view v as select a from t")
    engine.session.execute("alter table t drop column a")
    assert kinds(engine.catalog.relations()) == {"t": "table", "v": "view"}
    with pytest.raises(EngineError) as caught:
        engine.catalog.columns("v")
    assert (caught.value.line, caught.value.column) == (0, 0)


def test_lock_file_names_who_opened_the_database_and_then_who_holds_it(open_at, tmp_path):
    file, engine = tmp_path / "x.duckdb.lock", open_at("x.duckdb")
    assert read_holder(file.read_text()) == claim().holder
    with engine.lock.hold(claim(0, run="1f57")):
        assert read_holder(file.read_text()).run == "1f57"
        open_at("x.duckdb")
        assert read_holder(file.read_text()).run == "1f57"


@pytest.mark.parametrize("path", ["x.duckdb", ":memory:"])
def test_threads_take_turns_at_the_lock(open_at, path):
    engine = open_at(path)
    inside, most = [], []

    def work():
        with engine.fork().lock.hold(claim(20)):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_second_engine_waits_no_longer_than_it_was_told(open_at):
    first, second = open_at("x.duckdb"), open_at("x.duckdb")
    with first.lock.hold(claim(0, run="1f57")):
        started = time.monotonic()
        with pytest.raises(EngineError) as caught, second.lock.hold(claim(0.3)):
            pass
        assert 0.25 < time.monotonic() - started < 10
    assert kind_of(caught) is ErrorKind.CONFLICT
    assert caught.value.message == (
        f"x.duckdb is in use by run 1f57, process {os.getpid()} on here, since 2024-01-01T00:00:00Z; waited 0.3 s. "
        "Wait longer with --wait SECONDS."
    )
    with second.lock.hold(claim(0)):
        pass


def test_lock_is_free_after_a_failure(engine):
    with pytest.raises(RuntimeError), engine.lock.hold(claim(0)):
        raise RuntimeError
    with engine.lock.hold(claim(0)):
        pass


def test_lock_that_cannot_be_made(open_at, tmp_path):
    (tmp_path / "x.duckdb.lock").mkdir()
    engine = open_at("x.duckdb")
    with pytest.raises(EngineError, match=r"lock file of x\.duckdb") as caught, engine.lock.hold(claim(0)):
        pass
    assert kind_of(caught) is ErrorKind.UNREACHABLE


def test_engine_on_a_users_connection_leaves_it_open(tmp_path):
    with duckdb.connect(str(tmp_path / "x.duckdb")) as own:
        engine = engine_on(own)
        engine.session.execute("create table t as select 1 as a")
        engine.session.close()
        assert own.execute("select a from t").fetchall() == [(1,)]
        assert engine.keeps


def test_query_that_is_executed_is_worked_out_to_its_last_row(engine):
    with pytest.raises(EngineError, match="the last one"):
        engine.session.execute("select case when range = 99999 then error('the last one') end from range(100000)")


def test_query_that_is_executed_is_not_kept_in_memory(engine):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine.session.execute("select range as n, 'a text, not a number: ' || range as t from range(2000000)")
    # In KB: all rows at once would take half a gigabyte.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("select 1 as a, 2 as A", (1, "A")),
        ("select 1 as a,\n  2 as b,\n  3 as a", (3, "a")),
        ('select 1 as "a b", 2 as "a b"', (1, 'a b"')),
        ("with q as (select 1 as b) select a, a from old, q", None),
        ("select * from old as x cross join old as y", None),
        ("select count(*), count(*) from old", None),
        ("from old as x cross join old as y", None),
        ("from old select a, a", None),
        ("with q as (from old) from q join old on true", None),
        ("select x.a, y.a from old as x, old as y", None),
        ("select a one, b one from old", None),
        ("select a: 1, a: 2", None),
        ('select a, b as "A" from old', None),
        ("select a, (a) from old", None),
        ("select a, #1 from old", None),
        ("select b -- the first\n, b -- the second\nfrom old", None),
        ("select a, unnest({'a': 1}, recursive := true) from old", None),
        ("select old.*, a from old", None),
        ("select columns('a'), a from old", None),
        ("select sum(a), sum(a) from old group by b", None),
        ("select 1, 1", None),
    ],
)
@pytest.mark.parametrize("kind", ["table", "view"])
def test_two_columns_of_one_name_are_refused(engine, query, place, kind):
    engine.session.execute("create table old as select 1 as a, 2 as b")
    engine.session.begin()
    statement = f"create {kind} t as {query}"
    with pytest.raises(EngineError, match="Two columns of the query have the name") as caught:
        engine.session.execute(statement)
    engine.session.rollback()
    line, column = caught.value.line, caught.value.column
    assert place == ((line, statement.splitlines()[line - 1][column - 1 :]) if line else None)
    assert "t" not in engine.catalog.relations()


@pytest.mark.parametrize(
    "sql",
    [
        "create table t as select 1 as a, 2 as a_1, 3 as b, 4 as a_x",
        'create or replace table main."T 2" as select 1 as x, 2 as "x_1"',
        "create table t (a int default cast('1' as int), a_1 int)",
        "create table t as select x.*, y.a as a_1 from old as x, old as y",
        "create temporary table t as select 1 as a, 2 as a_1",
        "create table t as pivot old on a using count(*)",
        "create table t as summarize old",
    ],
)
def test_names_that_only_look_numbered_are_kept(engine, sql):
    engine.session.execute("create table old as select 1 as a, 2 as b")
    engine.session.execute(sql)


def test_looking_at_names_runs_nothing(engine):
    engine.session.execute("create sequence counter")
    engine.session.execute("create table t as select nextval('counter') as n, 1 as a, 2 as a_1")
    assert engine.session.query("select nextval('counter')").rows == [(2,)]
