from __future__ import annotations

import subprocess
import sys

import pytest

from flowforge.errors import ProfileError
from flowforge.settings import DuckDBProfile, EnvSettings, resolve_profile


def test_the_profile_of_a_project(example):
    profile = resolve_profile(example, "dev", EnvSettings({}))
    assert isinstance(profile, DuckDBProfile)
    assert profile.duckdb.path == ".local/demo.duckdb"


def test_the_environment_overrides(example):
    profile = resolve_profile(str(example), "dev", EnvSettings({"FF_DUCKDB_PATH": "x.duckdb"}))
    assert profile.duckdb.path == "x.duckdb"


def test_an_unknown_one(example):
    with pytest.raises(ProfileError, match="Known: default, dev"):
        resolve_profile(example, "nope", EnvSettings({}))


def test_profile_classes_are_loaded_when_they_are_named():
    code = "import sys, flowforge.settings; print('flowforge_duckdb.settings' in sys.modules, 'duckdb' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False False\n"
