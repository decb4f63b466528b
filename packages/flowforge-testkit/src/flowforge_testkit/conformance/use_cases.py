"""Use cases on this engine: what is declared works through them, what is declined is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flowforge_app.build_model import BuildModel
from flowforge_app.build_project import BuildProject
from flowforge_app.clean_target import CleanTarget
from flowforge_app.compile_models import CompileModels
from flowforge_app.due_models import Skipping
from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.run_checks import RunChecks
from flowforge_app.run_models import RunModels
from flowforge_domain.capability import Capability
from flowforge_domain.checks import Check
from flowforge_domain.errors import EngineError, ErrorKind, causes
from flowforge_domain.model import Seed, model
from flowforge_domain.results import CheckResult, ModelResult, RunReport, Status
from flowforge_domain.state import STATE_TABLE
from flowforge_domain.swap import aside
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Notice
from flowforge_ports.project import ProjectPorts
from flowforge_testkit.conformance.ground import build, claims, needs, rows
from flowforge_testkit.fakes import Clock, Pauses, Recorder, claim, memory_project


@model(deps=["ff_users"])
def ff_copy(users: Any) -> Any:
    """Give back what it gets: every engine's frames can."""
    return users


@model(deps=["ff_users"], pre_hook="select id from ff_users")
def ff_hooked(users: Any) -> Any:
    """Give back what it gets, after a hook whose rows nobody takes."""
    return users


@model(deps=["ff_users"])
def ff_wrong(users: Any) -> Any:
    """Return what is no frame."""
    return 42


def test_models_run_in_order(engine: Engine) -> None:
    report = run(
        engine,
        memory_project(
            {
                "ff_adults": "select id from {{ ref('ff_users') }} where age >= 18",
                "ff_users": "create or replace table ff_users as select 1 as id, 17 as age union all select 2, 18",
            }
        ),
    )
    assert [(r.name, r.status, r.rows in {2, 1, None}) for r in report.results] == [
        ("ff_users", Status.BUILT, True),
        ("ff_adults", Status.BUILT, True),
    ]
    assert rows(engine, "select id from ff_adults") == [(2,)]
    assert STATE_TABLE in engine.catalog.relations()


def test_run_twice_gives_the_same(engine: Engine) -> None:
    project = memory_project({"ff_users": "select 1 as id"})
    assert run(engine, project).ok
    assert run(engine, project).ok
    assert rows(engine, "select id from ff_users") == [(1,)]


def test_what_a_killed_run_has_left_is_listed_and_gone_after_the_next(engine: Engine) -> None:
    project = memory_project({"ff_t": "select 1 as a"})
    assert run(engine, project).ok
    build(engine, aside("ff_t"), "select 9 as a")
    [left] = CleanTarget(project.reader.manifest(), engine, claim())(dry_run=True)
    assert (left.relation, left.model, left.doubt) == (aside("ff_t"), "ff_t", "")
    assert run(engine, project).ok
    assert set(engine.catalog.relations()) == {"ff_t", STATE_TABLE}
    assert rows(engine, "select a from ff_t") == [(1,)]


def test_two_projects_in_one_process_keep_apart(engine: Engine, another: Callable[[], Engine]) -> None:
    """Each has its own open engine; closing one leaves the other working."""
    second = another()
    ours, theirs = memory_project({"ff_ours": "select 1 as a"}), memory_project({"ff_theirs": "select 2 as a"})
    for _ in range(2):
        raise_first(run(engine, ours))
        raise_first(run(second, theirs))
    second.session.close()
    raise_first(run(engine, ours))
    assert rows(engine, "select a from ff_ours") == [(1,)]


@needs(Capability.VIEWS)
def test_view_model_runs(engine: Engine) -> None:
    """Also one that reads a table, and one that reads that view and takes the place of a table."""
    models = {
        "ff_users": "select 1 as id",
        "ff_view": "create view ff_view as with ids as (select id from {{ ref('ff_users') }}) select id from ids",
        "ff_next": "create view ff_next as select id + 1 as id from {{ ref('ff_view') }}",
    }
    build(engine, "ff_next", "select 'old' as a")
    raise_first(run(engine, memory_project(models), full_refresh=True))
    assert [engine.catalog.relations()[name].kind for name in models] == ["table", "view", "view"]
    assert rows(engine, "select id from ff_next") == [(2,)]


