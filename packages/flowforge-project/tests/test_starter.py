"""A new project: complete, green at once, and never written over anything."""

from __future__ import annotations

import pytest

from flowforge_bootstrap.project import Project
from flowforge_domain.errors import ConfigError
from flowforge_project.reader import FolderReader
from flowforge_project.starter import create_folder

SQLITE = {"path": ".local/data.sqlite"}
FILES = [
    ".gitignore",
    "models/customers.ff.sql",
    "models/marts/revenue_by_customer.ff.sql",
    "models/orders.ff.sql",
    "profiles.yml",
    "project.yml",
    "seeds/seed_customers.csv",
    "seeds/seed_orders.csv",
    "sources.yml",
]


def test_it_goes_green_at_once(tmp_path):
    assert create_folder(tmp_path / "shop", "sqlite", SQLITE) == FILES
    with Project.load(tmp_path / "shop") as project:
        assert [result.rows for result in project.seed().results] == [3, 4]
        assert [result.rows for result in project.run().results] == [3, 4, 3]
        assert [result.failure for result in project.test().results] == [""] * 4


@pytest.mark.parametrize(
    "name", ["shop", "123", "yes", "a: b", "#x", "[x]", "it's", 'say "x"', "日本", "{{ x }}", "-", "null"]
)
def test_any_folder_name_is_a_project_name(tmp_path, name):
    create_folder(tmp_path / name, "sqlite", SQLITE)
    assert FolderReader(tmp_path / name).manifest().name == name


def test_settings_of_the_engine_become_its_profile(tmp_path):
    create_folder(tmp_path, "other", {"path": "a: b", "nested": {"x": 1}})
    profile = FolderReader(tmp_path).profiles({})["default"]
    assert profile.settings == {"engine": "other", "other": {"path": "a: b", "nested": {"x": 1}}}


@pytest.mark.parametrize("name", FILES)
def test_an_existing_file_stops_everything(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="exists already") as caught:
        create_folder(tmp_path, "sqlite", SQLITE)
    assert name in caught.value.message
    assert [p.read_text() for p in tmp_path.rglob("*") if p.is_file()] == ["mine"]


def test_a_link_to_nowhere_is_not_followed(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "profiles.yml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="exists already"):
        create_folder(tmp_path / "shop", "sqlite", SQLITE)
    assert not (tmp_path / "elsewhere").exists()


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    create_folder(tmp_path, "sqlite", SQLITE)
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_way_is_named(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"is a file|cannot be written"):
        create_folder(tmp_path / place, "sqlite", SQLITE)
