"""The plugin is found by its entry point, and costs no driver."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

from flowforge_domain.capability import Capability
from flowforge_duckdb.plugin import SPEC, flowforge_engines

HEAVY = ("duckdb", "pandas", "pyarrow", "numpy", "filelock", "pydantic")


def test_entry_point_leads_to_the_plugin():
    found = [point for point in entry_points(group="flowforge", name="duckdb") if point.dist.name == "flowforge-duckdb"]
    assert [point.value for point in found] == ["flowforge_duckdb.plugin"]
    assert flowforge_engines() == [SPEC]


def test_every_capability_is_declared():
    assert SPEC.capabilities == frozenset(Capability)


def loaded_after(code):
    script = f"import sys; {code}; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_plugin_imports_nothing_heavy():
    assert loaded_after("import flowforge_duckdb.plugin") == []


def test_engine_for_sql_alone_imports_no_frame_library():
    assert "duckdb" in loaded_after("import flowforge_duckdb.engine")
    assert not {"pandas", "pyarrow", "numpy"} & set(loaded_after("import flowforge_duckdb.engine"))
