from __future__ import annotations

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


@pytest.mark.parametrize("name", ["", "My Engine", "9lives", "a-b", "Oracle", "class"])
def test_a_name_that_no_engine_can_have(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be an engine's name"):
        create_plugin(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_a_name_that_an_engine_of_ours_has(tmp_path):
    for name in ("duckdb", "sqlite"):
        with pytest.raises(ConfigError, match=f"'{name}' is an engine of FlowForge's own"):
            create_plugin(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_it_overwrites_nothing(tmp_path):
    create_plugin(tmp_path, "one")
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        create_plugin(tmp_path, "one")
    assert (tmp_path / "README.md").read_text() == "mine"
