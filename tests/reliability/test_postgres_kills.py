"""R1 on PostgreSQL: a run that is killed at random, or at any failpoint, leaves no table torn, lost or left over."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from itertools import islice

import pytest
from counts import KILLS, NIGHT
from kill_harness import ROWS as FEW
from kill_harness import Ground, Harness
from warm import Command

from flowforge_ports.failpoint import FILES, POINTS

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
        await_work(shop, started.pid)
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
        standing = whole(shop, {name: builds | {number} for name, builds in standing.items()})
        assert shop.helpers() == []
    assert in_flight >= 0.6 * KILLS
    shop.sql("update build set build = 1000")
    shop.run("run")
    whole(shop, {name: {1000} for name in RELATIONS})
    assert shop.helpers() == []


def length_of_a_run(flowforge, shop, run):
    """Return the seconds from a run's first statement to its end, without a kill."""
    shop.sql("update build set build = 1")
    started = flowforge.start(run)
    await_work(shop, started.pid)
    began = time.monotonic()
    (ended,) = flowforge.ended(started)
    assert ended.code == 0, ended.said
    return time.monotonic() - began


def await_work(shop, pid):
    """Wait until a process has the server work for it, or has ended: on a busy machine nobody may have seen it work."""
    asked = (
        "select pid from pg_stat_activity where datname = current_database() "
        "and application_name like 'flowforge%' and state = 'active'"
    )
    while not shop.sql(asked):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return


def await_nobody(shop):
    """Wait until the server has noticed that its client is gone."""
    asked = "select pid from pg_stat_activity where datname = current_database() and application_name like 'flowforge%'"
    deadline = time.monotonic() + 10
    while shop.sql(asked):
        assert time.monotonic() < deadline


def whole(shop, allowed):
    """Assert that each relation is one version, complete, and none of the future; return which, as sets of one."""
    facts = "select '{0}', count(*), count(distinct id), min(build), max(build) from {0}"
    found = shop.sql(" union all ".join(facts.format(name) for name in allowed))
    assert sorted(name for name, *_ in found) == sorted(allowed)
    for name, count, distinct, first, last in found:
        assert (count, distinct) == (ROWS, ROWS), name
        assert first == last, name
        assert first in allowed[name], (name, first, allowed[name])
    return {name: {first} for name, _, _, first, _ in found}


def test_a_dead_run_is_noticed_while_its_statement_runs(shop):
    shop.write({"slow.ff.sql": "select 1 as a, pg_sleep(60)::text as b"})
    process = shop.start("run")
    shop.await_sleeper()
    process.kill()
    process.communicate()
    shop.write({"slow.ff.sql": "select 1 as a"})
    started = time.monotonic()
    shop.run("run")
    assert shop.sql("select a from slow") == [(1,)]
    assert time.monotonic() - started < 30
    assert shop.helpers() == []


BUILD = "cast({{ env_var('BUILD') }} as integer) as build"
GROWING = "{{{{ config(materialized={}, unique_key='id'{}) }}}}\nselect build, id from {{{{ ref('a') }}}}"
# One of each way to write; `now` holds the rows of the snapshot that are valid.
EVERY_WAY = {
    "a.ff.sql": f"select {BUILD}, n::bigint as id from generate_series(0, {FEW - 1}) n",
    "v.ff.sql": "{{ config(materialized='view') }}\nselect build, id from {{ ref('a') }}",
    "merged.ff.sql": GROWING.format("'incremental'", ""),
    "replaced.ff.sql": GROWING.format("'incremental'", ", incremental_strategy='delete+insert'"),
    "kept.ff.sql": GROWING.format("'snapshot'", ", strategy='check', check_cols=['build']"),
    "now.ff.sql": "{{ config(materialized='view') }}\nselect build, id from {{ ref('kept') }} where valid_to is null",
    "p.ff.py": 'from flowforge import model\n@model(deps=["v"])\ndef p(df):\n    return df\n',
}
HISTORY = f"select count(*) % {FEW} = 0 and count(distinct (build, id)) = count(*) from kept"


@pytest.fixture
def harness(flowforge, shop, tmp_path, record_property):
    """Give a harness on a project with these models and seeds, whose tables are all of one build."""
    made = []

    def of(models=(), seeds=()):
        shop.write({name: EVERY_WAY[name] for name in models})
        (shop.root / "seeds").mkdir()

        def write_seeds(build):
            for name in seeds:
                rows = "".join(f"{build},{i}\n" for i in range(FEW))
                (shop.root / "seeds" / f"{name}.csv").write_text(f"build,id\n{rows}")

        tables = (*sorted({name.split(".")[0] for name in models} - {"kept"}), *seeds)
        invariants = (HISTORY,) if "kept.ff.sql" in models else ()
        shell = {"FF_PG_DSN": shop.dsn}
        ground = Ground(shop.root, "postgres", shop.sql, tables, shell, write_seeds, invariants)
        made.append(Harness(flowforge, ground, SEED, tmp_path / "trials.jsonl"))
        return made[-1]

    yield of
    record_property("seed", SEED)
    record_property("trials", sum(len(one.trials) for one in made))


def test_a_kill_between_any_two_side_effects_of_a_run_leaves_whole_tables(harness):
    killed = harness(models=EVERY_WAY)
    for _ in range(2):
        killed.whole_run("run --jobs 1")
    assert len(list(killed.strikes("run --jobs 1", "*", "kill", 1 if NIGHT else 11))) > 8
    killed.finish("run")


def test_a_kill_between_any_two_side_effects_of_seeds_leaves_all_or_none(harness):
    killed = harness(seeds=("s", "t"))
    killed.whole_run("seed")
    for trial in killed.strikes("seed", "*", "kill", 1 if NIGHT else 4):
        assert len(set(trial.builds.values())) == 1, trial
    assert len(killed.trials) > 3
    killed.finish("seed")


@pytest.mark.parametrize("action", ["raise", "enospc"])
def test_an_error_at_any_point_is_told_and_leaves_whole_tables(harness, action):
    killed = harness(models=EVERY_WAY if NIGHT else ("a.ff.sql", "merged.ff.sql"))
    for _ in range(2):
        killed.whole_run("run --jobs 1")
    for name in ["*"] if NIGHT else [point for point in POINTS if point not in FILES]:
        passings = killed.strikes("run --jobs 1", name, action)
        for trial in passings if NIGHT else islice(passings, 1):
            assert trial.code in (0, 1), trial
    assert len(killed.trials) > 4
    killed.finish("run --jobs 1")


@pytest.mark.parametrize("action", ["raise", "enospc"])
def test_an_error_at_any_point_of_seeds_is_told_and_leaves_all_or_none(harness, action):
    killed = harness(seeds=("s", "t"))
    killed.whole_run("seed")
    for name in ["*"] if NIGHT else ["seed", "done"]:
        passings = killed.strikes("seed", name, action)
        for trial in passings if NIGHT else islice(passings, 1):
            assert trial.code in (0, 1), trial
            assert len(set(trial.builds.values())) == 1, trial
    assert len(killed.trials) > 1
    killed.finish("seed")
