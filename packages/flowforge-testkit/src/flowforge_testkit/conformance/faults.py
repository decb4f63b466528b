"""Faults: whatever step of a build fails, readers find the old table or the new one; what passes is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flowforge_domain.capability import Capability
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.model import model
from flowforge_domain.results import RunReport
from flowforge_ports.engine import Engine
from flowforge_ports.project import ProjectPorts
from flowforge_testkit.conformance.ground import build, claims, needs, rows
from flowforge_testkit.conformance.use_cases import run
from flowforge_testkit.fakes import memory_project
from flowforge_testkit.faults import Faults, faulty

_MOST_STEPS = 60
_OLD, _NEW = [("old",)], [("new",)]


@model(deps=["ff_source"])
def ff_made(source: Any) -> Any:
    """Give back what it gets."""
    return source


@claims(Capability.ATOMIC_REPLACE)
@pytest.mark.parametrize("after", [False, True], ids=["instead", "after"])
def test_fault_at_any_step_of_a_sql_model_leaves_old_or_new(engine: Engine, after: bool) -> None:
    project = memory_project({"ff_t": "select 'new' as a"})
    assert_old_or_new(engine, project, "ff_t", after)


@needs(Capability.PYTHON_MODELS)
@claims(Capability.ATOMIC_REPLACE)
@pytest.mark.parametrize("after", [False, True], ids=["instead", "after"])
def test_fault_at_any_step_of_a_python_model_leaves_old_or_new(engine: Engine, after: bool) -> None:
    project = memory_project({"ff_source": "select 'new' as a", "ff_made": ff_made})
    assert_old_or_new(engine, project, "ff_made", after)


@claims(Capability.ATOMIC_REPLACE)
@pytest.mark.parametrize("after", [False, True], ids=["instead", "after"])
def test_fault_that_passes_at_any_step_is_made_good(engine: Engine, after: bool) -> None:
    project = memory_project({"ff_t": "select 'new' as a"})
    assert run(engine, project).ok
    for faults in _each_step(after, ErrorKind.TRANSIENT):
        build(engine, "ff_t", "select 'old' as a")
        report = run(faulty(engine, faults), project)
        assert report.ok, [result.error for result in report.results]
        assert rows(engine, "select a from ff_t") == _NEW, faults.struck
        if not faults.struck:
            break


@claims(Capability.ATOMIC_REPLACE, Capability.TRANSACTIONAL_STATE)
def test_commit_whose_answer_is_lost_is_not_made_twice(engine: Engine) -> None:
    """The state row tells that it was made."""
    project = memory_project({"ff_t": "select 'new' as a"})
    counted = Faults(at=0)
    assert run(engine, project).ok
    assert run(faulty(engine, counted), project).ok
    model = next(i for i, made in enumerate(counted.made) if "'new'" in made)
    commit = counted.made.index("commit", model)
    for after, builds in ((True, 1), (False, 2)):
        faults = Faults(at=commit + 1, after=after, kind=ErrorKind.TRANSIENT)
        report = run(faulty(engine, faults), project)
        assert (report.ok, report.retries) == (True, 1)
        assert sum("'new'" in made for made in faults.made) == builds
        assert rows(engine, "select a from ff_t") == _NEW


def assert_old_or_new(engine: Engine, project: ProjectPorts, relation: str, after: bool) -> None:
    """Fail at the first side effect of a run, then at the second, until a run has none left to fail at."""
    runs = 0
    assert run(engine, project).ok  # from here on each run takes the same steps
    for faults in _each_step(after):
        build(engine, relation, "select 'old' as a")
        report = _run(faulty(engine, faults), project)
        engine.session.rollback()
        if not faults.struck:
            assert report is not None
            assert report.ok, [result.error for result in report.results]
            break
        runs += 1
        found = rows(engine, f"select a from {relation}")
        assert found in (_OLD, _NEW), f"{faults.struck}: {found}"
        assert engine.catalog.relations()[relation].kind == "table"
    assert rows(engine, f"select a from {relation}") == _NEW
    assert runs >= 3, "a build has a beginning, a statement and an end"


def _each_step(after: bool, kind: ErrorKind = ErrorKind.UNKNOWN) -> Iterator[Faults]:
    yield from (Faults(step, after, kind) for step in range(1, _MOST_STEPS))
    pytest.fail(f"a build of more than {_MOST_STEPS} side effects")


def _run(engine: Engine, project: ProjectPorts) -> RunReport | None:
    try:
        return run(engine, project)
    except EngineError:
        return None
