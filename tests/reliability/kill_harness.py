"""Kills `flowforge` while it works, and asks the target what is left: of each table an old version or a new one, whole.

Every row carries the number of the build that wrote it, which the shell's variable `BUILD` gives. The oracle asks each
table for its count, its distinct keys, its builds, and its digest, which must be that of a build that was allowed. Each
trial is one line of JSON in the log, with the seed that repeats it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from digest import Digest, Query, table_digests
from warm import Command, Ended, Started, WarmFlowForge

ROWS = 2_000
PATIENCE = 60.0
# Said once everything is committed, or has failed.
FINISHED = ("run_finished", "seed_loaded")
FAILED = 1


@dataclass(frozen=True)
class Ground:
    """A project whose tables are all `(build, id)` with the ids from 0 on, and how to look into its target."""

    root: Path
    engine: str
    query: Query
    tables: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[int], None] = lambda build: None
    # Tables that keep the rows of every build beside those of the last.
    histories: tuple[str, ...] = ()
    # Returns when the target has noticed that a killed command is gone.
    settle: Callable[[], None] = lambda: None

    def command(self, arguments: str, build: int, **environment: str) -> Command:
        shell = {**self.environment, "BUILD": str(build), **environment}
        return Command([*arguments.split(), "--log-format", "json"], self.root, shell)


@dataclass(frozen=True)
class Trial:
    """One kill: when, what it hit, and what was found."""

    number: int
    seed: int
    command: str
    how: str
    delay: float
    code: int
    in_flight: bool
    run: str
    builds: dict[str, int]


# What ends a command that works on a ground, in the process of this number.
Way = Callable[[Ground, int], object]


def kill(_: Ground, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def ask_to_end(_: Ground, pid: int) -> None:
    os.kill(pid, signal.SIGTERM)


def interrupt(_: Ground, pid: int) -> None:
    os.kill(pid, signal.SIGINT)


def failpoint_raises(how: str) -> bool:
    """Tell whether a trial is one whose failpoint raises an error, which the process survives."""
    return how.endswith((":raise", ":enospc"))


class TornError(AssertionError):
    """A table that is neither the old one nor the new one."""


def duckdb_query(path: Path) -> Query:
    """Return what asks a DuckDB file, which is opened for each question: that it opens at once is part of the test."""

    def query(sql: str) -> list[tuple[Any, ...]]:
        began = time.monotonic()
        with duckdb.connect(str(path)) as connection:
            assert time.monotonic() - began < 5
            return connection.execute(sql).fetchall()

    return query


def versions(ground: Ground, allowed: Mapping[str, set[int]]) -> dict[str, int]:
    """Return the build that each table is of; raise `TornError` unless it is one of those allowed for it, whole.

    All are asked in one statement, and the histories in another: opening a DuckDB file costs more than its answers.
    """
    facts = "select '{0}', count(*), count(distinct id), min(id), max(id), min(build), max(build) from {0}"
    try:
        found = ground.query(" union all ".join(facts.format(table) for table in allowed))
    except Exception as error:
        raise TornError(f"a table is lost: {error}") from error
    if sorted(table for table, *_ in found) != sorted(allowed):
        raise TornError(f"asked for {sorted(allowed)}, told of {found}")
    for table, rows, distinct, least, most, first, last in found:
        if (rows, distinct, least, most) != (ROWS, ROWS, 0, ROWS - 1):
            raise TornError(f"{table} has {rows} rows, {distinct} keys from {least} to {most}")
        if first != last:
            raise TornError(f"{table} mixes builds {first} and {last}")
        if first not in allowed[table]:
            raise TornError(f"{table} is of build {first}, not of {sorted(allowed[table])}")
    require_whole_builds(ground)
    return {table: int(first) for table, *_, first, _ in found}


def require_whole_builds(ground: Ground) -> None:
    """Raise `TornError` unless each history has all rows of the builds that it has any of, each once."""
    facts = f"count(*) % {ROWS} = 0 and count(distinct (build, id)) = count(*)"
    asked = " union all ".join(f"select '{table}', {facts} from {table}" for table in ground.histories)
    broken = [table for table, whole in (ground.query(asked) if asked else []) if not whole]
    if broken:
        raise TornError(f"builds are torn or doubled in {broken}")


def helpers(ground: Ground) -> list[str]:
    """Return the tables that FlowForge made for itself, other than its state."""
    found = ground.query("select table_name from information_schema.tables where table_name like '%flowforge%'")
    return sorted(name for (name,) in found if not name.startswith("_flowforge_state"))


def committed(ground: Ground, run: str) -> set[str]:
    """Return the models of which the target's own state says that this run was the last to build them."""
    asked = "select run_id, state from _flowforge_state where relation <> '*'"
    rows = [(json.loads(state), by) for by, state in ground.query(asked)]
    last = {state["model"]: by for state, by in sorted(rows, key=lambda row: row[0]["finished_at"])}
    return {model for model, by in last.items() if by == run}


def events_in(out: str) -> list[dict[str, Any]]:
    """Return the events of a command, up to where it was killed."""
    return [json.loads(line) for line in out.splitlines() if line.endswith("}")]


