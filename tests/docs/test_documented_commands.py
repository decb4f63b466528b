"""The README and the guide do what they say: their commands run, their files load, their links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`((?:models|seeds)/[\w/.]+)`")


def run(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def steps(text: str) -> list[tuple[str, str]]:
    """Return what a reader does, in order: ("bash", commands) and (file name, content)."""
    found = []
    for fence in FENCE.finditer(text):
        language, body = fence.groups()
        named = NAMED.findall(text[: fence.start()].rstrip().splitlines()[-1])
        if language == "bash":
            found.append(("bash", body))
        elif named:
            found.append((named[-1], body))
    return found


def test_the_readme_leads_a_newcomer_from_nothing_to_a_site(tmp_path: Path) -> None:
    folder, shown = tmp_path, ""
    done = steps((ROOT / "README.md").read_text("utf-8"))
    assert [kind for kind, _ in done] == [
        "bash",
        "models/marts/big_customers.ff.sql",
        "models/marts/revenue_share.ff.py",
        "bash",
    ]
    for kind, body in done:
        if kind == "bash":
            shown += run(body, folder)
            folder = tmp_path / "shop"
        else:
            (folder / kind).write_text(body, "utf-8")
    assert "Acme Ltd" in shown
    assert (folder / ".flowforge/docs/index.html").is_file()


def blocks(page: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall((ROOT / page).read_text("utf-8")) if kind == language]


def test_the_python_api_page_runs(tmp_path: Path) -> None:
    run("flowforge init shop", tmp_path)
    [code] = blocks("docs/guide/python-api.md", "python")
    (tmp_path / "script.py").write_text(code, "utf-8")
    assert "revenue_by_customer built" in run("python script.py", tmp_path)


def test_the_project_files_of_the_guide_are_valid(tmp_path: Path) -> None:
    run("flowforge init shop", tmp_path)
    project, sources, profiles = blocks("docs/guide/project.md", "yaml")
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
