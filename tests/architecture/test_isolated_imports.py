"""The isolated-import check sees an undeclared import, lazy or not, in a planted workspace."""

from __future__ import annotations

import isolated_imports
import pytest


@pytest.fixture
def workspace(tmp_path):
    def plant(name, source, requires=(), extras=()):
        folder = tmp_path / "packages" / name
        module = folder / "src" / name.replace("-", "_")
        module.mkdir(parents=True)
        (module / "__init__.py").write_text("")
        (module / "mod.py").write_text(source)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\ndependencies = {list(requires)}\n'
            f"[project.optional-dependencies]\nmore = {list(extras)}\n"
        )
        return tmp_path

    return plant


def test_standard_library_and_declared_packages_pass(workspace):
    workspace("planted-low", "import json\n")
    root = workspace("planted-high", "import planted_low.mod\nimport pluggy\n", ["planted-low==1", "pluggy>=1.5,<2"])
    assert isolated_imports.check(root) == []


def test_undeclared_library_is_named_with_its_file(workspace):
    root = workspace("planted-low", "import json\nimport pluggy\n")
    written, loaded = isolated_imports.check(root)
    assert written.startswith("packages/planted-low/src/planted_low/mod.py:2 imports 'pluggy'")
    assert "planted_low/mod.py:2: No module named 'pluggy' among the declared" in loaded


def test_undeclared_sibling_is_named(workspace):
    workspace("planted-low", "")
    root = workspace("planted-high", "import planted_low\n")
    assert "imports 'planted_low', which planted-high does not declare" in isolated_imports.check(root)[0]


def test_lazy_import_counts(workspace):
    root = workspace("planted-low", "def f():\n    import pluggy\n    return pluggy\n")
    assert [line.partition(" ")[0] for line in isolated_imports.check(root)] == [
        "packages/planted-low/src/planted_low/mod.py:2"
    ]


def test_dependency_of_a_dependency_loads_but_must_be_declared_by_who_writes_it(workspace):
    root = workspace("planted-low", "import markupsafe\n", ["jinja2"])
    (line,) = isolated_imports.check(root)
    assert "imports 'markupsafe'" in line


def test_extra_may_be_imported_late_but_not_at_the_top(workspace):
    late = "def f():\n    import pluggy\n    return pluggy\n"
    assert isolated_imports.check(workspace("planted-late", late, extras=["pluggy"])) == []
    root = workspace("planted-early", "import pluggy\n", extras=["pluggy"])
    (line,) = isolated_imports.check(root)
    assert line.endswith("(loading planted-early alone)")


def test_module_that_breaks_while_loading_is_reported(workspace):
    root = workspace("planted-low", "1 / 0\n")
    assert isolated_imports.check(root) == ["planted-low: ZeroDivisionError: division by zero"]


def test_no_packages_is_an_error_not_a_pass(tmp_path):
    with pytest.raises(SystemExit, match="no packages"):
        isolated_imports.check(tmp_path)
