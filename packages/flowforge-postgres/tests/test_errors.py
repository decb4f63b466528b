"""Each kind of error, provoked for real where a server can be made to give it."""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import postgres_server
import psycopg
import pytest

from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_postgres.engine import open_engine
from flowforge_postgres.errors import kind_of
from flowforge_postgres.run_lock import RunLock
from flowforge_postgres.settings import PostgresProfile
from flowforge_testkit.conformance.ground import build, fails, forked, rows, transaction
from flowforge_testkit.fakes import claim

SECRET = "p%40ss%2Fw:ord'\"{{ x }}"


def opened(dsn, root=Path(), **settings):
    profile = {"engine": "postgres", "postgres": {"dsn": dsn, "connect_timeout": 2, **settings}}
    return open_engine(PostgresProfile.model_validate(profile), root, claim())


def wait_for(rows, asked):
    """Ask the server until it answers with these rows."""
    for _ in range(200):
        if asked() == rows:
            return
        time.sleep(0.05)
    pytest.fail(f"it still answers {asked()}")


def end_session(engine, admin):
    """End a session's server process, and have the session find that out."""
    admin(f"select pg_terminate_backend({rows(engine, 'select pg_backend_pid()')[0][0]})")
    with fails(ErrorKind.TRANSIENT):
        engine.session.query("select 1")


STATEMENTS = {
    "select a from ff_t where a = 'x'::int": ErrorKind.DATA,
    "select 1 / (a - a) from ff_t": ErrorKind.DATA,
    "insert into ff_t values (null)": ErrorKind.DATA,
    "select 2147483647::int + a::int from ff_t": ErrorKind.DATA,
    "select nosuch(a) from ff_t": ErrorKind.SYNTAX,
    "select a + true from ff_t": ErrorKind.SYNTAX,
    "select a from nosuch.ff_t": ErrorKind.MISSING_RELATION,
    "create table nosuch.ff_u as select 1": ErrorKind.MISSING_RELATION,
    "create table ff_t as select 1": ErrorKind.CONFLICT,
    "lock table ff_t nowait": ErrorKind.UNKNOWN,
}


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS.items())
def test_statement_fails_by_its_kind(engine, sql, kind):
    build(engine, "ff_t", "select 1 as a")
    engine.session.execute("alter table ff_t alter a set not null")
    with fails(kind):
        engine.session.execute(sql)
    engine.session.rollback()


def test_error_points_to_the_character(engine):
    build(engine, "ff_t", "select 1 as aged")
    with pytest.raises(EngineError) as caught:
        engine.session.query("select '🦆 100% :x', 1 as one,\n       agd\nfrom ff_t")
    error = caught.value
    assert (error.kind, error.line, error.column) == (ErrorKind.MISSING_COLUMN, 2, 8)
    assert "ff_t.aged" in error.hint


def test_signs_of_parameters_mean_nothing(engine):
    build(engine, "ff_t", "select '100%' as a, ':x %s %(y)s {z} ?' as b, 7 % 4 as c")
    assert rows(engine, "select a, b, c from ff_t where a like '%\\%'") == [("100%", ":x %s %(y)s {z} ?", 3)]


def test_lost_right_is_told(engine, admin, dsn):
    build(engine, "ff_t", "select 1 as a")
    admin("do $$ begin if to_regrole('ff_guest') is null then create role ff_guest login; end if; end $$")
    guest = opened(dsn.replace("postgres:@", "ff_guest@"))
    with fails(ErrorKind.PERMISSION):
        guest.session.query("select a from ff_t")
    guest.session.close()


def test_nobody_listens():
    with pytest.raises(EngineError) as caught:
        opened(f"postgresql://ann:{SECRET.partition(chr(39))[0]}@127.0.0.1:1/db").session.query("select 1")
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert "p@ss" not in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_database_is_missing(dsn):
    with fails(ErrorKind.UNREACHABLE):
        opened(dsn.replace("/ff_", "/nosuch_")).session.query("select 1")


def test_user_is_missing(dsn):
    with fails(ErrorKind.CREDENTIALS):
        opened(dsn.replace("postgres:@", "nosuch:p%40ss@")).session.query("select 1")


