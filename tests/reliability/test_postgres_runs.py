"""Runs on PostgreSQL that meet each other, or lose the server."""

from __future__ import annotations

import time

import postgres_server
import pytest

AT_ONCE = 8
MODELS = {f"m{i}.ff.sql": f"select {i} as n, g as id from generate_series(1, 500) g" for i in range(6)}
MODELS["total.ff.sql"] = (
    "select sum(n) as n from (select n from {{ ref('m1') }} union all select n from {{ ref('m5') }}) t"
)
DIGEST = "select 'total', n::text from total " + "".join(
    f"union all select 'm{i}', md5(string_agg(n || ' ' || id, ',' order by id)) from m{i} " for i in range(6)
)

AWAIT_GO = """
create function await_go() returns int language plpgsql volatile as
$$ begin while not exists (select from go) loop perform pg_sleep(0.05); end loop; return 1; end $$
"""
WAITING = """
import time
from pathlib import Path
import pandas as pd
from flowforge import model

@model(name="held")
def held():
    ends = time.monotonic() + 60
    while not Path({go!r}).exists() and time.monotonic() < ends:
        time.sleep(0.01)
    return pd.DataFrame({{"a": [1]}})
"""


def test_runs_and_seeds_at_the_same_time_wait_or_are_told_who_runs(shop, record_property):
    record_property("trials", AT_ONCE)
    shop.write(MODELS)
    (shop.root / "seeds").mkdir()
    rows = "".join(f"{i}\n" for i in range(500))
    (shop.root / "seeds" / "numbers.csv").write_text(f"n\n{rows}", encoding="utf-8")
    shop.run("seed")
    shop.run("run")
    alone = sorted(shop.sql(DIGEST))
    commands = [["seed"] if number % 4 == 0 else ["run", "--no-cache"] for number in range(AT_ONCE)]
    processes = [(shop.start_warm if number % 4 else shop.start)(*command) for number, command in enumerate(commands)]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert "Traceback" not in said
        assert process.returncode in (0, 1), said
        if process.returncode == 1:
            assert "is in use by run " in said
    assert any(process.returncode == 0 for process in processes)
    assert sorted(shop.sql(DIGEST)) == alone
    assert shop.helpers() == []
    # One state row a model, and none of a run that was sent away.
    assert shop.sql("select count(*), count(distinct relation) from _flowforge_state where relation <> '*'") == [(8, 8)]
    assert shop.sql("select count(*), count(distinct n) from numbers") == [(500, 500)]


def test_a_run_beside_a_long_one_is_told_who_runs(shop):
    (shop.root / "project.yml").write_text("name: shop\nretries: {attempts: 1}\n", encoding="utf-8")
    shop.write({"slow.ff.sql": "select 1 as a, pg_sleep(60)::text as b"})
    long = shop.start("run")
    pid = shop.await_sleeper()
    said = shop.run("run", code=1)
    assert f", process {long.pid} on " in said
    shop.sql(f"select pg_terminate_backend({pid})")
    shop.ended(long, 1)


def test_a_backend_that_is_terminated_costs_its_model_one_retry(shop):
    shop.write({"old.ff.sql": "select 1 as a", "other.ff.sql": "select 1 as a"})
    shop.run("run")
    shop.write({"old.ff.sql": slow_at_first(shop, 2), "other.ff.sql": "select 2 as a"})
    process = shop.start_warm("run")
    shop.sql(f"select pg_terminate_backend({shop.await_sleeper()})")
    said = shop.ended(process)
    assert said.count("terminating connection due to administrator command") == 1, said
    assert "↻ 1 retry" in said
    assert shop.sql("select a from old") == [(2,)]
    assert shop.sql("select a from other") == [(2,)]
    assert shop.helpers() == []


def test_a_backend_that_is_terminated_fails_its_model_alone_where_nothing_is_tried_again(shop):
    (shop.root / "project.yml").write_text("name: shop\nretries: {attempts: 1}\n", encoding="utf-8")
    shop.write({"old.ff.sql": "select 1 as a", "other.ff.sql": "select 1 as a"})
    shop.run("run")
    shop.write({"old.ff.sql": "select 2 as a, pg_sleep(60)::text as b", "other.ff.sql": "select 2 as a"})
    process = shop.start_warm("run")
    shop.sql(f"select pg_terminate_backend({shop.await_sleeper()})")
    said = shop.ended(process, 1)
    assert said.count("terminating connection due to administrator command") == 1, said
    assert shop.sql("select a from old") == [(1,)]
    assert shop.sql("select a from other") == [(2,)]
    assert shop.helpers() == []


