"""What passes, provoked on a real server: the model is built all the same, and never twice."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import postgres_server
import psycopg
import pytest

from flowforge_app.attempts import Patience
from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.run_models import RunModels
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_postgres.engine import open_engine
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.conformance.ground import build, fails, rows
from flowforge_testkit.fakes import Clock, Pauses, Recorder, claim, memory_project

PATIENCE = 20
SLOW_AT_FIRST = "select pg_sleep(case when nextval('calls') = 2 then 60 else 0 end)::text as a"


@pytest.fixture
def calls(admin):
    """A sequence that counts, whatever is rolled back, how often a model's statement was run."""
    admin("create sequence calls")
    admin("select nextval('calls')")
    return lambda: admin("select last_value from calls")[0][0]


def run(engine, models, patience=None, jobs=1, clock=None):
    project = memory_project(models)
    manifest = project.reader.manifest()
    compiler = CompileModels(manifest, project.renderer, engine.dialect, {"engine": engine.name}, {})
    built = BuildModel(manifest, engine, compiler, project.reader, project.functions)
    patience = patience or Pauses().patience()
    return RunModels(
        manifest, engine, built, Recorder(), clock or Clock(), claim(run=uuid4().hex), jobs, patience=patience
    )()


def name_of(dsn):
    return psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]