def test_password_is_wrong(dsn, admin):
    """The server asks for passwords for the time of this test, which is alone on it."""
    admin(
        "do $$ begin if to_regrole('ff_known') is null then create role ff_known login password 'right'; end if; end $$"
    )
    file = postgres_server.server().pgdata / "pg_hba.conf"
    before = file.read_text()
    file.write_text("local all ff_known scram-sha-256\n" + before)
    admin("select pg_reload_conf()")
    time.sleep(0.2)
    try:
        right = opened(dsn.replace("postgres:@", "ff_known:right@"))
        assert rows(right, "select 1") == [(1,)]
        right.session.close()
        for password in ("wr%40ng", ""):
            with pytest.raises(EngineError) as caught:
                opened(dsn.replace("postgres:@", f"ff_known:{password}@")).session.query("select 1")
            assert caught.value.kind is ErrorKind.CREDENTIALS, caught.value
            assert "wr@ng" not in str(caught.value)
    finally:
        file.write_text(before)
        admin("select pg_reload_conf()")


@pytest.mark.parametrize("dsn", ["", "mysql://u:p@ss/db", "host=localhost password=p@ss", "postgresql:/u:p@ss"])
def test_dsn_of_another_kind_is_refused_without_showing_it(dsn):
    with pytest.raises(ValueError, match="begins with postgresql") as caught:
        PostgresProfile.model_validate({"engine": "postgres", "postgres": {"dsn": dsn}})
    assert "p@ss" not in str(caught.value)


@pytest.mark.parametrize("dsn", ["postgresql://u:hunter22@h:port/db", "postgresql://h:hunter22:1x/db"])
def test_unreadable_dsn_is_refused_without_showing_it(dsn):
    with pytest.raises(FlowForgeError) as caught:
        opened(dsn).session.query("select 1")
    assert caught.value.__cause__ is None
    assert "hunter22" not in str(caught.value)


def test_password_is_never_shown(dsn):
    secret = dsn.replace("postgres:@", "postgres:hunter22@")
    profile = PostgresProfile.model_validate({"engine": "postgres", "postgres": {"dsn": secret}})
    engine = open_engine(profile, Path(), claim())
    assert rows(engine, "select 1") == [(1,)]
    for shown in (repr(profile), str(profile), profile.model_dump_json(), repr(engine), engine.target):
        assert "hunter22" not in shown
    engine.session.close()


def test_statement_timeout_is_no_cancellation_of_ours_and_names_the_setting(dsn):
    engine = opened(dsn, statement_timeout=0.1)
    with pytest.raises(EngineError) as caught:
        engine.session.query("select pg_sleep(20)")
    assert caught.value.kind is ErrorKind.STOPPED
    assert "statement_timeout" in caught.value.hint
    engine.session.close()


LIMIT = "&options=-c%20statement_timeout%3D4321"


def test_the_statement_timeout_of_the_role_holds_where_the_profile_sets_none(dsn, admin):
    admin(
        "do $$ begin execute format('alter role current_user in database %I set statement_timeout = 4321',"
        " current_database()); end $$"
    )
    for settings, told in (({}, "4321ms"), ({"statement_timeout": 7}, "7s")):
        engine = opened(dsn, **settings)
        assert rows(engine, "show statement_timeout") == [(told,)]
        engine.session.close()


def test_the_statement_timeout_of_the_dsn_holds_before_that_of_the_profile(dsn):
    for settings in ({}, {"statement_timeout": 7}):
        engine = opened(dsn + LIMIT, **settings)
        assert rows(engine, "show statement_timeout") == [("4321ms",)]
        engine.session.close()


# What limits a statement, the statements that meet it, and what is told.
LIMITS = {
    "read only": ("default_transaction_read_only = on", "create table ff_t (a int)", ErrorKind.PERMISSION, "primary"),
    "temporary files": (
        "work_mem = 64; set temp_file_limit = 64",
        "select count(*) from (select a from generate_series(1, 300000) a order by a::text desc) s",
        ErrorKind.SPACE,
        "temp_file_limit",
    ),
    "idle": ("idle_in_transaction_session_timeout = 50", "select 1", ErrorKind.TRANSIENT, "Run again"),
    "a transaction": ("transaction_timeout = 200", "select pg_sleep(20)", ErrorKind.STOPPED, "transaction_timeout"),
}


