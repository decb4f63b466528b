from __future__ import annotations

import pytest

from flowforge_bootstrap.new_project import create_project
from flowforge_bootstrap.project import Project
from flowforge_domain.errors import ConfigError, PluginError


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_it_goes_green_at_once(tmp_path, engine):
    written = create_project(tmp_path / "new", engine)
    assert all((tmp_path / "new" / name).is_file() for name in written)
    with Project.load(tmp_path / "new") as project:
        assert project.seed().results
        assert project.run().ok
        assert project.test().results
        assert project.test().ok


def test_our_own_engine_is_the_default(tmp_path):
    create_project(tmp_path / "new")
    assert "engine: duckdb" in (tmp_path / "new" / "profiles.yml").read_text()


def test_an_engine_that_another_hands_over_to_is_written_as_its_setting(tmp_path):
    create_project(tmp_path, "databricks_spark+iceberg")
    with Project.load(tmp_path) as project:
        found = project.workspace.profile(project.workspace.ports())
    assert (found.spec.name, found.settings.engine) == ("databricks_spark+iceberg", "databricks_spark")


def test_an_engine_that_is_not_installed(tmp_path):
    with pytest.raises(PluginError):
        create_project(tmp_path / "new", "oracle")
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path):
    create_project(tmp_path, "sqlite")
    (tmp_path / "project.yml").write_text("name: mine\n")
    with pytest.raises(ConfigError, match="exists already"):
        create_project(tmp_path, "sqlite")
    assert (tmp_path / "project.yml").read_text() == "name: mine\n"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        create_project(tmp_path / "file" / "new", "sqlite")
