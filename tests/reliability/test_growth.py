"""Tables that grow: any sequence of increments equals one full build, and a snapshot equals a model in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name
from uuid import uuid4

import pytest
from counts import GROWTHS
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.run_models import RunModels
from flowforge_domain.config import ModelConfig
from flowforge_testkit.fakes import Clock, Recorder, claim, memory_project

ENGINES = {
    "sqlite": ("flowforge_testkit.sqlite", "SqliteProfile", {"engine": "sqlite"}),
    "duckdb": ("flowforge_duckdb", "DuckDBProfile", {"engine": "duckdb", "duckdb": {"path": ":memory:"}}),
}
START = datetime(2026, 1, 1, tzinfo=UTC)

# What a source holds at one moment: a key, its value and when it changed.
ROWS = st.dictionaries(st.integers(1, 4), st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=4)
MOMENTS = st.lists(ROWS, min_size=1, max_size=6)


@pytest.fixture(params=ENGINES)
def world(request, tmp_path):
    package, profile, given_settings = ENGINES[request.param]
    checked = resolve_name(f"{package}.settings:{profile}").model_validate(given_settings)
    opened = resolve_name(f"{package}.engine:open_engine")(checked, tmp_path, claim())
    yield World(opened)
    opened.session.close()


@dataclass
class World:
    """One engine, cleared between examples, and a clock that moves with each run."""

    engine: object
    clock: Clock = field(default_factory=lambda: Clock(START, timedelta(days=1)))

    def clear(self):
        for name, entry in self.engine.catalog.relations().items():
            self.engine.session.execute(f"drop {entry.kind} {name}")
        self.clock.now = START

    def run(self, rows, config, query="select id, name, seen from rows_now"):
        values = ", ".join(f"({key}, '{name}', {at})" for key, (name, at) in rows.items()) or "(0, '', 0)"
        self.execute("drop table if exists rows_now")
        self.execute("create table rows_now (id bigint, name varchar, seen bigint)")
        self.execute(f"insert into rows_now values {values}")
        self.execute("delete from rows_now where id = 0")
        project = memory_project({"grown": query}, configs={"grown": config})
        manifest = project.reader.manifest()
        compiler = CompileModels(manifest, project.renderer, self.engine.dialect, {}, {})
        build = BuildModel(manifest, self.engine, compiler, project.reader, project.functions)
        given = (manifest, self.engine, build, Recorder(), self.clock, claim(run=uuid4().hex))
        report = RunModels(*given, skipping=Skipping(no_cache=True))()
        for result in report.results:
            if result.error:
                raise result.error

    def execute(self, sql):
        self.engine.session.execute(sql)

    def rows(self, sql):
        return sorted(self.engine.session.query(sql).rows, key=repr)


@pytest.mark.parametrize("strategy", ["merge", "delete+insert", "insert_overwrite", "append"])
def test_increments_equal_one_full_build(world, strategy):
    """A source that only grows or corrects: what is new by then is all that an increment sees."""
    keyed = strategy in ("merge", "delete+insert")
    config = ModelConfig(
        "incremental",
        incremental_strategy=strategy,
        unique_key=("id",) if keyed else (),
        partition_by=("id",) if strategy == "insert_overwrite" else (),
    )

    @settings(max_examples=GROWTHS, deadline=None, derandomize=True)
    @given(moments=MOMENTS)
    def holds(moments):
        world.clear()
        known = {}
        for rows in moments:
            new = {k: v for k, v in rows.items() if k not in known} if strategy == "append" else rows
            known |= new
            world.run(new, config)
        grown = world.rows("select id, name, seen from grown")
        world.clear()
        world.run(known, ModelConfig())
        assert grown == world.rows("select id, name, seen from grown")

    holds()


@pytest.mark.parametrize("hard_deletes", ["ignore", "invalidate", "new_record"])
@pytest.mark.parametrize("strategy", ["check", "timestamp"])
def test_a_snapshot_equals_a_plain_model(world, strategy, hard_deletes):
    made = {"sqlite": "printf('2025-01-%02d', seen + 1)", "duckdb": "make_timestamp(2025, 1, seen + 1, 0, 0, 0)"}
    query = f"select id, name, {made[world.engine.name]} as seen from rows_now"
    config = ModelConfig(
        "snapshot",
        unique_key=("id",),
        strategy=strategy,
        updated_at="seen" if strategy == "timestamp" else "",
        check_cols=("name",) if strategy == "check" else (),
        hard_deletes=hard_deletes,
    )

    @settings(max_examples=GROWTHS, deadline=None, derandomize=True)
    @given(moments=MOMENTS)
    def holds(moments):
        world.clear()
        history = []
        for moment, rows in enumerate(moments):
            world.run(rows, config, query)
            follow(history, rows, f"run {moment}", strategy, hard_deletes)
        gone = ", is_deleted" if hard_deletes == "new_record" else ""
        found = world.rows(f"select id, name{gone}, valid_to is null from grown")
        assert found == sorted(
            ((v.key, v.name, *([v.gone] if gone else []), v.until is None) for v in history), key=repr
        )
        overlaps = "select a.id from grown as a join grown as b on a.id = b.id and a.valid_from < b.valid_from"
        assert world.rows(f"{overlaps} and (a.valid_to is null or a.valid_to > b.valid_from)") == []

    holds()


@dataclass
class Version:
    """One version of a row, as the plain model keeps it."""

    key: int
    name: str
    at: int
    until: str | None = None
    gone: bool = False


def follow(history, rows, now, strategy, hard_deletes):
    """Take the snapshot of `rows` in the plain model."""
    current = {version.key: version for version in history if version.until is None}
    for key, (name, at) in rows.items():
        old = current.get(key)
        if old is None or old.gone or (at > old.at if strategy == "timestamp" else name != old.name):
            if old:
                old.until = now
            back = old.gone if old else any(version.key == key for version in history)
            # One that comes back is valid from now on: after every time that a row can bear.
            history.append(Version(key, name, 99 if back else at))
    for key in (current.keys() - rows.keys()) if hard_deletes != "ignore" else ():
        old = current[key]
        if not old.gone:
            old.until = now
            if hard_deletes == "new_record":
                history.append(Version(key, old.name, 99, gone=True))
