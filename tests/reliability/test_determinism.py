"""R5: whatever runs side by side, in whatever order files were made, with whatever hash seed: the same, to the byte."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import postgres_server
import pytest
from counts import EVERY, EVERY_BROKEN, HASH_SEEDS, JOBS, MODELS, NIGHT, ORDERS
from digest import Query, table_digests
from fuzz.ground import fingerprints
from kill_harness import duckdb_query
from warm import Command, WarmFlowForge

SEED = int(os.environ.get("DAG_SEED", "20261128"))
# How much work a model is says the run's variable, so that every run ends its models in another order.
WORK = "(select 0 * max(n) from generate_series(0, ({number} * {{{{ env_var('WORK') }}}}) % 997) as t(n))"


@dataclass(frozen=True)
class Engine:
    """An engine, what a profile says of it, and how a project in a folder is lent a target.

    A target is the variables of the shell that it is found by, and what asks it.
    """

    name: str
    profile: str
    lent: Callable[[Path], AbstractContextManager[tuple[dict[str, str], Query]]]


@contextmanager
def duckdb_file(root):
    yield {}, duckdb_query(root / "a.duckdb")


@contextmanager
def postgres_database(_):
    with postgres_server.lent_database() as dsn:
        yield {"FF_PG_DSN": dsn}, partial(postgres_server.run, dsn=dsn)


ENGINES = (
    Engine("duckdb", "{path: a.duckdb, threads: 1}", duckdb_file),
    Engine("postgres", "{dsn: \"{{ env_var('FF_PG_DSN') }}\"}", postgres_database),
)
on_each_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


def graph(count, seed):
    """Return a random graph: for each model those that it reads."""
    rng = random.Random(seed)
    return {
        f"m{n:03}": sorted({f"m{rng.randrange(n):03}" for _ in range(rng.choice((0, 1, 1, 2, 3)))}) if n else []
        for n in range(count)
    }


@contextmanager
def project(folder, engine, models, order, broken=()):
    """Write a project, its files made in the given order, and give its folder, its shell, and what asks its target."""
    root = folder / "random"
    (root / "models").mkdir(parents=True)
    (root / "project.yml").write_text("name: random\n")
    (root / "profiles.yml").write_text(f"default: {{engine: {engine.name}, {engine.name}: {engine.profile}}}\n")
    for name in order:
        own = f"select {int(name[1:])} + {WORK.format(number=int(name[1:]))} as n"
        parts = [own, *(f"select sum(n) % 1000003 as n from {{{{ ref('{before}') }}}}" for before in models[name])]
        text = "select nope" if name in broken else "\nunion all\n".join(parts)
        (root / "models" / f"{name}.ff.sql").write_text(text + "\n")
    with engine.lent(root) as (shell, query):
        yield root, shell, query
    shutil.rmtree(root)  # at night they would fill any


@pytest.fixture(scope="module")
def servers():
    """One server for each hash seed."""
    kept = os.environ.get("PYTHONHASHSEED")
    started = []
    for seed in HASH_SEEDS:
        os.environ["PYTHONHASHSEED"] = seed
        started.append(WarmFlowForge().__enter__())
    if kept is None:
        del os.environ["PYTHONHASHSEED"]
    else:
        os.environ["PYTHONHASHSEED"] = kept
    yield started
    for server in started:
        server.__exit__()


@pytest.fixture
def folder(tmp_path):
    """A folder that lists files by when they were made, where memory can be one: ext4 lists them by a hash of names."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    made = Path(tempfile.mkdtemp(prefix="flowforge-", dir=memory))
    yield made
    shutil.rmtree(made)


def require_order(events, models):
    """Require that no model started before those that it reads were committed."""
    built = set()
    for event in events:
        if event["event"] == "model_started":
            assert built.issuperset(models[event["data"]["model"]]), event
        elif event["event"] == "model_built":
            built.add(event["data"]["model"])
    return built


def mixtures(models, *others):
    """Return each of some orders of the models with each of the others."""
    rng = random.Random(SEED + 1)
    return list(product([rng.sample(list(models), len(models)) for _ in range(ORDERS)], *others))


@on_each_engine
def test_a_random_graph_gives_the_same_whatever_runs_beside_whatever(engine, servers, folder, record_property):
    models = graph(MODELS, SEED)
    record_property("seed", SEED)
    seen = {}
    for number, (order, server, jobs) in enumerate(mixtures(models, servers, JOBS)[:: EVERY[engine.name]]):
        with project(folder, engine, models, order) as (root, shell, query):
            work = {**shell, "WORK": str(number * 31 + 1)}
            run = Command(["run", "--jobs", str(jobs), "--log-format", "json"], root, work)
            (ended,) = server.run_all([run])
            assert ended.code == 0, ended.said
            built = require_order([json.loads(line) for line in ended.out.splitlines()], models)
            assert built == set(models)
            found = table_digests(query, engine.name, models)
            assert found == seen.setdefault("tables", found), (number, jobs)
    record_property("trials", number + 1)


@on_each_engine
def test_the_graph_and_the_site_are_the_same_to_the_byte(engine, servers, folder):
    models = graph(MODELS if NIGHT else 50, SEED)
    seen = {}
    for number, (order, server) in enumerate(mixtures(models, servers)[:: EVERY[engine.name]]):
        with project(folder, engine, models, order) as (root, shell, _):
            commands = [["compile"], ["dag", "--html"]]
            for ended in server.run_all([Command(arguments, root, {**shell, "WORK": "1"}) for arguments in commands]):
                assert ended.code == 0, ended.said
            made = {name: print_ for name, print_ in fingerprints(root / ".flowforge").items() if "cache" not in name}
            assert len(made) > len(models)
            assert made == seen.setdefault("files", made), number


@on_each_engine
def test_the_report_of_failures_is_the_same_in_every_order(engine, servers, folder):
    models = graph(MODELS, SEED)
    readers = [name for name in models if any(name in before for before in models.values())]
    broken = random.Random(SEED).sample(readers, 4)
    seen = {}
    for number, (order, server, jobs) in enumerate(mixtures(models, servers, JOBS)[:: EVERY_BROKEN[engine.name]]):
        with project(folder, engine, models, order, broken) as (root, shell, _):
            work = {**shell, "WORK": str(number)}
            commands = [["run", "--jobs", str(jobs)], ["run", "--jobs", str(jobs), "--log-format", "json"]]
            text, told = server.run_all([Command(arguments, root, work) for arguments in commands])
        assert text.code == told.code == 1
        totals = [line for line in text.out.splitlines() if line.startswith(("✗ failed:", "↷ skipped:", "✓ built:"))]
        events = [json.loads(line) for line in told.out.splitlines()]
        ends = sorted((e["data"]["model"], e["event"], e["msg"]) for e in events if e["event"].startswith("model_"))
        report = (totals[-3:], [end for end in ends if end[1] in ("model_skipped", "model_failed")])
        assert report == seen.setdefault("report", report), (number, jobs)
    assert any(event == "model_skipped" for _, event, _ in seen["report"][1])