@pytest.mark.parametrize(("limit", "sql", "kind", "told"), LIMITS.values(), ids=LIMITS)
def test_a_limit_of_the_server_is_told_with_its_fix(engine, admin, limit, sql, kind, told):
    if "transaction_timeout" in limit and engine.session.connection.info.server_version < 170000:
        pytest.skip("transaction_timeout came with PostgreSQL 17")
    engine.session.execute(f"set {limit}")
    engine.session.begin()
    with pytest.raises(EngineError) as caught:
        if kind is ErrorKind.TRANSIENT:
            engine.session.execute("select 1")
            here = f"select 1 from pg_stat_activity where pid = {engine.session.connection.info.backend_pid}"
            wait_for([], lambda: admin(here))
        engine.session.execute(sql)
    assert (caught.value.kind, told in caught.value.hint) == (kind, True), str(caught.value)
    engine.session.rollback()


def test_killed_backend_undoes_the_build_and_the_session_goes_on(engine, admin):
    build(engine, "ff_t", "select 1 as a")
    pid = rows(engine, "select pg_backend_pid()")[0][0]
    killer = threading.Timer(0.3, lambda: admin(f"select pg_terminate_backend({pid})"))
    killer.start()
    with fails(ErrorKind.TRANSIENT):
        build(engine, "ff_t", "select 2 as a, pg_sleep(20)::text")
    killer.join()
    assert rows(engine, "select a from ff_t") == [(1,)]
    build(engine, "ff_t", "select 3 as a")
    assert rows(engine, "select a from ff_t") == [(3,)]


def test_killed_backend_inside_a_transaction_is_not_replaced_silently(engine, admin):
    engine.session.begin()
    engine.session.execute("create table ff_t as select 1 as a")
    admin(f"select pg_terminate_backend({rows(engine, 'select pg_backend_pid()')[0][0]})")
    for _ in range(2):
        with fails(ErrorKind.TRANSIENT):
            engine.session.execute("insert into ff_t values (2)")
    engine.session.rollback()
    assert engine.catalog.relations() == {}


def test_lost_lock_is_taken_again_or_the_run_ends(engine, admin):
    second = engine.fork()
    with engine.lock.hold(claim(1)):
        end_session(engine, admin)
        assert rows(engine, "select 1") == [(1,)]
        with fails(ErrorKind.CONFLICT), second.lock.hold(claim(0.1)):
            pass
        end_session(engine, admin)
        with second.lock.hold(claim(1)), fails(ErrorKind.CONFLICT):
            engine.session.query("select 1")
    second.session.close()


def test_run_that_lost_the_session_of_its_lock_keeps_others_out_by_those_that_work_for_it(engine, dsn, admin):
    other = opened(dsn)
    with forked(engine) as worker, engine.lock.hold(claim(1, run="1f57")):
        worker.session.query("select 1")
        end_session(engine, admin)
        with pytest.raises(EngineError, match="in use by run 1f57, process"), other.lock.hold(claim(0)):
            pass
        assert rows(engine, "select 1") == [(1,)]
        end_session(engine, admin)
        end_session(worker, admin)
        with other.lock.hold(claim(1)):
            for session in (worker.session, engine.session) * 2:
                with fails(ErrorKind.CONFLICT):
                    session.query("select 1")
        assert rows(worker, "select 1") == [(1,)]
        with fails(ErrorKind.CONFLICT), other.lock.hold(claim(0)):
            pass
    with other.lock.hold(claim(0)):
        pass
    other.session.close()


def test_lock_names_its_holder(engine, dsn):
    other = opened(dsn)
    long = "a_name_that_is_longer_than_what_there_is_room_for"
    with other.lock.hold(claim(1, run="1f57")):
        other.session.label({"project": "shop", "model": long, "run": "1f57"})
        for working in (nullcontext(other), transaction(other)):
            with working, pytest.raises(EngineError) as caught, engine.lock.hold(claim(0)):
                pass
            assert f"in use by run 1f57, process {os.getpid()} on here; waited 0 s." in caught.value.message
    assert rows(other, "show application_name") == [("flowforge",)]
    other.session.close()


