"""The guide does what it says: its code runs, its files load, its links lead somewhere.

The README's steps run from the wheels, in tests/packaging.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documented import blocks

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def run(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_python_api_page_runs(tmp_path: Path) -> None:
    run("flowforge init shop", tmp_path)
    [code] = blocks((ROOT / "docs/guide/python-api.md").read_text("utf-8"), "python")
    (tmp_path / "script.py").write_text(code, "utf-8")
    assert "revenue_by_customer built" in run("python script.py", tmp_path)


def test_the_project_files_of_the_guide_are_valid(tmp_path: Path) -> None:
    run("flowforge init shop", tmp_path)
    project, sources, profiles = blocks((ROOT / "docs/guide/project.md").read_text("utf-8"), "yaml")
    (tmp_path / "shop/project.yml").write_text(project, "utf-8")
    (tmp_path / "shop/profiles.yml").write_text(profiles, "utf-8")
    run("flowforge seed && flowforge run && flowforge test && flowforge debug --env ci", tmp_path / "shop")
    # The page's own source is another than the starter's: it is read, and the starter's is what is missed.
    (tmp_path / "shop/sources.yml").write_text(sources, "utf-8")
    assert "shop.customers" in run("flowforge dag 2>&1 && exit 1 || exit 0", tmp_path / "shop")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
