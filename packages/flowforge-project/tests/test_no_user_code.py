"""A tripwire: reading, drawing, compiling and documenting a project run none of its Python."""

from __future__ import annotations

import sys

from flowforge_bootstrap.project import Project
from flowforge_domain.manifest import run_order
from flowforge_domain.mermaid import flowchart as mermaid
from flowforge_project.functions import ModuleFunctions

TRIPWIRE = "import pathlib\npathlib.Path({path!r}).write_text('ran')\n"
MODEL = "import helpers\nfrom flowforge import model\n@model(deps=['a'], description='{{ 1 }}')\ndef f(x): return x\n"


def trapped(project):
    trap = TRIPWIRE.format(path=str(project.root / "RAN"))
    places = ("helpers.py", "conftest.py", "models/helpers.py", "models/__init__.py", "__init__.py", "sitecustomize.py")
    return project.write(
        {
            **dict.fromkeys(places, trap),
            "models/a.ff.sql": "select {{ one() }} as x from {{ source('g', 't') }}",
            "models/b.ff.py": trap + MODEL,
            "hooks/notify.py": trap + "from flowforge import hook\n@hook('on_run_start')\ndef f(context): ...\n",
            "macros/m.sql": "{% macro one() %}1{% endmacro %}",
            "sources.yml": "g: {t: }",
            "profiles.yml": "default: {engine: sqlite, sqlite: {path: ':memory:'}}",
        }
    )


def test_reading_imports_nothing(project):
    manifest = trapped(project).manifest()
    mermaid(manifest.nodes)
    assert run_order(manifest) == ["a", "b"]
    assert not (project.root / "RAN").exists()


def test_dag_compile_and_docs_import_nothing(project):
    before = {name for name in sys.modules if name.startswith("_flowforge_")}
    opened = Project.load(trapped(project).root)
    opened.dag()
    opened.docs()
    opened.compile()
    assert [one["name"] for one in opened.ls(resource=["model"])] == ["a", "b"]
    assert not (project.root / "RAN").exists()
    assert {name for name in sys.modules if name.startswith("_flowforge_")} <= before


def test_the_trap_of_a_hook_works(project):
    trapped(project)
    hook = project.manifest().hooks[0]
    ModuleFunctions(project.root).hook(hook)
    assert (project.root / "RAN").exists()


def test_the_trap_works(project):
    trapped(project).function("b")
    assert (project.root / "RAN").exists()