def in_background(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def await_statement(admin, like, waits="%"):
    """Wait until a statement of FlowForge is at work and, if asked, waits for that; return its server process."""
    ends = time.monotonic() + PATIENCE
    asked = (
        "select pid from pg_stat_activity where datname = current_database() and state = 'active' "
        f"and application_name like 'flowforge%' and query like '{like}' "
        f"and coalesce(wait_event_type, '') like '{waits}'"
    )
    while time.monotonic() < ends:
        if found := admin(asked):
            return found[0][0]
    pytest.fail(f"nothing like {like} runs")


def test_deadlock(engine, dsn, admin, calls):
    """The model locks `one` and waits for `two`; another session holds `two` and asks for `one`."""
    admin("create table one as select 1 as a")
    admin("create table two as select 2 as a")
    admin(
        "create function both_locked() returns int language plpgsql as $$ begin "
        "perform nextval('calls'); lock table one; lock table two; return 1; end $$"
    )
    # The one that waits longest for the check is the model, so it is the model that is given up.
    admin(f"alter database {name_of(dsn)} set deadlock_timeout = '200ms'")
    with psycopg.connect(dsn, options="-c deadlock_timeout=60s") as other:
        other.execute("lock table two")

        def cross():
            await_statement(admin, "%both_locked%", "Lock")
            other.execute("lock table one")
            other.commit()

        crossing = in_background(cross)
        report = run(engine, {"ff_t": "select both_locked() as a"})
        crossing.join()
    assert (report.ok, report.retries) == (True, 1)
    assert calls() == 3
    assert rows(engine, "select a from ff_t") == [(1,)]


def test_serialization_failure(engine, dsn, admin, calls):
    """The model updates what another session has updated since the model's snapshot was taken."""
    admin("create table counted as select 1 as a")
    admin(
        "create function counted() returns int language plpgsql as $$ declare found int; begin "
        "perform nextval('calls'); perform pg_advisory_xact_lock(77); "
        "update counted set a = a + 1 returning a into found; return found; end $$"
    )
    with psycopg.connect(dsn) as other:
        other.execute("select pg_advisory_xact_lock(77)")

        def change():
            await_statement(admin, "%counted()%", "Lock")
            other.execute("update counted set a = 10")
            other.commit()

        engine.session.execute("set default_transaction_isolation = 'repeatable read'")
        changing = in_background(change)
        report = run(engine, {"ff_t": "select counted() as a"})
        changing.join()
    assert (report.ok, report.retries) == (True, 1)
    assert calls() == 3
    assert rows(engine, "select a from ff_t") == [(11,)]


def test_two_sessions_that_change_the_catalog_at_once_collide(engine, dsn):
    build(engine, "ff_t", "select 1 as a")
    with psycopg.connect(dsn) as other:
        other.execute("grant select on ff_t to public")

        def second():
            with fails(ErrorKind.TRANSIENT):
                engine.session.execute("grant insert on ff_t to public")
            done.append(True)

        done = []
        granting = in_background(second)
        await_statement(lambda sql: postgres_server.run(sql, dsn), "%grant insert%", "Lock")
        other.commit()
        granting.join()
    assert done


@pytest.mark.parametrize("jobs", [1, 2])
def test_terminated_backend(engine, admin, calls, jobs):
    """Of the connection that holds the lock, and of one that does not."""
    killing = in_background(
        lambda: admin(f"select pg_terminate_backend({await_statement(admin, '%pg_sleep%', 'Timeout')})")
    )
    report = run(engine, {"ff_t": SLOW_AT_FIRST, "ff_u": "select 1 as a"}, jobs=jobs)
    killing.join()
    assert report.ok, [result.error for result in report.results]
    assert [result.retries for result in report.results] == [1, 0]
    assert calls() == 3
    assert rows(engine, "select count(*) from _flowforge_state where relation <> '*'") == [(2,)]


@pytest.mark.usefixtures("calls")
def test_server_that_restarts(engine, dsn, admin):
    # The tests' server is set to forget its last half second in a crash.
    admin(f"alter database {name_of(dsn)} set synchronous_commit = on")

    def restart():
        await_statement(admin, "%pg_sleep%", "Timeout")
        postgres_server.restart("immediate")

    restarting = in_background(restart)
    # With real pauses: the server takes a while.
    report = run(engine, {"ff_t": SLOW_AT_FIRST}, Patience())
    restarting.join()
    assert report.ok, [result.error for result in report.results]
    assert report.retries >= 1
    assert rows(engine, "select count(*) from ff_t") == [(1,)]


def test_too_many_connections(dsn, admin):
    admin(
        "do $$ begin if to_regrole('ff_one') is null then create role ff_one login connection limit 1; end if; end $$"
    )
    admin("grant create on schema public to ff_one")
    guest = dsn.replace("postgres:@", "ff_one@")
    with psycopg.connect(guest):
        engine = opened(guest)
        with fails(ErrorKind.TRANSIENT):
            engine.session.query("select 1")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with suppress(EngineError):
            assert rows(engine, "select 1") == [(1,)]
            engine.session.close()
            return
    pytest.fail("still too many")


@pytest.mark.parametrize("delivered", [True, False], ids=["made", "never-sent"])
def test_commit_whose_answer_is_lost(dsn, admin, calls, delivered):
    """Whether the commit was made is asked of the state row; a process that still waits for it is ended first."""
    with cutting(dsn, delivered) as (through, cut):
        engine, models, clock = opened(through), {"ff_t": "select nextval('calls') as a"}, Clock()
        assert run(engine, models, clock=clock).ok
        cut.set()
        report = run(engine, models, clock=clock)
        assert report.ok, report.results[0].error
        assert report.retries == 1
        assert calls() == (3 if delivered else 4)
        assert rows(engine, "select a from ff_t") == [(calls(),)]
        assert rows(engine, "select count(*) from _flowforge_state where relation <> '*'") == [(1,)]
        assert admin("select count(*) from pg_stat_activity where state like 'idle in transaction%'") == [(0,)]
        engine.session.close()


def opened(dsn):
    profile = {"engine": "postgres", "postgres": {"dsn": dsn, "connect_timeout": 5}}
    return open_engine(PostgresProfile.model_validate(profile), Path(), claim())


@contextmanager
def cutting(dsn, delivered):
    """Give a dsn through a proxy that, once the event is set, cuts the client off at its next commit.

    `delivered` says whether the server still gets the commit; if not, its side of the connection stays open.
    """
    folder = Path(dsn.partition("host=")[2])
    (path,) = [file for file in folder.iterdir() if file.name.startswith(".s.PGSQL.") and file.suffix != ".lock"]
    cut, left = threading.Event(), []
    with socket.create_server(("localhost", 0)) as listener:

        def accept():
            with suppress(OSError):
                while True:
                    client = listener.accept()[0]
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(str(path))
                    left.append(server)
                    threading.Thread(target=relay, args=(client, server), daemon=True).start()

        def relay(client, server):
            # One that is closed meanwhile is a ValueError to `select`.
            with suppress(OSError, ValueError), client:
                while True:
                    for source in select.select([client, server], [], [])[0]:
                        data = source.recv(1 << 16)
                        if not data:
                            return
                        if source is client and cut.is_set() and b"commit\0" in data:
                            cut.clear()
                            if delivered:
                                server.sendall(data)
                                server.recv(1 << 16)
                            return
                        (server if source is client else client).sendall(data)

        threading.Thread(target=accept, daemon=True).start()
        where = f"@localhost:{listener.getsockname()[1]}/"
        yield f"{dsn.partition('?')[0].replace('@/', where)}?sslmode=disable", cut
        listener.shutdown(socket.SHUT_RDWR)
    for server in left:
        server.close()
