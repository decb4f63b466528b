from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from flowforge_bootstrap.new_plugin import create_plugin
from flowforge_domain.errors import ConfigError


def test_it_writes_a_package_without_a_gap(tmp_path):
    written = create_plugin(tmp_path / "new", "oracle")
    assert "src/flowforge_oracle/plugin.py" in written
    for name in written:
        text = (tmp_path / "new" / name).read_text("utf-8")
        assert "@" not in text.replace("@hookimpl", "").replace("@dataclass", "").replace("@pytest", ""), name
        if name.endswith(".py"):
            compile(text, name, "exec")


@pytest.mark.parametrize("name", ["", "My Engine", "9lives", "a-b", "Oracle", "class", "engine", "json"])
def test_a_name_that_no_engine_can_have(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be an engine's name"):
        create_plugin(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_name_that_an_engine_of_ours_has(tmp_path):
    for name in ("duckdb", "sqlite"):
        with pytest.raises(ConfigError, match=f"'{name}' is an engine of FlowForge's own"):
            create_plugin(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_name_whose_package_is_one_of_ours(tmp_path):
    ours = [path.name.removeprefix("flowforge-") for path in Path(__file__).parents[2].glob("flowforge*")]
    assert len(ours) > 15
    for name in ours:
        with pytest.raises(ConfigError, match="of FlowForge's own"):
            create_plugin(tmp_path / "new", name.replace("-", "_"))
    assert not (tmp_path / "new").exists()


def test_a_name_of_two_words(tmp_path):
    create_plugin(tmp_path, "mini_db")
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "flowforge-mini-db"
    assert project["entry-points"]["flowforge"] == {"mini_db": "flowforge_mini_db.plugin"}


def test_its_data_and_what_is_made_of_it_are_left_out_of_a_repository(tmp_path):
    create_plugin(tmp_path, "oracle")
    assert 'path": ".local/' in (tmp_path / "src/flowforge_oracle/plugin.py").read_text("utf-8")
    assert "dist/" in (tmp_path / ".gitignore").read_text("utf-8").splitlines()


def test_the_text_of_its_licence_lies_beside_it(tmp_path):
    create_plugin(tmp_path, "oracle")
    assert "Apache License" in (tmp_path / "LICENSE").read_text("utf-8")


def test_it_overwrites_nothing(tmp_path):
    create_plugin(tmp_path, "one")
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        create_plugin(tmp_path, "one")
    assert (tmp_path / "README.md").read_text() == "mine"
