"""R3: whatever is edited, dropped and run in whatever order, after a run every table is what a rebuild would give."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from counts import DUCKDB_SEQUENCES, SEQUENCES
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.run_models import RunModels
from flowforge_bootstrap.built_texts import TextFile
from flowforge_domain.config import ModelConfig
from flowforge_domain.hooks import RUN_HOOKS
from flowforge_domain.model import Seed, model
from flowforge_domain.selection import selection
from flowforge_duckdb.engine import open_engine as open_duckdb
from flowforge_duckdb.settings import DuckDBProfile
from flowforge_sql.analysis import open_analysis
from flowforge_testkit.fakes import Clock, Recorder, claim, memory_project
from flowforge_testkit.sqlite.engine import open_engine as open_sqlite
from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings

NAMES = ("a", "b", "c", "d", "e")
READS = {"a": "s", "b": "a", "c": "b", "d": "b", "e": "d"}
# The models whose hooks write to what they read, which nothing else reads: in which order others saw it, nobody says.
ACROSS = ("b", "e")
FOREIGN = ("update {0} set n = n + 1", "create or replace table {0} as select k, n + 1 as n from {0}")
KINDS = ("table", "view", "ephemeral", "incremental")


CONFIGS = {kind: ModelConfig(materialized=kind, unique_key=("k",) if kind == "incremental" else ()) for kind in KINDS}


@pytest.fixture(autouse=True)
def counted(record_property, request):
    record_property("trials", SEQUENCES if request.cls is TestStaleResults else DUCKDB_SEQUENCES)


@model(deps=["c"])
def last(frame):
    return frame


class Edits(RuleBasedStateMachine):
    """A project that is edited, and the target that its runs leave.

    Each row has a key, and each model all keys: so what an incremental model brings in replaces all that stands.
    """

    profile = staticmethod(lambda path: SqliteProfile(engine="sqlite", sqlite=SqliteSettings(path=str(path))))
    open_engine = staticmethod(open_sqlite)
    with_dependents = ""

    def __init__(self):
        super().__init__()
        self.open = ExitStack()
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.engine = self.open_target(self.folder / "target.db")
        self.open.callback(lambda: self.engine.session.close())
        self.clock = Clock()
        self.skipping = Skipping(texts=TextFile(self.folder / "built.json"), sql=open_analysis(self.folder))
        self.numbers = dict.fromkeys(NAMES, 1)
        self.kinds = dict.fromkeys(NAMES, "table")
        self.names = {name: name for name in NAMES}
        self.hooks = dict.fromkeys(NAMES, (0, False))
        self.run_hooks = {"on_run_start": 0, "on_run_end": 0}
        self.variable = 0
        self.ran = False
        self.seed_file = self.folder / "s.csv"
        self.edit_seed(1)

    def open_target(self, path):
        return self.open_engine(self.profile(path), path.parent, claim())

    def teardown(self):
        self.open.close()

    @rule(number=st.integers(0, 3))
    def edit_seed(self, number):
        self.seed_file.write_text(f"k,n\n1,{number}\n2,{number + 1}\n")
        self.seed(self.engine)
        self.ran = False

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 3))
    def edit_sql(self, name, number):
        self.numbers[name] = number
        self.ran = False

    @rule(number=st.integers(0, 2))
    def change_a_variable(self, number):
        self.variable = number
        self.ran = False

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(KINDS))
    def change_the_materialization(self, name, kind):
        # A Python model reads c, and a frame is read of a relation.
        self.kinds[name] = "table" if name == "c" and kind == "ephemeral" else kind
        self.ran = False

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2), across=st.booleans())
    def change_a_hook(self, name, number, across):
        self.hooks[name] = (number, across)
        self.ran = False

    @rule(when=st.sampled_from(sorted(RUN_HOOKS)), number=st.integers(0, 2))
    def change_a_hook_of_the_run(self, when, number):
        self.run_hooks[when] = number
        # What the one of before did to the seed is undone.
        self.seed(self.engine)
        self.ran = False

    @rule(name=st.sampled_from(NAMES))
    def rename(self, name):
        self.names[name] = name if self.names[name] != name else f"{name}_renamed"
        self.ran = False

    @rule(name=st.sampled_from(NAMES), replaced=st.booleans())
    def drop_behind_our_back(self, name, replaced):
        entry = self.engine.catalog.relations().get(self.names[name])
        if entry is not None:
            self.engine.session.execute(f"drop {entry.kind} {self.names[name]} {self.with_dependents}")
            if replaced:
                self.engine.session.execute(f"create table {self.names[name]} (n bigint, stranger text)")
        self.ran = False

    @rule()
    def run_all(self):
        assert self.run(self.engine, self.skipping).ok
        self.ran = True

    @rule(name=st.sampled_from(NAMES))
    def run_some(self, name):
        self.run(self.engine, self.skipping, f"+{self.names[name]}")
        self.ran = False

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 3))
    def edit_run_some_and_then_all(self, name, number):
        """Let what reads a model see in a later run only that it was built anew."""
        self.edit_sql(name, number)
        self.run_some(name)
        self.run_all()

    @invariant()
    def every_table_is_what_a_rebuild_gives(self):
        if not self.ran:
            return
        with tempfile.TemporaryDirectory() as folder:
            scratch = self.open_target(Path(folder) / "scratch.db")
            try:
                self.seed(scratch)
                assert self.run(scratch, Skipping(no_cache=True)).ok
                assert self.tables(self.engine) == self.tables(scratch)
            finally:
                scratch.session.close()
        again = self.run(self.engine, self.skipping)
        if not any(self.run_hooks.values()):
            assert {result.status.value for result in again.results} <= {"unchanged"}
        self.ran = False

    def project(self):
        now = self.names
        sql = {
            now[name]: f"select k, n + {self.numbers[name]} + {{{{ var('x') }}}} as n "
            f"from {{{{ ref('{now.get(READS[name], READS[name])}') }}}}"
            for name in NAMES
        }
        last.__flowforge_model__ = model(deps=[now["c"]])(lambda frame: frame).__flowforge_model__
        configs = {now[name]: replace(CONFIGS[self.kinds[name]], post_hook=self.hook(name)) for name in NAMES}
        seed = Seed("s", "csv", self.seed_file, "s", "seeds/s.csv")
        return memory_project(
            sql | {"last": last},
            seeds=[seed],
            configs=configs,
            variables={"x": self.variable},
            hooks={when: self.hook_of_run(when) for when in RUN_HOOKS},
        )

    def hook(self, name):
        """Return the hook of a model, which adds to its own table or to the one that it reads."""
        number, across = self.hooks[name]
        target = READS[name] if across and name in ACROSS else name
        table = self.kinds[target] == "table" or (target == name and self.kinds[name] == "incremental")
        if not number or not table or self.kinds[name] == "ephemeral":
            return ()
        return (f"update {{{{ ref('{self.names[target]}') }}}} set n = n + {number}",)

    def hook_of_run(self, when):
        """Return a hook that gives the seed other rows before all, or adds to a model after all."""
        number = self.run_hooks[when]
        if not number or (when == "on_run_end" and self.kinds["d"] != "table"):
            return ()
        if when == "on_run_start":
            return (f"update s set n = {number}",)
        return (f"update {{{{ ref('{self.names['d']}') }}}} set n = n + {number}",)

    def seed(self, engine):
        LoadSeeds(self.project().reader.manifest(), engine, Recorder(), claim(), clock=self.clock)()

    def run(self, engine, skipping, select=None):
        project = self.project()
        manifest = project.reader.manifest()
        compiler = CompileModels(manifest, project.renderer, engine.dialect, {}, {})
        build = BuildModel(manifest, engine, compiler, project.reader, project.functions)
        run = RunModels(manifest, engine, build, Recorder(), self.clock, claim(run=uuid4().hex), skipping=skipping)
        return run(selection(select, None))

    def tables(self, engine):
        stand = [self.names[name] for name in NAMES if self.kinds[name] != "ephemeral"]
        return {one: sorted(engine.session.query(f"select k, n from {one}").rows) for one in [*stand, "last"]}


class DuckDBEdits(Edits):
    """The same on DuckDB, which tells of others even what its catalog does not show."""

    profile = staticmethod(
        lambda path: DuckDBProfile.model_validate({"engine": "duckdb", "duckdb": {"path": str(path)}})
    )
    open_engine = staticmethod(open_duckdb)

    @rule(name=st.sampled_from(NAMES), sql=st.sampled_from(FOREIGN))
    def change_rows_behind_our_back(self, name, sql):
        """Let others write as many rows of the same columns, between two commands."""
        self.engine.session.close()
        with duckdb.connect(str(self.folder / "target.db")) as others:
            relation = self.names[name]
            kind = others.execute("select table_type from information_schema.tables where table_name = ?", [relation])
            if kind.fetchone() == ("BASE TABLE",):
                others.execute(sql.format(relation))
        self.engine = self.open_target(self.folder / "target.db")
        self.ran = False


def sequences(count):
    return settings(max_examples=count, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))


Edits.TestCase.settings = sequences(SEQUENCES)
TestStaleResults = Edits.TestCase
DuckDBEdits.TestCase.settings = sequences(DUCKDB_SEQUENCES)
TestStaleResultsOnDuckDB = DuckDBEdits.TestCase
