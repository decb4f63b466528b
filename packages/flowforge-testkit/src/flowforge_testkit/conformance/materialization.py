"""A plugin's materialization: what everyone relies on, whatever its plan does."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from uuid import uuid4

from flowforge_app.build_model import BuildModel
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.run_models import RunModels
from flowforge_domain.config import BUILT_IN, ModelConfig
from flowforge_domain.model import model
from flowforge_domain.results import RunReport
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.engine import Engine
from flowforge_ports.materialization import MaterializationSpec
from flowforge_testkit.conformance.ground import build, rows
from flowforge_testkit.conformance.use_cases import raise_first
from flowforge_testkit.fakes import Clock, Model, Recorder, claim, memory_project

_FIRST = "select 1 as id, 'ann' as name union all select 2, 'bob'"
_NEXT = "select 2 as id, 'bert' as name union all select 3, 'cyd'"


@model(deps=["ff_new"])
def ff_made(new: Any) -> Any:
    """Give what is new."""
    return new


def test_its_name_is_free(materialization: MaterializationSpec) -> None:
    assert materialization.name not in BUILT_IN
    assert callable(resolve_name(materialization.plan))


def test_the_first_build_holds_every_row(
    engine: Engine, materialization: MaterializationSpec, config: ModelConfig
) -> None:
    raise_first(_made(engine, materialization, config, _FIRST))
    assert rows(engine, "select id, name from ff_made") == [(1, "ann"), (2, "bob")]


def test_builds_follow_one_another_and_leave_no_helper(
    engine: Engine, materialization: MaterializationSpec, config: ModelConfig
) -> None:
    for new in (_FIRST, _NEXT, _NEXT):
        raise_first(_made(engine, materialization, config, new))
    assert set(engine.catalog.relations()) == {"ff_new", "ff_made", STATE_TABLE}
    assert (3, "cyd") in rows(engine, "select id, name from ff_made")


def test_a_failed_build_leaves_all_as_it_was(
    engine: Engine, materialization: MaterializationSpec, config: ModelConfig
) -> None:
    raise_first(_made(engine, materialization, config, _FIRST))
    assert not _made(engine, materialization, config, _FIRST, {"ff_made": "select * from ff_nowhere"}).ok
    assert rows(engine, "select id, name from ff_made") == [(1, "ann"), (2, "bob")]
    assert set(engine.catalog.relations()) == {"ff_new", "ff_made", STATE_TABLE}


def test_python_models_are_materialized_alike(
    engine: Engine, materialization: MaterializationSpec, config: ModelConfig
) -> None:
    found = []
    for form in ("select * from {{ ref('ff_new') }}", ff_made):
        if "ff_made" in engine.catalog.relations():
            engine.session.execute("drop table ff_made")
        for new in (_FIRST, _NEXT):
            models = {"ff_new": f"select * from ({new}) as t", "ff_made": form}
            raise_first(_made(engine, materialization, config, new, models))
        found.append(rows(engine, "select id, name from ff_made"))
    assert found[0] == found[1]


def _made(
    engine: Engine,
    materialization: MaterializationSpec,
    config: ModelConfig,
    new: str,
    models: dict[str, Model] | None = None,
) -> RunReport:
    if not models:
        build(engine, "ff_new", new)
    given = models or {"ff_made": "select * from ff_new"}
    project = memory_project(given, configs={"ff_made": config}, root=Path("project"))
    manifest = project.reader.manifest()
    compiler = CompileModels(manifest, project.renderer, engine.dialect, {}, {})
    plans = {materialization.name: resolve_name(materialization.plan)}
    built = BuildModel(manifest, engine, compiler, project.reader, project.functions, plans)
    return RunModels(
        manifest, engine, built, Recorder(), Clock(), claim(run=uuid4().hex), skipping=Skipping(no_cache=True)
    )()