def test_lock_of_a_stranger_is_told_by_the_server(engine, dsn):
    key, _ = RunLock("public", "").keys
    with psycopg.connect(dsn, application_name="a script") as own:
        own.execute(f"select pg_advisory_lock({key})")
        stranger = f"in use by a script, server process {own.info.backend_pid}; waited"
        with pytest.raises(EngineError, match=stranger), engine.lock.hold(claim(0)):
            pass


def test_lock_of_one_schema_leaves_another_alone(engine, dsn):
    other = opened(dsn, db_schema="other")
    with engine.lock.hold(claim(1)), other.lock.hold(claim(0.1)):
        pass
    other.session.close()


def test_server_that_restarts_is_found_again(engine):
    build(engine, "ff_t", "select 1 as a")
    engine.session.begin()
    engine.session.execute("insert into ff_t values (2)")
    postgres_server.restart()
    with fails(ErrorKind.TRANSIENT):
        engine.session.execute("insert into ff_t values (3)")
    engine.session.rollback()
    assert rows(engine, "select a from ff_t") == [(1,)]


def test_serialization_failure_passes(engine):
    build(engine, "ff_t", "select 1 as a")
    second = engine.fork()
    for session in (engine.session, second.session):
        session.execute("begin isolation level serializable")
        session.query("select sum(a) from ff_t")
    second.session.execute("insert into ff_t values (2)")
    engine.session.execute("insert into ff_t values (3)")
    second.session.commit()
    with fails(ErrorKind.TRANSIENT):
        engine.session.commit()
    engine.session.rollback()
    second.session.close()


def test_failed_transaction_does_not_commit_in_silence(engine):
    engine.session.begin()
    engine.session.execute("create table ff_t as select 1 as a")
    with fails(ErrorKind.SYNTAX):
        engine.session.execute("selec")
    with fails(ErrorKind.CONFLICT):
        engine.session.commit()
    assert engine.catalog.relations() == {}


@pytest.mark.parametrize("sql", ["selec", "select 1 / 0", "select nosuch"])
def test_transaction_whose_first_statement_failed_is_still_one(engine, sql):
    engine.session.begin()
    with pytest.raises(EngineError):
        engine.session.execute(sql)
    with suppress(EngineError):
        engine.session.execute("create table ff_t as select 1 as a")
    engine.session.rollback()
    assert engine.catalog.relations() == {}


def test_place_is_right_in_the_first_statement_of_a_transaction(engine):
    engine.session.begin()
    with pytest.raises(EngineError) as caught:
        engine.session.execute("select 1 as one,\n  nosuch")
    assert (caught.value.line, caught.value.column) == (2, 3)
    engine.session.rollback()


def test_empty_transaction_is_nothing(engine):
    engine.session.begin()
    engine.session.commit()
    engine.session.begin()
    engine.session.rollback()
    assert rows(engine, "select 1") == [(1,)]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", ErrorKind.SPACE),
        ("53300", ErrorKind.TRANSIENT),
        ("57P04", ErrorKind.UNREACHABLE),
        ("40002", ErrorKind.DATA),
        ("28P01", ErrorKind.CREDENTIALS),
        ("XX000", ErrorKind.UNKNOWN),
        ("", ErrorKind.UNKNOWN),
    ],
)
def test_states_that_no_test_here_provokes(state, kind):
    assert kind_of(state) is kind


def test_application_name_is_told(engine, dsn):
    rows(engine, "select 1")
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select count(*) from pg_stat_activity where application_name = 'flowforge'")
        assert found.fetchone() == (1,)


def test_nothing_connects_before_it_is_needed_and_nothing_stays(dsn):
    count = (
        "select count(*) from pg_stat_activity where application_name = 'flowforge' and datname = current_database()"
    )
    engine = opened(dsn)
    assert postgres_server.run(count, dsn) == [(0,)]
    second = engine.fork()
    rows(engine, "select 1")
    rows(second, "select 1")
    assert postgres_server.run(count, dsn) == [(2,)]
    second.session.close()
    engine.session.close()
    wait_for([(0,)], lambda: postgres_server.run(count, dsn))


def test_labels_tell_the_server_what_runs(engine):
    engine.session.label({"project": "shop", "run": "4f2a", "model": "o'brien"})
    engine.session.begin()
    assert engine.session.query("show application_name").rows == [("flowforge shop o'brien 4f2a",)]
    engine.session.commit()
    assert engine.session.query("show application_name").rows == [("flowforge",)]
