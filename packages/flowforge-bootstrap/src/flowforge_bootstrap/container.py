"""The container: how ports, profile, engine and use cases are put together.

The only importer of dependency-injector, and imported only when an engine is needed: it costs most of a second with
some libraries beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from dependency_injector import containers, providers

from flowforge_app.build_model import BuildModel
from flowforge_app.build_project import BuildProject
from flowforge_app.clean_target import CleanTarget
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.explain_model import ExplainModel
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.past_runs import PastRuns
from flowforge_app.run_checks import RunChecks
from flowforge_app.run_models import RunModels
from flowforge_app.show_model import ShowModel
from flowforge_bootstrap.built_texts import text_file
from flowforge_bootstrap.engines import now, open_engine
from flowforge_bootstrap.profiles import ResolvedProfile
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress
from flowforge_ports.project import ProjectPorts
from flowforge_ports.sql import SqlAnalysis


def _engine(profile: ResolvedProfile, root: Path, claim: Claim, kept: Engine | None) -> Iterator[Engine]:
    """Open an engine and close it after, unless its data would end with it; `kept` is one that was left open."""
    engine = kept or open_engine(profile, root, claim)
    try:
        yield engine
    finally:
        if engine.keeps:
            engine.session.close()


class Container(containers.DeclarativeContainer):
    """One command's objects; `shutdown_resources()` closes the engine."""

    project = providers.Dependency(instance_of=ProjectPorts)
    manifest = providers.Dependency(instance_of=Manifest)
    compiler = providers.Dependency(instance_of=CompileModels)
    profile = providers.Dependency(instance_of=ResolvedProfile)
    plans = providers.Dependency(instance_of=dict)
    plugins = providers.Dependency(instance_of=dict)
    sql: providers.Dependency[SqlAnalysis] = providers.Dependency()
    claim = providers.Dependency(instance_of=Claim)
    kept_engine: providers.Object[Engine | None] = providers.Object(None)
    progress: providers.Dependency[Progress] = providers.Dependency()

    stopped = providers.Singleton(Event)
    engine = providers.Resource(_engine, profile, manifest.provided.root, claim, kept_engine)
    build_model = providers.Factory(
        BuildModel, manifest, engine, compiler, project.provided.reader, project.provided.functions, plans
    )
    texts = providers.Factory(text_file, manifest.provided.root, engine)
    skipping = providers.Factory(Skipping, sql=sql, texts=texts, plugins=plugins)
    explain_model = providers.Factory(ExplainModel, manifest, engine, compiler, project.provided.reader, skipping)
    past_runs = providers.Factory(PastRuns, project.provided.journals)
    run_models = providers.Factory(
        RunModels,
        manifest,
        engine,
        build_model,
        progress,
        providers.Object(now),
        claim,
        past=past_runs.provided.seconds,
        stopped=stopped,
    )
    run_checks = providers.Factory(RunChecks, manifest, engine, progress)
    load_seeds = providers.Factory(LoadSeeds, manifest, engine, progress, claim)
    build_project = providers.Factory(BuildProject, seeds=load_seeds, models=run_models, checks=run_checks)
    clean_target = providers.Factory(CleanTarget, manifest, engine, claim)
    show_model = providers.Factory(ShowModel, manifest, engine)