@needs(Capability.PYTHON_MODELS)
def test_python_model_runs(engine: Engine) -> None:
    report = run(engine, memory_project({"ff_users": "select 1 as id, 'ann' as name", "ff_copy": ff_copy}))
    raise_first(report)
    assert rows(engine, "select id, name from ff_copy") == [(1, "ann")]


@needs(Capability.PYTHON_MODELS)
def test_python_model_runs_after_a_hook_that_is_a_query(engine: Engine) -> None:
    users = "select 1 as id union all select 2 union all select 3"
    raise_first(run(engine, memory_project({"ff_users": users, "ff_hooked": ff_hooked})))
    assert rows(engine, "select id from ff_hooked order by id") == [(1,), (2,), (3,)]


@needs(Capability.PYTHON_MODELS)
def test_python_model_that_returns_no_frame_fails_and_keeps_its_table(engine: Engine) -> None:
    build(engine, "ff_wrong", "select 'old' as a")
    report = run(engine, memory_project({"ff_users": "select 1 as id", "ff_wrong": ff_wrong}), full_refresh=True)
    failed = report.results[1].error
    if failed is not None and not caused_by(failed, ErrorKind.DATA):
        raise failed
    assert failed is not None, "a model that returned 42 was built"
    assert rows(engine, "select a from ff_wrong") == [("old",)]


@claims(Capability.ATOMIC_REPLACE)
def test_failed_model_keeps_its_table_and_skips_what_follows(engine: Engine) -> None:
    build(engine, "ff_users", "select 'old' as a")
    report = run(
        engine,
        memory_project(
            {"ff_users": "select missing_one from ff_nowhere", "ff_next": "select * from {{ ref('ff_users') }}"}
        ),
        full_refresh=True,
    )
    assert [r.status for r in report.results] == [Status.FAILED, Status.SKIPPED]
    assert rows(engine, "select a from ff_users") == [("old",)]
    assert "ff_next" not in engine.catalog.relations()


@pytest.mark.parametrize("head", ["", "create or replace table ff_wrong as "])
def test_caret_stands_below_what_is_wrong(engine: Engine, head: str) -> None:
    """Also where the relation is built under another name first; an engine that tells no column shows no caret."""
    models = {"ff_users": "select 1 as id", "ff_wrong": f"{head}select missing_one from {{{{ ref('ff_users') }}}}"}
    wrong = run(engine, memory_project(models)).results[1].error
    assert wrong is not None
    shown = wrong.snippet.splitlines()
    assert len(shown) < 2 or shown[0].startswith("missing_one", shown[1].index("^")), wrong.snippet


@claims(Capability.ATOMIC_REPLACE)
def test_one_of_several_light_models_fails_alone(engine: Engine) -> None:
    """Also where a dialect has light models share a transaction."""
    build(engine, "ff_light_1", "select 'old' as a")
    light = {f"ff_light_{i}": "select 'new' as a from {{ ref('ff_users') }}" for i in range(3)}
    failing = {"ff_light_1": "select missing_one from {{ ref('ff_users') }}"}
    report = run(engine, memory_project({"ff_users": "select 1 as id"} | light | failing), full_refresh=True)
    assert [r.name for r in report.results if r.status is Status.FAILED] == ["ff_light_1"]
    assert [rows(engine, f"select a from ff_light_{i}") for i in range(3)] == [[("new",)], [("old",)], [("new",)]]


@needs(Capability.CSV_SEEDS)
def test_csv_seed_is_loaded(engine: Engine, tmp_path: Path) -> None:
    """And where its next content gives a column another type, that is told with the cell."""
    assert load_text(engine, tmp_path, "csv", "id,name\n1,ann\n") == 1
    assert rows(engine, "select id, name from ff_seed") == [(1, "ann")]
    recorder = Recorder()
    assert load_text(engine, tmp_path, "csv", "id,name\n2,ann\nx,bob\n", recorder) == 2
    assert rows(engine, "select id from ff_seed order by name") == [("2",), ("x",)]
    (told,) = [event.message for event in recorder.events if isinstance(event, Notice)]
    assert told.startswith("seeds/seed.csv:3: id was ")
    assert " because of 'x'; " in told


@needs(Capability.SQL_SEEDS)
def test_sql_seed_is_loaded(engine: Engine, tmp_path: Path) -> None:
    assert load_text(engine, tmp_path, "sql", "select 1 as id, 'ann' as name") == 1
    assert rows(engine, "select id, name from ff_seed") == [(1, "ann")]


