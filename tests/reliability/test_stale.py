"""R3: whatever is edited, dropped and run in whatever order, after a run every table is what a rebuild would give."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from counts import SEQUENCES
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
from flowforge_domain.model import Seed, model
from flowforge_domain.selection import selection
from flowforge_testkit.fakes import Clock, Recorder, claim, memory_project
from flowforge_testkit.sqlite.engine import open_engine
from flowforge_testkit.sqlite.frames import Frame
from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings

NAMES = ("a", "b", "c", "d", "e")
READS = {"a": "s", "b": "a", "c": "b", "d": "b", "e": "d"}
KINDS = ("table", "view", "ephemeral")


@pytest.fixture(autouse=True)
def counted(record_property):
    record_property("trials", SEQUENCES)


@model(deps=["c"])
def last(frame):
    return Frame(("n",), [{"n": row["n"]} for row in frame.rows])


def open_target(path):
    return open_engine(SqliteProfile(engine="sqlite", sqlite=SqliteSettings(path=str(path))), Path(), claim())


class Edits(RuleBasedStateMachine):
    """A project that is edited, and the target that its runs leave."""

    def __init__(self):
        super().__init__()
        self.open = ExitStack()
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.engine = open_target(self.folder / "target.sqlite")
        self.open.callback(self.engine.session.close)
        self.clock = Clock()
        self.skipping = Skipping(texts=TextFile(self.folder / "built.json"))
        self.numbers = dict.fromkeys(NAMES, 1)
        self.kinds = dict.fromkeys(NAMES, "table")
        self.names = {name: name for name in NAMES}
        self.variable = 0
        self.ran = False
        self.seed_file = self.folder / "s.csv"
        self.edit_seed(1)

    def teardown(self):
        self.open.close()

    @rule(number=st.integers(0, 3))
    def edit_seed(self, number):
        self.seed_file.write_text(f"n\n{number}\n{number + 1}\n")
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

    @rule(name=st.sampled_from(NAMES))
    def rename(self, name):
        self.names[name] = name if self.names[name] != name else f"{name}_renamed"
        self.ran = False

    @rule(name=st.sampled_from(NAMES), replaced=st.booleans())
    def drop_behind_our_back(self, name, replaced):
        entry = self.engine.catalog.relations().get(self.names[name])
        if entry is not None:
            self.engine.session.execute(f"drop {entry.kind} {self.names[name]}")
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

    @invariant()
    def every_table_is_what_a_rebuild_gives(self):
        if not self.ran:
            return
        with tempfile.TemporaryDirectory() as folder:
            scratch = open_target(Path(folder) / "scratch.sqlite")
            try:
                self.seed(scratch)
                assert self.run(scratch, Skipping(no_cache=True)).ok
                assert self.tables(self.engine) == self.tables(scratch)
            finally:
                scratch.session.close()
        again = self.run(self.engine, self.skipping)
        assert {result.status.value for result in again.results} <= {"unchanged"}
        self.ran = False

    def project(self):
        now = self.names
        sql = {
            now[name]: f"select n + {self.numbers[name]} + {{{{ var('x') }}}} as n "
            f"from {{{{ ref('{now.get(READS[name], READS[name])}') }}}}"
            for name in NAMES
        }
        last.__flowforge_model__ = model(deps=[now["c"]])(lambda frame: frame).__flowforge_model__
        configs = {now[name]: ModelConfig(materialized=self.kinds[name]) for name in NAMES}
        seed = Seed("s", "csv", self.seed_file, "s", "seeds/s.csv")
        return memory_project(sql | {"last": last}, seeds=[seed], configs=configs, variables={"x": self.variable})

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
        return {one: sorted(engine.session.query(f"select n from {one}").rows) for one in [*stand, "last"]}


Edits.TestCase.settings = settings(
    max_examples=SEQUENCES, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStaleResults = Edits.TestCase
