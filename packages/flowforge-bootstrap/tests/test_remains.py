"""What a killed process has left is gone after the next run; what a living one is writing stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flowforge_bootstrap.project import open_project


@pytest.fixture
def project(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "profiles.yml").write_text("default: {engine: sqlite, sqlite: {path: x.sqlite}}\n")
    (tmp_path / "models/a.ff.sql").write_text("select 1 as n")
    (tmp_path / "models/b.ff.sql").write_text("select 2 as n")
    made = open_project(tmp_path)
    made.run()
    return made


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def folder(project):
    return project.workspace.root / ".flowforge"


def left(project):
    return {path.relative_to(folder(project)).as_posix() for path in folder(project).rglob("*.tmp")}


def test_files_of_dead_processes_are_removed(project, dead):
    for name in (f"manifest.json.{dead}.tmp", f"cache/parse.{dead}.140.tmp", f"compiled/models/a.sql.{dead}.tmp"):
        (folder(project) / name).write_text("half")
    project.run()
    assert left(project) == set()


def test_files_of_living_processes_and_of_strangers_stay(project):
    names = {f"manifest.json.{os.getppid()}.tmp", "notes.tmp", "runs/99999999999999999999.tmp"}
    for name in names:
        (folder(project) / name).write_text("whole")
    project.run()
    assert left(project) == names


def test_the_sql_of_a_killed_run_is_there_though_its_models_are_not_built_again(project, dead):
    sql = folder(project) / "compiled/models/a.sql"
    before = sql.read_text()
    sql.unlink()
    lines = [
        json.dumps(["models/a.ff.sql", before]),
        json.dumps(["../../../evil.ff.sql", "x"]),
        '["models/b.ff.sql", "to',
    ]
    (folder(project) / f"running.{dead}.tmp").write_text("\n".join(lines))
    assert {result.status.value for result in project.run().results} == {"unchanged"}
    assert sql.read_text() == before
    assert left(project) == set()
    assert not list(project.workspace.root.parent.rglob("evil*"))
    assert "2" in (folder(project) / "compiled/models/b.sql").read_text()
