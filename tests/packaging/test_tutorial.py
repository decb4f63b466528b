"""The page on plugins, followed to the letter: its commands run, its files are written, and the kit passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documented import changed, steps

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "plugins.md"

pytestmark = pytest.mark.packaging


def test_the_page_leads_to_an_engine_that_passes_the_kit(uv, tmp_path):
    package, site = tmp_path / "flowforge-mini", tmp_path / "site"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = os.pathsep.join([str(package / "src"), str(site)])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": found, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    said = []
    for kind, body in steps(PAGE.read_text("utf-8")):
        if kind != "bash":
            file = package / kind.removeprefix("diff ")
            file.write_text(changed(file.read_text("utf-8"), body) if kind.startswith("diff ") else body, "utf-8")
            continue
        folder = package if package.exists() else tmp_path
        ran = subprocess.run(["bash", "-euc", body], cwd=folder, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        said.append(ran.stdout)
        if not site.exists():
            uv("pip", "install", "--target", site, "--no-deps", package)
    _, listed, without, proved, seeded, used = said
    assert "mini          flowforge-mini 0.1.0" in listed
    assert 290 < sum(map(int, re.findall(r"(\d+) (?:passed|xfailed)", seeded))) < 350, "the page says how many"
    assert 35 < cases_passed(proved) - cases_passed(without) < 45, "the page says how many"
    assert cases_passed(seeded) > cases_passed(proved) + 20
    assert "✓ target      :memory: opens" in used
    assert "✓ seed_orders" in used
    report = (package / "report.md").read_text("utf-8")
    assert "| `test_python_model_runs` | proved |  |" in report
    assert "| `test_csv_becomes_a_table` | proved |  |" in report
    assert "| `test_fault_at_any_step_of_a_sql_model_leaves_old_or_new[after]` | proved |  |" in report


def cases_passed(said):
    return int(re.search(r"(\d+) passed", said)[1])
