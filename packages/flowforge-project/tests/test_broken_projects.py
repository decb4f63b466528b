"""Every broken project of `data/broken_projects.yml` gives its one message, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flowforge_domain.errors import FlowForgeError

CASES = yaml.safe_load((Path(__file__).parent / "data" / "broken_projects.yml").read_text("utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_a_broken_project_gives_its_message(name, project):
    project.write(CASES[name]["files"])
    with pytest.raises(FlowForgeError) as caught:
        project.use()
    assert str(caught.value) == CASES[name]["message"].rstrip("\n")


@pytest.mark.parametrize("name", CASES)
def test_a_message_is_short_and_ends_with_a_fix(name):
    lines = CASES[name]["message"].splitlines()
    assert 2 <= len(lines) <= 15
    assert any(":" in line for line in lines[:2])
    assert not lines[-1].startswith(" ")


def test_nothing_is_written_when_a_project_cannot_be_read(project):
    files = {"models/a.ff.sql": "select 1", "models/b.ff.sql": "select {{", "models/c.ff.py": "import os"}
    with pytest.raises(FlowForgeError):
        project.write(files).use()
    assert project.files() == sorted(files)