def artifacts(root: Path) -> dict[str, str]:
    """Return what a project's runs have written of it: its manifest and the SQL of its models, by file."""
    folder = root / ".flowforge"
    found = [folder / "manifest.json", *(folder / "compiled").rglob("*")]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found if path.is_file()}


def half_written(root: Path) -> list[str]:
    """Return the files below a project that bear temporary names."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.tmp"))


def run_of(out: str) -> str:
    """Return the id of the run that a command began, "" for one that began none."""
    return next((event["data"]["run_id"] for event in events_in(out) if event["event"] == "run_started"), "")


def models_in(out: str, name: str) -> set[str]:
    """Return the models of the events of one name."""
    return {event["data"]["model"] for event in events_in(out) if event["event"] == name}


@dataclass
class Harness:
    """Runs trials on one ground; `standing` says of which build each table is."""

    flowforge: WarmFlowForge
    ground: Ground
    seed: int
    log: Path
    standing: dict[str, int] = field(default_factory=dict)
    build: int = 0
    trials: list[Trial] = field(default_factory=list)
    took: float = 0.0

    def whole_run(self, command: str) -> Ended:
        """Run a command to its end with a new build, and require that every table is of that."""
        self.build += 1
        self.ground.prepare(self.build)
        started = self._begun(command)
        began = time.monotonic()
        (ended,) = self.flowforge.ended(started)
        self.took = time.monotonic() - began
        assert ended.code == 0, ended.said
        self.standing = versions(self.ground, {table: {self.build} for table in self.ground.tables})
        return ended

    def finish(self, command: str, killed: Trial | None = None) -> Ended:
        """Run the same build again after a kill: it ends well, with every table new, and nothing left over.

        What the `killed` run had committed is not built again, and nothing else is left as it is.
        """
        done = committed(self.ground, killed.run) if killed else set()
        (ended,) = self.flowforge.run_all([self.ground.command(command, self.build)])
        assert ended.code == 0, ended.said
        if killed:
            assert models_in(ended.out, "model_unchanged") == done, ended.out
            assert done.isdisjoint(models_in(ended.out, "model_built")), ended.out
        self.standing = versions(self.ground, {table: {self.build} for table in self.ground.tables})
        assert helpers(self.ground) == []
        assert half_written(self.ground.root) == []
        return ended

    def kill_at_random(self, command: str, rng: random.Random, way: Way = kill) -> Trial:
        """Kill a new build at any moment from its first word on."""
        self.build += 1
        self.ground.prepare(self.build)
        started = self._begun(command)
        delay = rng.uniform(0, self.took)
        time.sleep(delay)
        with suppress(ProcessLookupError):
            way(self.ground, started.pid)
        (ended,) = self.flowforge.ended(started)
        trial = self._noted(command, way.__name__, delay, ended)
        # A busy machine is slower, and tables grow: four kills of five are to hit the run, anywhere in it.
        self.took *= 1.05 if trial.in_flight else 0.8
        return trial

    def _begun(self, command: str) -> Started:
        """Start a command, and return when it has said its first word."""
        started = self.flowforge.start([self.ground.command(command, self.build)])
        ends = time.monotonic() + PATIENCE
        while not started.files[0][0].stat().st_size and time.monotonic() < ends:
            time.sleep(0.0005)
        return started

    def strike(self, command: str, failpoint: str) -> Trial:
        """Let a new build run into a failpoint, if it gets there."""
        return self.attempt(command, failpoint, FLOWFORGE_TEST_FAILPOINTS="1", FLOWFORGE_FAILPOINT=failpoint)

    def attempt(self, command: str, how: str, **environment: str) -> Trial:
        """Run a new build where something is in its way: it ends as it will."""
        self.build += 1
        self.ground.prepare(self.build)
        (ended,) = self.flowforge.run_all([self.ground.command(command, self.build, **environment)])
        return self._noted(command, how, 0.0, ended)

    def strikes(self, command: str, name: str, action: str, step: int = 1) -> Iterator[Trial]:
        """Strike at the first passing of a point, and at every `step`th after it, until none fires."""
        for n in count(1, step):
            trial = self.strike(command, f"{name}:{n}:{action}")
            if not trial.in_flight:
                return
            yield trial

    def _noted(self, command: str, how: str, delay: float, ended: Ended) -> Trial:
        """Ask every table what it is now, and write the trial down, also when one is torn."""
        finished = ended.code != FAILED and any(word in ended.out for word in FINISHED)
        stopped = ended.code != 0 and not finished
        fired = "failpoint" in ended.said if failpoint_raises(how) else stopped
        number = len(self.trials) + 1
        self.ground.settle()
        trial = Trial(number, self.seed, command, how, round(delay, 4), ended.code, fired, run_of(ended.out), {})
        try:
            allowed = {table: {standing, self.build} for table, standing in self.standing.items()}
            trial.builds.update(versions(self.ground, allowed))
        finally:
            self.trials.append(trial)
            with self.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(trial)) + "\n")
        self.standing = dict(trial.builds)
        return trial

    def in_flight(self) -> float:
        """Return the share of the kills that hit a command before its end."""
        return sum(trial.in_flight for trial in self.trials) / len(self.trials)


def digests_of_one_build(ground: Ground) -> set[Digest]:
    """Return the digests of all tables, which are one where every table holds the same build in the same columns."""
    return set(table_digests(ground.query, ground.engine, ground.tables).values())
