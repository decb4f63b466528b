"""A plugin's materialization is announced, found and used; the one of the guide passes the kit as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowforge_bootstrap.plugins import Plugins
from flowforge_domain.errors import PluginError
from flowforge_ports.materialization import MaterializationSpec
from flowforge_testkit.conformance import MaterializationConformance

PAGE = Path(__file__).parents[3] / "docs/guide/materializations.md"


@pytest.fixture
def plugin(monkeypatch):
    """The guide's plugin as a module."""
    code = next(
        code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "hookimpl" in code
    )
    module = ModuleType("my_plugin")
    exec(compile(code, "my_plugin.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "my_plugin", module)
    return module


class TestTheGuidesMaterialization(MaterializationConformance):
    @pytest.fixture
    def materialization(self, plugin):
        return plugin.flowforge_materializations()[0]


def test_it_is_planned_beside_the_built_in_ones(plugin):
    spec = plugin.flowforge_materializations()[0]
    plans = Plugins(materializations={spec.name: [("my-plugin", spec)]}).plans()
    assert set(plans) == {"incremental", "snapshot", "insert_only"}


def test_a_name_that_is_built_in_cannot_be_taken(plugin):
    found = {"table": [("my-plugin", MaterializationSpec("table", "my_plugin:plan"))]}
    with pytest.raises(PluginError, match="'table' is built in; my-plugin claims it too"):
        Plugins(materializations=found).plans()
