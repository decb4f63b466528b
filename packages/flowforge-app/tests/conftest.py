"""A project in memory on the sqlite reference engine, with every use case put together by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flowforge_app.build_docs import BuildDocs
from flowforge_app.build_model import BuildModel
from flowforge_app.build_project import BuildProject
from flowforge_app.clean_target import CleanTarget
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.run_checks import RunChecks
from flowforge_app.run_models import RunModels
from flowforge_app.show_model import ShowModel
from flowforge_domain.results import BuildReport, RunReport
from flowforge_domain.selection import selection
from flowforge_ports.docs import SiteContent
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Notice
from flowforge_ports.project import ProjectPorts
from flowforge_testkit.fakes import Clock, Recorder, claim, memory_project
from flowforge_testkit.sqlite.engine import open_engine
from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings


class ContentSite:
    """A site that only keeps what it was given."""

    def __init__(self) -> None:
        self.content = SiteContent(memory_project({}).reader.manifest())

    def write(self, out_dir: Path, content: SiteContent) -> Path:
        self.content = content
        return out_dir / "index.html"


@dataclass
class World:
    """One engine, one project, and what happened."""

    engine: Engine
    project: ProjectPorts = field(default_factory=lambda: memory_project({}))
    recorder: Recorder = field(default_factory=Recorder)
    environment: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def given(self, models: Any, **more: Any) -> World:
        self.project = memory_project(models, **more)
        return self

    @property
    def manifest(self):
        return self.project.reader.manifest()

    @property
    def compiler(self):
        target = {"name": "dev", "engine": "sqlite"}
        return CompileModels(self.manifest, self.project.renderer, self.engine.dialect, target, self.environment)

    def runner(self, engine=None, jobs=1, no_cache=False, verify=False) -> RunModels:
        engine = engine or self.engine
        build = BuildModel(self.manifest, engine, self.compiler, self.project.reader, self.project.functions)
        return RunModels(
            self.manifest,
            engine,
            build,
            self.recorder,
            self.clock,
            claim(run=uuid4().hex),
            jobs,
            skipping=Skipping(no_cache, verify),
        )

    def run(self, select=None, exclude=None, engine=None, jobs=1, no_cache=False, verify=False) -> RunReport:
        return self.runner(engine, jobs, no_cache, verify)(selection(select, exclude))

    def build(self, select=None, exclude=None, engine=None, jobs=1) -> BuildReport:
        engine = engine or self.engine
        seeds = LoadSeeds(self.manifest, engine, self.recorder, claim())
        checks = RunChecks(self.manifest, engine, self.recorder)
        return BuildProject(seeds, self.runner(engine, jobs), checks)(selection(select, exclude))

    def seed(self, select=None, engine=None):
        return LoadSeeds(self.manifest, engine or self.engine, self.recorder, claim())(selection(select))

    def check(self, select=None, exclude=None):
        return RunChecks(self.manifest, self.engine, self.recorder)(selection(select, exclude))

    def clean(self, dry_run=False, drop=()):
        return CleanTarget(self.manifest, self.engine, claim())(dry_run, drop)

    def show(self, name, limit=10):
        return ShowModel(self.manifest, self.engine)(name, limit)

    def site(self, compiler=None):
        site = ContentSite()
        BuildDocs(self.manifest, self.project.reader, site, compiler)(Path("out"))
        return site.content

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self.engine.session.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.engine.session.query(query).rows

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.recorder.events if isinstance(event, Notice)]

    def state(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select state ->> '$.model', state ->> '$.rows' from _flowforge_state where relation <> '*' order by 1"
        )

    def without(self, **ports: Any) -> Engine:
        return replace(self.engine, **ports)


@pytest.fixture
def world(tmp_path):
    engine = open_engine(SqliteProfile(engine="sqlite", sqlite=SqliteSettings(path="data.sqlite")), tmp_path, claim())
    yield World(engine)
    engine.session.close()
