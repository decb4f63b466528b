"""Runs on one DuckDB file that meet each other: they wait, or are told in one line who holds it.

Those that are killed, and all of one round, are processes of their own; the others are forks of a warm one.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import duckdb
import pytest
from counts import AT_ONCE, ROUNDS, STEALS

PATIENCE = 120
# Says that it has begun by opening one pipe, and ends when the other is opened.
HOLD = """
import pandas as pd
from flowforge import model

@model()
def hold():
    open({ready!r}, "w").close()
    open({go!r}).close()
    return pd.DataFrame({{"a": [1]}})
"""
TOLD = re.compile(
    r"✗ data\.duckdb is in use by run [0-9a-f]{12}, process (\d+) on (\S+), since \S+; waited ([\d.]+) s\. "
    r"Wait longer with --wait SECONDS\.\n"
)


@dataclass(frozen=True)
class Shop:
    """A project on a DuckDB file."""

    root: object
    # Where the command is that starts in no time.
    warm: object
    processes: ExitStack = field(default_factory=ExitStack)

    def start(self, *arguments):
        return self._start([sys.executable, "-m", "flowforge", *arguments])

    def start_warm(self, *arguments):
        return self._start([self.warm / "flowforge", *arguments])

    def forks(self):
        """Return the numbers of the processes that answered those started warm."""
        told = self.root / "forks"
        return set(map(int, told.read_text().split())) if told.exists() else set()

    def _start(self, command):
        environment = {**os.environ, "NO_COLOR": "1", "WARM_PIDS": str(self.root / "forks")}
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        process = self.processes.enter_context(subprocess.Popen(command, cwd=self.root, env=environment, **pipes))
        self.processes.callback(process.kill)
        return process

    def ended(self, process):
        """Wait for a process and return its exit code and what it said on standard error."""
        said = process.communicate(timeout=PATIENCE)[1]
        return process.returncode, said

    def run(self, *arguments):
        return self.ended(self.start_warm("run", *arguments))

    def held(self, start=start_warm):
        """Start a run that goes on until `let_go`; to be killed, it is started as a process of its own."""
        process = start(self, "run", "--select", "hold")
        (self.root / "ready").open().close()
        return process

    def let_go(self):
        (self.root / "go").open("w").close()

    def content(self):
        with duckdb.connect(str(self.root / "data.duckdb")) as connection:
            tables = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
            rows = {name: connection.execute(f"select * from {name} order by all").fetchall() for name in tables}
        state = rows.pop("_flowforge_state", [])
        return rows, sorted(relation for relation, *_ in state if relation != "*")


@pytest.fixture
def shop(warm, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (tmp_path / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: data.duckdb}}\n")
    for i in range(5):
        (models / f"m{i}.ff.sql").write_text(f"select {i} as n, range as id from range(500)")
    (models / "total.ff.sql").write_text("select sum(n) as n from {{ ref('m1') }} join {{ ref('m3') }} using (id, n)")
    made = Shop(tmp_path, warm)
    with made.processes:
        yield made


@pytest.fixture
def holding(shop):
    for pipe in ("ready", "go"):
        os.mkfifo(shop.root / pipe)
    script = HOLD.format(ready=str(shop.root / "ready"), go=str(shop.root / "go"))
    (shop.root / "models" / "hold.ff.py").write_text(script)
    return shop


def test_runs_at_the_same_time_wait_or_are_told_who_runs(shop, record_property):
    record_property("trials", AT_ONCE * ROUNDS)
    assert shop.run() == (0, "")
    alone = shop.content()
    for number in range(ROUNDS):
        start = shop.start_warm if number else shop.start
        started = [start("run", "--no-cache") for _ in range(AT_ONCE)]
        ended = [shop.ended(process) for process in started]
        pids = shop.forks() | {process.pid for process in started}
        assert (0, "") in ended
        for code, said in ended:
            told = TOLD.fullmatch(said)
            assert (code, said) == (0, "") or (code == 1 and told and int(told[1]) in pids), said
    assert shop.content() == alone


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_run_waits_as_long_as_it_is_told_and_names_who_holds_the_target(holding, seconds):
    process = holding.held()
    (holder,) = holding.forks()
    started = time.monotonic()
    code, said = holding.run("--wait", str(seconds))
    assert time.monotonic() - started < seconds + 20
    told = TOLD.fullmatch(said)
    assert told, said
    assert (code, told.groups()) == (1, (str(holder), platform.node(), str(seconds)))
    holding.let_go()
    assert holding.ended(process) == (0, "")


def test_a_run_goes_on_when_the_other_ends(holding):
    first = holding.held()
    second = holding.start_warm("run", "--select", "m1", "--wait", "60")
    holding.let_go()
    assert [holding.ended(process) for process in (first, second)] == [(0, "")] * 2


def test_the_lock_of_a_run_that_was_killed_is_free_at_once(holding):
    process = holding.held(Shop.start)
    process.kill()
    process.wait()
    assert holding.run("--select", "m1", "--wait", "2") == (0, "")


def test_a_lock_file_whose_process_lives_again_as_another_holds_nobody_up(holding):
    process = holding.held(Shop.start)
    process.kill()
    process.wait()
    lock = holding.root / "data.duckdb.lock"
    told = lock.read_text()
    assert str(process.pid) in told
    lock.write_text(told.replace(str(process.pid), str(os.getpid())))
    assert holding.run("--select", "m1", "--wait", "0") == (0, "")


def test_the_lock_of_a_living_run_is_never_taken(holding, record_property):
    process = holding.held()
    record_property("trials", STEALS)
    for _ in range(STEALS // AT_ONCE):
        thieves = [holding.start_warm("run", "--select", "m1", "--wait", "0") for _ in range(AT_ONCE)]
        assert [holding.ended(thief)[0] for thief in thieves] == [1] * AT_ONCE
    holding.let_go()
    assert holding.ended(process) == (0, "")
    assert holding.content()[1] == ["hold"]


def test_other_commands_wait_and_are_told_alike(holding):
    process = holding.held()
    for arguments in (["show", "m1"], ["test"], ["seed"]):
        code, said = holding.ended(holding.start_warm(*arguments, "--wait", "0"))
        assert (code, bool(TOLD.fullmatch(said))) == (1, True), said
    holding.let_go()
    assert holding.ended(process) == (0, "")
