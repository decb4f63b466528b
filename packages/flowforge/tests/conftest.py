"""The example project, copied, and a registry that is empty before each test, whatever another file left in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowforge.core import REGISTRY, Registry

EXAMPLE = Path(__file__).parents[3] / "examples" / "simple_duckdb"


@pytest.fixture
def example(tmp_path):
    return shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns(".flowforge", ".local"))


@pytest.fixture(autouse=True)
def registry():
    before = dict(vars(REGISTRY))
    vars(REGISTRY).update(vars(Registry()))
    yield REGISTRY
    vars(REGISTRY).update(before)