def test_checks_run(engine: Engine) -> None:
    build(engine, "ff_users", "select 1 as id union all select 1")
    wanted = [Check("not_null", "ff_users", "id"), Check("unique", "ff_users", "id"), Check("unique", "ff_gone", "id")]
    project = memory_project({}, checks=wanted)
    report = RunChecks(project.reader.manifest(), engine, Recorder())()
    assert [(r.ok, bool(r.failure), r.error is not None) for r in report.results] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


@needs(Capability.CSV_SEEDS)
def test_build_loads_seeds_then_builds_and_tests_in_the_order_of_the_graph(engine: Engine, tmp_path: Path) -> None:
    """A test that fails stops what reads its model; what does not read it goes on."""
    models = {
        "ff_next": "select id from {{ ref('ff_users') }}",
        "ff_users": "select id, name from {{ ref('ff_seed') }}",
        "ff_apart": "select count(*) as n from {{ ref('ff_seed') }}",
    }
    checks = [Check("unique", "ff_seed", "id"), Check("not_null", "ff_users", "name")]
    recorder = Recorder()
    for names, failing in ((("ann", ""), ["ff_users.name"]), (("ann", "bob"), [])):
        text = "id,name\n" + "".join(f"{i},{name}\n" for i, name in enumerate(names, 1))
        project = memory_project(models, seeds=[written_seed(tmp_path, "csv", text)], checks=checks)
        seeds = LoadSeeds(project.reader.manifest(), engine, recorder, claim())
        tests = RunChecks(project.reader.manifest(), engine, recorder)
        report = BuildProject(seeds, runner(engine, project, recorder=recorder), tests)()
        assert [(result.name, result.rows) for result in report.seeds.results] == [("ff_seed", 2)]
        assert [result.check.subject for result in report.checks.results if not result.ok] == failing
        skipped = [result.name for result in report.models.results if result.status is Status.SKIPPED]
        assert skipped == ["ff_next"] * len(failing)
        assert rows(engine, "select n from ff_apart") == [(2,)]
    assert rows(engine, "select id from ff_next order by id") == [(1,), (2,)]
    ended = [event for event in recorder.events if isinstance(event, ModelResult | CheckResult)][-5:]
    order = [event.name if isinstance(event, ModelResult) else event.check.subject for event in ended]
    assert order.index("ff_users") < order.index("ff_users.name") < order.index("ff_next")


def run(engine: Engine, project: ProjectPorts, full_refresh: bool = False, clock: Clock | None = None) -> RunReport:
    """Run a project's models through the use case itself."""
    return runner(engine, project, full_refresh, clock)()


def runner(
    engine: Engine,
    project: ProjectPorts,
    full_refresh: bool = False,
    clock: Clock | None = None,
    recorder: Recorder | None = None,
    no_cache: bool = True,
) -> RunModels:
    """Return the use case that runs a project's models, all of them each time unless `no_cache` is False."""
    manifest = project.reader.manifest()
    compiler = CompileModels(manifest, project.renderer, engine.dialect, {"engine": engine.name}, {})
    built = BuildModel(manifest, engine, compiler, project.reader, project.functions)
    return RunModels(
        manifest,
        engine,
        built,
        recorder or Recorder(),
        clock or Clock(),
        claim(run=uuid4().hex),
        full_refresh=full_refresh,
        patience=Pauses().patience(),
        skipping=Skipping(no_cache),
    )


def load_text(engine: Engine, folder: Path, kind: str, text: str, recorder: Recorder | None = None) -> int:
    """Load one seed through the use case and return its rows."""
    manifest = memory_project({}, seeds=[written_seed(folder, kind, text)]).reader.manifest()
    return LoadSeeds(manifest, engine, recorder or Recorder(), claim())().results[0].rows


def written_seed(folder: Path, kind: str, text: str) -> Seed:
    """Write the file of the seed `ff_seed`."""
    path = folder / f"seed.{kind}"
    path.write_text(text, encoding="utf-8")
    return Seed("ff_seed", kind, path, "ff_seed", f"seeds/seed.{kind}")  # type: ignore[arg-type]


def raise_first(report: RunReport) -> None:
    """Raise the first error of a run, so that a refusal is seen as one."""
    for result in report.results:
        if result.error is not None:
            raise result.error


def caused_by(error: BaseException | None, kind: ErrorKind) -> bool:
    """Tell whether an engine's error of this kind is behind an error."""
    return any(isinstance(each, EngineError) and each.kind is kind for each in causes(error))
