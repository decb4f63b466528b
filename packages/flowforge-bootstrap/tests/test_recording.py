"""Artifacts of real runs: what is written, when, and what is left alone."""

from __future__ import annotations

import json

import pytest

from flowforge_bootstrap.project import open_project
from flowforge_domain.errors import FlowForgeError
from flowforge_ports.progress import Notice
from flowforge_testkit.fakes import Recorder


@pytest.fixture
def project(tmp_path):
    (tmp_path / "models/deep").mkdir(parents=True)
    (tmp_path / "profiles.yml").write_text("default: {engine: sqlite, sqlite: {path: x.sqlite}}\n")
    (tmp_path / "models/a.ff.sql").write_text("select 1 as n")
    (tmp_path / "models/deep/b.ff.sql").write_text("select * from {{ ref('a') }}")
    return open_project(tmp_path, progress=Recorder())


def folder(project):
    return project.workspace.root / ".flowforge"


def written(project):
    """Return every artifact by name, and when it was written."""
    return {p.name: p.stat().st_mtime_ns for p in folder(project).rglob("*") if p.suffix in (".json", ".sql")}


def test_a_run_writes_its_artifacts(project):
    project.run()
    assert (folder(project) / "compiled/models/deep/b.sql").read_text() == "create table `b` as select * from `a`"
    assert set(json.loads((folder(project) / "manifest.json").read_text())["nodes"]) == {"a", "b"}
    assert json.loads((folder(project) / "run_results.json").read_text())["status"] == "ok"
    assert not list(folder(project).rglob("*.tmp"))


def test_only_what_changed_is_written_again(project):
    # The second run notes which texts it found stable.
    project.run()
    project.run()
    before = written(project)
    project.run()
    after = written(project)
    assert {name for name in after if after[name] != before[name]} == {"run_results.json"}
    (project.workspace.root / "models/a.ff.sql").write_text("select 2 as n")
    project.run()
    assert {name for name, when in written(project).items() if when != after[name]} >= {"a.sql", "manifest.json"}


def test_the_sql_of_a_model_that_failed_is_there_to_look_at(project):
    (project.workspace.root / "models/a.ff.sql").write_text("select nosuch")
    assert not project.run().ok
    assert "select nosuch" in (folder(project) / "compiled/models/a.sql").read_text()
    assert not (folder(project) / "compiled/models/deep").exists()


def test_a_wrong_project_leaves_nothing(project):
    (project.workspace.root / "models/a.ff.sql").write_text("select {{")
    with pytest.raises(FlowForgeError, match=r"a\.ff\.sql"):
        project.run()
    assert not (folder(project) / "run_results.json").exists()


def test_what_cannot_be_written_is_told_and_fails_nothing(project):
    (folder(project) / "run_results.json").mkdir(parents=True)
    assert project.run().ok
    told = [event.message for event in project.target.progress.events if isinstance(event, Notice)]
    assert ["cannot be written" in message for message in told] == [True]


def test_two_projects_that_say_the_same_have_the_same_manifest(project, tmp_path_factory):
    project.run()
    first, root = (folder(project) / "manifest.json").read_bytes(), project.workspace.root
    other = tmp_path_factory.mktemp("other") / root.name
    root.rename(other)
    (other / ".flowforge/manifest.json").unlink()
    open_project(other).run()
    assert (other / ".flowforge/manifest.json").read_bytes() == first
