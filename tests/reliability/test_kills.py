"""R1 and R2 on DuckDB: a command that is killed anywhere leaves whole tables, and the next one finishes the work."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace
from itertools import islice

import pytest
from counts import KILLS, NIGHT
from kill_harness import (
    Ground,
    Harness,
    ask_to_end,
    committed,
    digests_of_one_build,
    duckdb_query,
    helpers,
    interrupt,
    kill,
    models_in,
    versions,
)
from killed_project import GROWING, MODELS, attempts, finish_each_kill, project, require_every_build

from flowforge_ports.failpoint import FILES, POINTS

SEED = int(os.environ.get("KILL_SEED", "20261128"))
PROFILE = "default: {engine: duckdb, duckdb: {path: a.duckdb}}\n"


@pytest.fixture
def harness(flowforge, tmp_path, record_property):
    """Give a harness on a project of these parts; the scorecard hears of its trials."""
    made = []

    def of(**parts):
        print(f"KILL_SEED={SEED}")
        root = tmp_path / "shop"
        root.mkdir()
        (root / "project.yml").write_text("name: killed\n")
        (root / "profiles.yml").write_text(PROFILE)
        ground = project(Ground(root, "duckdb", duckdb_query(root / "a.duckdb")), **parts)
        made.append(Harness(flowforge, ground, SEED, tmp_path / "trials.jsonl"))
        return made[-1]

    yield of
    record_property("seed", SEED)
    record_property("trials", sum(len(one.trials) for one in made))


@pytest.mark.parametrize("ways", [[kill], [ask_to_end, interrupt]], ids=["kill", "ask"])
def test_a_run_killed_at_random_is_finished_by_the_next(harness, ways):
    finish_each_kill(harness(models=MODELS), ways, KILLS if kill in ways else KILLS // 5)


def test_growing_tables_killed_at_random_are_whole(harness):
    killed = harness(models=GROWING)
    rng = random.Random(SEED)
    for _ in range(2):
        killed.whole_run("run")
    for number in attempts(killed, KILLS):
        trial = killed.kill_at_random("run", rng)
        # By day the next run mostly finishes the work of several.
        if NIGHT or number % 5 == 0:
            killed.finish("run --resume" if trial.in_flight and trial.run and number % 2 == 0 else "run", trial)
            assert len(digests_of_one_build(killed.ground)) == 1
        if NIGHT:
            require_every_build(killed)
    killed.finish("run")
    assert killed.in_flight() >= 0.6
    assert len(digests_of_one_build(killed.ground)) == 1


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("models/a.ff.sql", ("select cast", "select 7 as added, cast")),
        ("project.yml", ("name: killed", "name: killed\nmodels:\n  a: {materialized: view}")),
    ],
    ids=["code", "config"],
)
def test_a_run_is_resumed_with_what_has_changed_since(harness, file, edit):
    killed = harness(models=("a.ff.sql", "merged.ff.sql", "b.ff.sql", "v.ff.sql"))
    killed.whole_run("run --jobs 1")
    trial = killed.strike("run --jobs 1", "committed:3:kill")
    assert {"a", "b"} & committed(killed.ground, trial.run)
    path = killed.ground.root / file
    assert edit[0] in path.read_text()
    path.write_text(path.read_text().replace(*edit))
    ended = killed.finish("run --resume")
    # What had been built before the edit, and what reads it, is built again, and said so.
    assert models_in(ended.out, "model_built") >= {"a", "b", "merged"}
    again = killed.finish("run")
    assert models_in(again.out, "model_built") == set()


def test_a_run_is_resumed_whatever_is_left_of_its_journals_last_line(harness, tmp_path):
    killed = harness(models=("a.ff.sql", "merged.ff.sql", "l1.ff.sql"))
    killed.whole_run("run --jobs 1")
    trial = killed.strike("run --jobs 1", "committed:2:kill")
    assert trial.in_flight
    (journal,) = (killed.ground.root / ".flowforge" / "runs").glob(f"*{trial.run}*")
    whole = journal.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    assert len(whole) > last + 20
    cuts = range(last, len(whole), 1 if NIGHT else 40)
    grounds = []
    for cut in cuts:
        root = tmp_path / f"cut{cut}"
        shutil.copytree(killed.ground.root, root)
        (root / journal.relative_to(killed.ground.root)).write_bytes(whole[:cut])
        grounds.append(replace(killed.ground, root=root, query=duckdb_query(root / "a.duckdb")))
    for ground in grounds:
        (ended,) = killed.flowforge.run_all([ground.command("run --resume", killed.build)])
        assert ended.code == 0, ended.said
        versions(ground, {table: {killed.build} for table in ground.tables})
        assert len(digests_of_one_build(ground)) == 1
        assert helpers(ground) == []


def test_a_kill_between_any_two_side_effects_of_a_growing_table_leaves_it_whole(harness):
    killed = harness(models=GROWING if NIGHT else ("a.ff.sql", "merged.ff.sql", "appended.ff.sql", "kept.ff.sql"))
    killed.whole_run("run --jobs 1")
    # By day every fifth point: the night strikes at each.
    assert len(list(killed.strikes("run --jobs 1", "*", "kill", 1 if NIGHT else 5))) > 8
    killed.finish("run")


def test_seeds_killed_at_random_are_all_old_or_all_new(harness):
    killed = harness(seeds=("s", "t", "u"))
    rng = random.Random(SEED)
    for _ in range(2):
        killed.whole_run("seed")
    for _ in attempts(killed, KILLS):
        trial = killed.kill_at_random("seed", rng)
        assert len(set(trial.builds.values())) == 1, trial
    assert killed.in_flight() >= 0.6
    killed.finish("seed")


def test_a_kill_between_any_two_side_effects_of_a_run_leaves_whole_tables(harness):
    killed = harness(models=MODELS if NIGHT else ("a.ff.sql", "v.ff.sql", "b.ff.sql", "l1.ff.sql", "p.ff.py"))
    killed.whole_run("run --jobs 1")
    assert len(list(killed.strikes("run --jobs 1", "*", "kill", 1 if NIGHT else 2))) > 12
    killed.finish("run")


def test_a_kill_between_any_two_side_effects_of_seeds_leaves_all_or_none(harness):
    killed = harness(seeds=("s", "t"))
    killed.whole_run("seed")
    for trial in killed.strikes("seed", "*", "kill"):
        assert len(set(trial.builds.values())) == 1, trial
    assert len(killed.trials) > 6
    killed.finish("seed")


@pytest.mark.parametrize("action", ["raise", "enospc"])
@pytest.mark.parametrize("command", ["run --jobs 1", "seed"])
def test_an_error_at_any_point_is_told_and_leaves_whole_tables(harness, command, action):
    killed = harness(models=("a.ff.sql", "p.ff.py")) if command != "seed" else harness(seeds=("s", "t"))
    if command != "seed":
        (killed.ground.root / "models" / "p.ff.py").write_text(MODELS["p.ff.py"].replace('"v"', '"a"'))
    killed.whole_run(command)
    for name in ["*"] if NIGHT else [point for point in POINTS if point not in FILES]:
        passings = killed.strikes(command, name, action)
        for trial in passings if NIGHT else islice(passings, 2):
            assert trial.code in (0, 1), trial
    assert len(killed.trials) > 6
    killed.finish(command)
