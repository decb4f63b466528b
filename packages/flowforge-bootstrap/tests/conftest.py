"""A small project on the sqlite reference engine, and distributions that exist for one test only."""

from __future__ import annotations

import shutil
import sys
from importlib import invalidate_caches

import pytest

from flowforge_bootstrap.new_project import create_project
from flowforge_bootstrap.project import open_project


@pytest.fixture(scope="session")
def seeded_shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeded") / "shop"
    create_project(folder, "sqlite")
    open_project(folder).seed()
    return folder


@pytest.fixture
def shop(seeded_shop, tmp_path):
    return shutil.copytree(seeded_shop, tmp_path / "shop")


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch):
    for name in ("FF_ENGINE", "FF_DUCKDB_PATH", "FF_SQLITE_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with one plugin module on the path, as an installer would."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules = []

    def installed(distribution, entry, code):
        module = f"{distribution.replace('-', '_')}_plugin"
        (site / f"{module}.py").write_text(code)
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[flowforge]\n{entry} = {module}\n")
        modules.append(module)
        invalidate_caches()

    yield installed
    for module in modules:
        sys.modules.pop(module, None)