@pytest.mark.parametrize("when", ["amid Python", "with nothing to do"])
def test_a_run_whose_lock_session_is_ended_keeps_others_out_and_ends_well(shop, when):
    # The session that holds the lock builds `held`, and has nothing to do until `slow` is there.
    go = shop.root / "go"
    held = WAITING.format(go=str(go))
    shop.write({"held.ff.py": held, "slow.ff.sql": "select 1 as a, await_go()::text as b"})
    shop.sql("create table go ()")
    shop.sql(AWAIT_GO)
    process = shop.start("run", "--jobs", "2")
    sleeper = shop.await_sleeper()
    ((holder,),) = shop.sql("select pid from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock'")
    assert holder != sleeper
    if when == "with nothing to do":
        go.touch()
        shop.await_row("select 1 from pg_tables where tablename = 'held'")
    shop.sql(f"select pg_terminate_backend({holder}, 5000)")
    said = shop.run("run", "--wait", "0", code=1)
    assert f", process {process.pid} on " in said
    go.touch()
    shop.sql("insert into go default values")
    said = shop.ended(process)
    assert "✓ slow" in said
    assert "✓ held" in said
    # It came to its end, so that what it built is known to be what stands.
    (shop.root / "models" / "slow.ff.sql").unlink()
    assert "table slow, built by slow" in shop.run("clean")
    assert shop.sql("select to_regclass('slow'), a from held") == [(None, 1)]


def test_what_takes_the_place_of_what_a_killed_run_has_built_is_seen(shop):
    shop.write({"first.ff.sql": "select 1 as a", "slow.ff.sql": "select a, await_go() as b from {{ ref('first') }}"})
    shop.sql("create table go ()")
    shop.sql(AWAIT_GO)
    process = shop.start("run")
    shop.await_sleeper()
    process.kill()
    process.wait()
    shop.sql("drop table first")
    shop.sql("create table first as select 2 as a")
    shop.sql("insert into go default values")
    said = shop.run("run")
    assert "✓ first" in said
    assert shop.sql("select a, b from slow") == [(1, 1)]


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_restarts_during_a_run_delays_it(shop, how):
    # The tests' server is set to forget its last half second in a crash.
    ((database,),) = shop.sql("select current_database()")
    shop.sql(f"alter database {database} set synchronous_commit = on")
    shop.write({"old.ff.sql": "select 1 as a"})
    shop.run("run")
    shop.write({"old.ff.sql": slow_at_first(shop, 2)})
    process = shop.start_warm("run")
    shop.await_sleeper()
    postgres_server.restart(how)
    said = shop.ended(process)
    assert "↻ old" in said
    assert shop.sql("select a from old") == [(2,)]
    assert shop.helpers() == []


def test_a_server_that_does_not_come_back_ends_the_run_with_one_message(shop):
    (shop.root / "project.yml").write_text("name: shop\nretries: {attempts: 2, delay: 0.1}\n", encoding="utf-8")
    shop.write({"old.ff.sql": "select 1 as a"})
    shop.run("run")
    shop.write({"old.ff.sql": "select 2 as a, pg_sleep(60)::text as b"})
    process = shop.start_warm("run")
    shop.await_sleeper()
    with postgres_server.down("immediate"):
        said = shop.ended(process, 1)
    assert "Check host, port and database in the dsn" in said
    assert shop.sql("select a from old") == [(1,)]
    shop.write({"old.ff.sql": "select 3 as a"})
    shop.run("run")
    assert shop.sql("select a from old") == [(3,)]
    assert shop.helpers() == []


def test_a_server_that_is_down_is_one_line_and_found_again(shop):
    shop.write({"a.ff.sql": "select 1 as a"})
    with postgres_server.down():
        started = time.monotonic()
        said = shop.run("run", code=1)
        assert "Check host, port and database in the dsn" in said
        assert time.monotonic() - started < 30
    shop.run("run")
    assert shop.sql("select a from a") == [(1,)]


def slow_at_first(shop, value):
    """Return a model that sleeps for a minute when it is first built, and not again."""
    shop.sql("create sequence builds")
    # A crash takes back what a sequence gave last, unless the server has logged it ahead.
    shop.sql("select nextval('builds')")
    return f"select {value} as a, pg_sleep(case when nextval('builds') = 2 then 60 else 0 end)::text as b"
