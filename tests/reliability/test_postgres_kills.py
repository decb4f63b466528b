"""R1 and R2 on PostgreSQL: a command killed anywhere leaves whole tables, and the next one finishes the work."""

from __future__ import annotations

import time
from itertools import islice

import psycopg
import pytest
from counts import KILLS, NIGHT
from kill_harness import Ground, Harness, ask_to_end, interrupt, kill
from killed_project import GROWING, MODELS, finish_each_kill, project

from flowforge_ports.failpoint import FILES, POINTS

SEED = 20261123
# Tables, views and what keeps its rows.
FEW = ("a.ff.sql", "b.ff.sql", "v.ff.sql", "p.ff.py", "l1.ff.sql", "merged.ff.sql", "kept.ff.sql", "current.ff.sql")
EVERY_WAY = (*FEW, "replaced.ff.sql")
AT_RANDOM = sorted({*MODELS, *GROWING}) if NIGHT else FEW
WORKERS = "pg_stat_activity where datname = current_database() and application_name like 'flowforge%'"


@pytest.fixture
def harness(flowforge, shop, tmp_path, record_property):
    """Give a harness on a project of these parts; the scorecard hears of its trials."""
    made = []
    asking = psycopg.connect(shop.dsn, autocommit=True)

    def query(sql):
        return asking.execute(sql).fetchall()

    def settle():
        deadline = time.monotonic() + 10
        while query(f"select pid from {WORKERS}"):
            assert time.monotonic() < deadline

    def of(**parts):
        ground = Ground(shop.root, "postgres", query, environment={"FF_PG_DSN": shop.dsn}, settle=settle)
        made.append(Harness(flowforge, project(ground, **parts), SEED, tmp_path / "trials.jsonl"))
        return made[-1]

    with asking:
        yield of
    record_property("seed", SEED)
    record_property("trials", sum(len(one.trials) for one in made))


def cut_off(ground, _):
    """End all connections of a command, as an administrator does."""
    ground.query(f"select pg_terminate_backend(pid) from {WORKERS}")


@pytest.mark.parametrize("ways", [[kill], [ask_to_end, interrupt]], ids=["kill", "ask"])
def test_a_run_killed_at_random_is_finished_by_the_next(harness, ways):
    finish_each_kill(harness(models=AT_RANDOM), ways, KILLS if kill in ways else KILLS // 5)


def test_a_run_cut_off_at_random_is_finished_by_the_next(harness):
    cut = harness(models=AT_RANDOM)
    # Else the run would try again by itself, and leave nothing to do.
    (cut.ground.root / "project.yml").write_text("name: shop\nretries: {attempts: 1}\n", encoding="utf-8")
    finish_each_kill(cut, [cut_off], KILLS // 5)


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
