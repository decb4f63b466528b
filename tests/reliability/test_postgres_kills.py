"""`kill -9` of a run on PostgreSQL at random points: no table is torn, lost or left over."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress

import pytest
from warm import Command, WarmFlowForge

from counts import KILLS

SEED = 20261123
ROWS = 20_000
# Every row carries the number of the run that wrote it, of the source's build or of its own.
MODELS = {
    "a.ff.sql": f"select build, n as id from build, generate_series(1, {ROWS}) n",
    "b.ff.sql": "select (select build from build) as build, id from {{ ref('a') }}",
    "c.ff.sql": "create or replace table c as select (select build from build) as build, id from {{ ref('a') }}",
    "d.ff.sql": "create view d as select b.build, id from {{ ref('b') }} b join {{ ref('c') }} using (id)",
    "e.ff.py": """
from flowforge import model


@model(deps=["b", "c"])
def e(frames):
    return frames["b"].merge(frames["c"][["id"]], on="id")
""",
    "f.ff.sql": "select (select build from build) as build, id from {{ ref('e') }}",
}
RELATIONS = "abcdef"


@pytest.fixture(scope="module")
def flowforge():
    with WarmFlowForge() as warm:
        yield warm


def test_a_run_that_is_killed_leaves_every_table_whole(flowforge, shop, record_property):
    record_property("seed", SEED)
    record_property("trials", KILLS)
    rng = random.Random(SEED)
    shop.sql("create table build as select 0 as build")
    shop.write(MODELS)
    shop.run("run")
    run = [Command(["run"], shop.root, {"FF_PG_DSN": shop.dsn})]
    took = length_of_a_run(flowforge, shop, run)
    standing = {name: {1} for name in RELATIONS}
    in_flight = 0
    for point in range(1, KILLS + 1):
        number, delay = point + 1, rng.uniform(0, took)
        shop.sql(f"update build set build = {number}")
        started = flowforge.start(run)
        shop.await_backend()
        time.sleep(delay)
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGKILL)
        (ended,) = flowforge.ended(started)
        assert ended.code in (0, -signal.SIGKILL), ended.said
        if ended.code:
            in_flight += 1
        else:
            # The first run was slow, as on a busy machine.
            took *= 0.7
        print(f"seed {SEED}, point {point}: killed after {delay:.3f} s of {took:.3f}")
        await_nobody(shop)
        standing = {name: whole(shop, name, builds | {number}) for name, builds in standing.items()}
        assert shop.helpers() == []
    assert in_flight >= 0.6 * KILLS
    shop.sql("update build set build = 1000")
    shop.run("run")
    for name in RELATIONS:
        whole(shop, name, {1000})
    assert shop.helpers() == []


def length_of_a_run(flowforge, shop, run):
    """Return the seconds from a run's first statement to its end, without a kill."""
    shop.sql("update build set build = 1")
    started = flowforge.start(run)
    shop.await_backend()
    began = time.monotonic()
    (ended,) = flowforge.ended(started)
    assert ended.code == 0, ended.said
    return time.monotonic() - began


def await_nobody(shop):
    """Wait until the server has noticed that its client is gone."""
    asked = "select pid from pg_stat_activity where datname = current_database() and application_name like 'flowforge%'"
    deadline = time.monotonic() + 10
    while shop.sql(asked):
        assert time.monotonic() < deadline


def whole(shop, name, builds):
    """Assert that a relation is one version, complete, and none of the future; return which."""
    ((count, distinct, first, last),) = shop.sql(
        f"select count(*), count(distinct id), min(build), max(build) from {name}"
    )
    assert (count, distinct) == (ROWS, ROWS), name
    assert first == last, name
    assert first in builds, (name, first, builds)
    return {first}


def test_a_dead_run_is_noticed_while_its_statement_runs(shop):
    shop.write({"slow.ff.sql": "select 1 as a, pg_sleep(60)::text as b"})
    process = shop.start("run")
    shop.await_backend("%pg_sleep%")
    process.kill()
    process.communicate()
    shop.write({"slow.ff.sql": "select 1 as a"})
    started = time.monotonic()
    shop.run("run")
    assert shop.sql("select a from slow") == [(1,)]
    assert time.monotonic() - started < 30
    assert shop.helpers() == []
