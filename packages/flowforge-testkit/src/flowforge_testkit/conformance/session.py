"""Sessions: what statements return, what transactions keep, how a statement is cancelled."""

from __future__ import annotations

import os
import re
from concurrent.futures import Future, wait
from threading import Event
from time import monotonic

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind, FlowForgeError
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.beside import Beside
from flowforge_testkit.conformance.ground import build, claims, count, existing, fails, forked, rows, transaction
from flowforge_testkit.fakes import claim

_SOON = 5.0
_THOUSAND = "select a.n + 10 * b.n + 100 * c.n + 1 as n from ff_digits a, ff_digits b, ff_digits c"
# Products of every number with every other, compared: hours of work over a thousand rows, and no shortcut to it.
_ENDLESS = """
select count(*) from ff_numbers a, ff_numbers b, ff_numbers c, ff_numbers d
where a.n * b.n < c.n * d.n + a.n * d.n
"""


def test_execute_tells_how_many_rows_it_wrote_or_none(engine: Engine) -> None:
    assert build(engine, "ff_t", "select 1 as a union all select 2 union all select 3") in {3, None}
    assert engine.session.execute("insert into ff_t select a + 10 from ff_t") in {3, None}
    assert count(engine, "ff_t") == 6


def test_query_returns_columns_and_rows(engine: Engine) -> None:
    found = engine.session.query("select 1 as a, 'x' as b, case when 1 = 0 then 'y' end as c")
    assert (found.columns, found.rows) == (("a", "b", "c"), [(1, "x", None)])


def test_query_without_rows_keeps_its_columns(engine: Engine) -> None:
    found = engine.session.query("select a, b from (select 1 as a, 2 as b) as t where a = 0")
    assert (found.columns, found.rows) == (("a", "b"), [])


def test_server_tells_its_version_in_one_text(engine: Engine) -> None:
    if not engine.dialect.version:
        pytest.xfail(f"not claimed by {engine.name}: the server's version")
    [[told]] = engine.session.query(engine.dialect.version).rows
    assert isinstance(told, str)
    assert re.search(r"\d", told)
    assert "\n" not in told


def test_commit_keeps_the_work(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    engine.session.begin()
    engine.session.execute("insert into ff_t select 2")
    engine.session.commit()
    engine.session.rollback()
    assert rows(engine, "select a from ff_t") == [(1,), (2,)]


def test_labels_change_nothing_whatever_they_hold(engine: Engine) -> None:
    engine.session.label({"project": "it's; drop table ff_t; --", "run": "r\n1", "model": "é" * 300})
    build(engine, "ff_t", "select 1 as a")
    with transaction(engine):
        engine.session.execute("insert into ff_t select 2")
    engine.session.label({})
    assert rows(engine, "select a from ff_t") == [(1,), (2,)]


@claims(Capability.TRANSACTIONAL_STATE)
def test_rollback_undoes_rows_and_tables(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    before = kinds(engine.catalog.relations())
    engine.session.begin()
    engine.session.execute("insert into ff_t select 2")
    engine.session.execute("create table ff_new as select 1 as a")
    engine.session.rollback()
    assert rows(engine, "select a from ff_t") == [(1,)]
    assert kinds(engine.catalog.relations()) == before


def test_rollback_without_a_transaction_does_nothing(engine: Engine) -> None:
    engine.session.rollback()
    engine.session.rollback()
    assert rows(engine, "select 1 as a") == [(1,)]


def test_session_goes_on_after_a_failed_statement(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    with pytest.raises(EngineError), transaction(engine):
        engine.session.execute("insert into ff_t select nothing from ff_nowhere")
    with transaction(engine):
        engine.session.execute("insert into ff_t select 2")
    assert rows(engine, "select a from ff_t") == [(1,), (2,)]


def test_close_twice_is_allowed(engine: Engine) -> None:
    engine.session.close()
    engine.session.close()


def test_closed_session_fails_as_ours(engine: Engine) -> None:
    engine.session.close()
    with pytest.raises(FlowForgeError):
        engine.session.query("select 1 as a")


@pytest.mark.parametrize("statement", ["query", "build"])
def test_interrupt_cancels_the_running_statement(engine: Engine, beside: Beside, statement: str) -> None:
    build(engine, "ff_digits", " union all ".join(f"select {digit} as n" for digit in range(10)))
    build(engine, "ff_numbers", _THOUSAND)
    running = beside.start(_run_into, engine, statement)
    given_up = Event()
    asked = beside.start(_interrupt, engine, running, given_up)
    wait([asked], timeout=beside.within)
    given_up.set()
    if asked.done():
        asked.result()
    if not beside.ended:
        pytest.fail(f"Session.interrupt() did not end the statement within {beside.within:g} s. It is left to itself.")
    with fails(ErrorKind.CANCELLED):
        running.result()
    engine.session.rollback()
    assert rows(engine, "select 1 as a") == [(1,)]
    assert existing(engine, "ff_t") is None


@claims(Capability.CONCURRENT_SESSIONS, Capability.TRANSACTIONAL_STATE)
def test_second_session_sees_committed_work_only(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    with forked(engine) as second:
        engine.session.begin()
        engine.session.execute("insert into ff_t select 2")
        assert rows(second, "select a from ff_t") == [(1,)]
        engine.session.commit()
        assert rows(second, "select a from ff_t") == [(1,), (2,)]


@claims(Capability.CONCURRENT_SESSIONS)
def test_closing_a_second_session_leaves_the_first_open(engine: Engine) -> None:
    build(engine, "ff_t", "select 1 as a")
    with forked(engine) as second:
        assert count(second, "ff_t") == 1
    assert count(engine, "ff_t") == 1


@claims(Capability.CONCURRENT_SESSIONS)
def test_lock_keeps_a_second_writer_out_and_names_the_first(engine: Engine) -> None:
    first = claim(wait=1.0, run="1f57")
    with forked(engine) as second:
        started = monotonic()
        with engine.lock.hold(first), pytest.raises(EngineError) as caught, second.lock.hold(claim(wait=0.1)):
            pytest.fail("two writers hold the lock at once")
        assert monotonic() - started < _SOON
        assert caught.value.kind is ErrorKind.CONFLICT
        assert "\n" not in caught.value.message
        assert f"run 1f57, process {os.getpid()} on here" in caught.value.message
        with second.lock.hold(claim(wait=1.0)):
            pass


@claims(Capability.CONCURRENT_SESSIONS)
def test_lock_is_free_after_a_failure(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), engine.lock.hold(claim(wait=1.0)):
        raise ZeroDivisionError
    with engine.lock.hold(claim(wait=1.0)):
        pass


def _run_into(engine: Engine, statement: str) -> None:
    if statement == "query":
        engine.session.query(_ENDLESS)
    else:
        build(engine, "ff_t", _ENDLESS.replace("count(*)", "count(*) as a"))


def _interrupt(engine: Engine, running: Future[object], given_up: Event) -> None:
    """Ask until it has ended: an interrupt that comes before the statement has begun cancels nothing."""
    while not wait([running], timeout=0.1).done and not given_up.is_set():
        engine.session.interrupt()
