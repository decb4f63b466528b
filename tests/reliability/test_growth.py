"""Tables that grow: any sequence of increments equals one full build, and a snapshot equals a model in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name
from uuid import uuid4

import pytest
from counts import GROWTHS, NIGHT
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.run_models import RunModels
from flowforge_domain.config import ModelConfig
from flowforge_domain.model import model
from flowforge_domain.results import Rows
from flowforge_testkit.fakes import Clock, Recorder, claim, memory_project

ENGINES = {
    "sqlite": ("flowforge_testkit.sqlite", "SqliteProfile", {"engine": "sqlite"}),
    "duckdb": ("flowforge_duckdb", "DuckDBProfile", {"engine": "duckdb", "duckdb": {"path": ":memory:"}}),
}
START = datetime(2026, 1, 1, tzinfo=UTC)

EXAMPLES = settings(max_examples=GROWTHS, deadline=None, derandomize=not NIGHT)
STRATEGIES, HARD_DELETES = ("check", "timestamp"), ("ignore", "invalidate", "new_record")

# What a source holds at one moment: a key, its value and when it changed.
ROWS = st.dictionaries(st.integers(1, 4), st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=4)
MOMENTS = st.lists(ROWS, min_size=1, max_size=6)
HOLED = st.dictionaries(
    st.integers(1, 4),
    st.tuples(
        *(st.none() | kind for kind in (st.integers(-9, 9), st.sampled_from([0.5, 1.5]), st.sampled_from("abc")))
    ),
    max_size=4,
)
KEYS, CHECKED = st.sampled_from([("id",), ("id", "part")]), st.sampled_from([(), ("name",)])


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
        self.build(query, config)

    def run_frame(self, rows, config):
        """Run a Python model that gives these rows."""

        @model()
        def grown():
            return self.engine.frames.from_rows(Rows(("id", "whole", "part", "name"), rows))

        self.build(grown, config)

    def build(self, grown, config):
        project = memory_project({"grown": grown}, configs={"grown": config})
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

    @EXAMPLES
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


@pytest.mark.parametrize("rule", [None, "sync_all_columns"])
def test_increments_of_frames_with_holes_equal_one_full_build(world, rule):
    """Whatever a batch has no values for, and whatever pandas makes of its integers then."""
    config = ModelConfig("incremental", incremental_strategy="merge", unique_key=("id",), on_schema_change=rule)

    @EXAMPLES
    @given(moments=st.lists(HOLED, min_size=1, max_size=5))
    def holds(moments):
        world.clear()
        known = {}
        for rows in moments:
            known |= rows
            world.run_frame([(key, *row) for key, row in rows.items()], config)
        grown = world.rows("select id, whole, part, name from grown")
        world.clear()
        world.run_frame([(key, *row) for key, row in known.items()], ModelConfig())
        assert grown == world.rows("select id, whole, part, name from grown")

    holds()


@pytest.mark.parametrize("hard_deletes", HARD_DELETES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_snapshot_equals_a_plain_model(world, strategy, hard_deletes):
    @EXAMPLES
    @given(moments=MOMENTS, keys=KEYS, check_cols=CHECKED, widens=st.integers(0, 6))
    def holds(moments, keys, check_cols, widens):
        rules = Rules(strategy, hard_deletes, keys, check_cols if strategy == "check" else ())
        equals_a_plain_model(world, [(rows, rules, moment >= widens) for moment, rows in enumerate(moments)])

    holds()


def test_a_snapshot_whose_settings_change_equals_a_plain_model(world):
    rules = st.builds(Rules, st.sampled_from(STRATEGIES), st.sampled_from(HARD_DELETES))

    @EXAMPLES
    @given(moments=st.lists(st.tuples(ROWS, rules), min_size=1, max_size=6))
    def holds(moments):
        equals_a_plain_model(world, [(rows, rules, False) for rows, rules in moments])

    holds()


@dataclass(frozen=True)
class Rules:
    """The settings of a snapshot; no `check_cols` are all."""

    strategy: str
    hard_deletes: str
    keys: tuple[str, ...] = ("id",)
    check_cols: tuple[str, ...] = ()

    @property
    def config(self):
        by_time = self.strategy == "timestamp"
        return ModelConfig(
            "snapshot",
            unique_key=self.keys,
            strategy=self.strategy,
            updated_at="seen" if by_time else "",
            check_cols=() if by_time else self.check_cols,
            hard_deletes=self.hard_deletes,
        )


@dataclass
class Version:
    """One version of a row, as the plain model keeps it; times are texts, which sort."""

    row: dict[str, object]
    begins: str
    ends: str | None = None
    gone: bool = False


def equals_a_plain_model(world, moments):
    """Take a snapshot at each of these moments (rows, rules, whether the query gives one column more), and compare."""
    world.clear()
    world.clock.step = timedelta(0)
    history, told = [], ("id", "part", "name", "seen", "more")
    for rows, rules, wider in moments:
        world.clock.now += timedelta(days=1)
        made = {key: plain_row(key, *row, rules, wider) for key, row in rows.items()}
        follow(history, made, world.clock.now.date().isoformat(), rules)
        world.run(rows, rules.config, query_of(world.engine.name, rules, wider))
        stands = {name for name, _ in world.engine.catalog.columns("grown")}
        given = ", ".join(
            name if name in stands else "null" for name in (*told, "valid_from", "valid_to", "is_deleted")
        )
        found = world.rows(f"select {given} from grown")
        assert sorted((tuple(map(day, row[:-1])), bool(row[-1])) for row in found) == sorted(
            (tuple(map(day, (*(v.row.get(name) for name in told), v.begins, v.ends))), v.gone) for v in history
        )


def day(value):
    """Return what can be compared and sorted: of times, the day, and all as text."""
    return str(value)[:10]


def time_of(at):
    """Return the time that a row bears: long ago, or, for the greater half, not come yet."""
    return f"{2025 if at < 5 else 2027}-01-0{at % 5 + 1}"


def query_of(engine, rules, wider):
    """Return the query of `plain_row`."""
    times = {
        "sqlite": "printf('%d-01-%02d', case when seen < 5 then 2025 else 2027 end, seen % 5 + 1)",
        "duckdb": "make_timestamp(case when seen < 5 then 2025 else 2027 end, 1, seen % 5 + 1, 0, 0, 0)",
    }
    number = "cast((id + 1) / 2 as bigint)" if engine == "sqlite" else "(id + 1) // 2"
    key = f"{number} as id, case when id % 2 = 1 then 'x' else 'y' end" if len(rules.keys) > 1 else "id, 'x'"
    more = ", seen as more" if wider else ""
    return f"select {key} as part, name, {times[engine]} as seen{more} from rows_now"


def plain_row(key, name, at, rules, wider):
    """Return a row of the source as the query gives it: with a key of one column, or of two."""
    split = {"id": (key + 1) // 2, "part": "xy"[(key + 1) % 2]} if len(rules.keys) > 1 else {"id": key, "part": "x"}
    return {**split, "name": name, "seen": time_of(at), **({"more": at} if wider else {})}


def follow(history, rows, now, rules):
    """Take the snapshot of `rows` in the plain model, as the guide describes it."""
    versions = {}
    for version in history:
        versions.setdefault(tuple(version.row[key] for key in rules.keys), []).append(version)
    given = {tuple(row[key] for key in rules.keys): row for row in rows.values()}
    for key, row in given.items():
        told = versions.get(key, [])
        last = next((version for version in told if version.ends is None), None)
        if last and not last.gone and not changed(last.row, row, rules):
            continue
        begins = beginning(row, told, last, now, rules)
        if last:
            last.ends = begins
        history.append(Version(row, begins))
    for key in versions.keys() - given.keys():
        for last in [version for version in versions[key] if version.ends is None]:
            delete(history, last, now, rules)


def changed(old, new, rules):
    """Tell whether a row is another one by these rules."""
    if rules.strategy == "timestamp":
        return new["seen"] > old["seen"]
    return any(old.get(name) != new[name] for name in rules.check_cols or new)


def beginning(row, told, last, now, rules):
    """Return from when a new version is valid: never before one that was told of its key."""
    ends = [version.begins if version is last else version.ends for version in told]
    goes_on = last is not None and not last.gone
    if rules.strategy == "timestamp" and (not told or (goes_on and row["seen"] > max(ends))):
        return row["seen"]
    return max([now, *ends])


def delete(history, last, now, rules):
    """End the last version of a row that is gone, as it is asked for."""
    if rules.hard_deletes == "ignore" or (last.gone and rules.hard_deletes == "new_record"):
        return
    last.ends = max(now, last.begins)
    if rules.hard_deletes == "new_record":
        history.append(Version(last.row, last.ends, gone=True))
