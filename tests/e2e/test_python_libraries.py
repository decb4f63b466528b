"""A Python model depends on the version of pandas that it is given, as SQL does on that of its engine."""

from __future__ import annotations

import subprocess

MODEL = """
from flowforge import model

@model(name="p", deps=["s"])
def p(frame):
    return frame
"""


def test_another_version_of_pandas_is_a_reason_to_build(new_project, environment, tmp_path_factory):
    root = new_project({"seeds/s.csv": "a\n1\n", "models/p.ff.py": MODEL})
    newer = tmp_path_factory.mktemp("newer")
    told = newer / "pandas-99.1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: pandas\nVersion: 99.1\n", encoding="utf-8")

    def said(command, **variables):
        done = subprocess.run(
            ["flowforge", *command.split()],
            cwd=root,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    said("build")
    assert "skipped (unchanged)" in said("run")
    assert "pandas" in said("why p", PYTHONPATH=str(newer))
    assert "built: 1" in said("run", PYTHONPATH=str(newer))
