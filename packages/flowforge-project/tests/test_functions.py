"""Python models when they are about to run: found, imported afresh, checked against their text."""

from __future__ import annotations

import gc
import inspect
import os
import sys
import threading
from pathlib import Path

import pytest

from flowforge_domain.errors import ModuleLoadError
from flowforge_project.functions import ModuleFunctions

HEAD = "from __future__ import annotations\nfrom flowforge import model, source\n"


def model_text(body="return given", decorator="@model(deps=['a'])", head=""):
    return f"{HEAD}{head}\n{decorator}\ndef f(given=None):\n    {body}\n"


def result(project, body="return given", decorator="@model(deps=['a'])", head="", files=()):
    """Call the model of models/m.ff.py, written beside `files`, with "given"."""
    project.write({"models/m.ff.py": model_text(body, decorator, head), **dict(files)})
    loader = ModuleFunctions(project.root)
    return project.function("m", loader)("given")


def refusal(project, files):
    project.write(files)
    with pytest.raises(ModuleLoadError) as caught:
        project.function("m")
    return caught.value


def loaded():
    """Return the modules of projects; those of loaders that nobody holds any more have gone by then."""
    gc.collect()
    return {name for name in sys.modules if name.startswith("_flowforge_")}


def test_the_function_is_the_one_its_text_marks(project):
    marks = ("name='a'", "name='b.ff'", "")
    text = HEAD + "".join(f"@model({mark})\ndef f{i}(): return {i}\n" for i, mark in enumerate(marks, 1))
    project.write({"models/m.ff.py": text})
    assert [project.function(name)() for name in ("a", "b", "m")] == [1, 2, 3]


def test_a_model_imported_into_another_file_is_not_taken_for_its_own(project):
    project.write({"shared.py": f"{HEAD}@model()\ndef shared(): return 'wrong'\n"})
    assert result(project, "return 'right'", "@model()", "from shared import shared") == "right"


def test_what_a_file_calls_model_is_the_marker(project):
    assert result(project, "return 'built'", "@mm()", "from flowforge import model as mm") == "built"


@pytest.mark.parametrize(
    ("head", "expression", "files"),
    [
        ("import helpers", "helpers.x", {"helpers.py": "x = 1"}),
        ("import helpers as h", "h.x", {"helpers.py": "x = 1"}),
        ("from helpers import x", "x", {"helpers.py": "x = 1"}),
        ("from helpers import x as y", "y", {"helpers.py": "x = 1"}),
        ("from helpers import *", "x", {"helpers.py": "x = 1"}),
        ("from pkg import *", "mod.x", {"pkg/__init__.py": "__all__ = ['mod']", "pkg/mod.py": "x = 1"}),
        ("import helpers", "helpers.x", {"models/helpers.py": "x = 1"}),
        ("from . import helpers", "helpers.x", {"models/helpers.py": "x = 1"}),
        ("from .helpers import x", "x", {"models/helpers.py": "x = 1"}),
        ("from .. import helpers", "helpers.x", {"helpers.py": "x = 1"}),
        ("from ..helpers import x", "x", {"helpers.py": "x = 1"}),
        ("from .deep.er import x", "x", {"models/deep/er.py": "x = 1"}),
        ("import models.helpers", "models.helpers.x", {"models/helpers.py": "x = 1"}),
        ("import pkg", "pkg.x", {"pkg/__init__.py": "x = 1"}),
        ("import pkg", "pkg.mod.x", {"pkg/__init__.py": "from . import mod", "pkg/mod.py": "x = 1"}),
        ("import pkg", "pkg.x", {"pkg/__init__.py": "from .mod import x", "pkg/mod.py": "x = 1"}),
        ("from pkg import mod", "mod.x", {"pkg/__init__.py": "", "pkg/mod.py": "x = 1"}),
        ("from pkg import mod", "mod.x", {"pkg/mod.py": "x = 1"}),
        ("import a.b", "a.b.x", {"a/b.py": "x = 1"}),
        ("import a.b as c", "c.x", {"a/b.py": "x = 1"}),
        ("import a.b.c\nimport a.d", "a.b.c.x + a.d.x", {"a/b/c.py": "x = 0", "a/d.py": "x = 1"}),
        ("from a.b import c", "c.x", {"a/b/c.py": "x = 1"}),
        (
            "from a import b",
            "b.up",
            {"a/b.py": "from .c import up", "a/c.py": "from ..top import x as up", "top.py": "x = 1"},
        ),
        ("import one", "one.two.x", {"one.py": "import two", "two.py": "import one\nx = 1"}),
        ("import json.decoder", "len(json.decoder.__name__) - 11", {}),
        ("import os.path as p", "len(p.sep)", {}),
        ("from xml.etree import ElementTree", "int(ElementTree is not None)", {}),
    ],
)
def test_every_form_of_import(project, head, expression, files):
    assert result(project, f"return {expression}", head=head, files=files) == 1


def test_imports_inside_functions_work_when_they_are_called(project):
    files = {"helpers.py": "def go():\n    from late import x\n    return x", "late.py": "x = 1"}
    assert result(project, "import helpers; return helpers.go()", files=files) == 1


def test_a_folder_of_models_does_not_hide_a_library(project):
    files = {"models/json/a.ff.py": model_text(decorator="@model(name='other')"), "string/x.py": ""}
    assert result(project, "return json.dumps(1) + string.digits[1]", head="import json, string", files=files) == "11"


def test_a_module_of_the_project_hides_a_library_as_for_any_script(project):
    assert result(project, "return colorsys.x", head="import colorsys", files={"colorsys.py": "x = 1"}) == 1


def test_two_projects_in_one_process_each_have_their_helpers(project, other_project):
    one, two = ModuleFunctions(project.root), ModuleFunctions(other_project.root)
    for number, each in enumerate((project, other_project)):
        text = model_text("from helpers import x as y; return (helpers.x, y)", head="import helpers")
        each.write({"models/m.ff.py": text, "helpers.py": f"x = {number}"})
    first, second = project.function("m", one), other_project.function("m", two)
    assert (first(), second(), first()) == ((0, 0), (1, 1), (0, 0))


def test_a_loader_imports_a_module_once(project):
    project.write({"models/m.ff.py": model_text("return helpers", head="import helpers"), "helpers.py": ""})
    project.write({"models/n.ff.py": model_text("return helpers", head="import helpers")})
    loader = ModuleFunctions(project.root)
    assert project.function("m", loader)() is project.function("n", loader)()
    assert project.function("m", loader) is project.function("m", loader)


def test_a_loader_tells_what_it_has_imported_of_the_project(project):
    project.write({"models/m.ff.py": model_text(head="import helpers, json"), "helpers.py": ""})
    loader = ModuleFunctions(project.root)
    assert loader.modules() == []
    function = project.function("m", loader)
    assert {Path(module.__file__).name for module in loader.modules()} == {"m.ff.py", "helpers.py"}
    assert function.__module__ in {module.__name__ for module in loader.modules()}


def test_edits_between_two_loads_are_seen_even_of_equal_size_and_time(project):
    for number in range(3):
        project.write({"models/m.ff.py": model_text(f"return {number}, helpers.x", head="import helpers")})
        project.write({"helpers.py": f"x = {number}"})
        for file in project.root.rglob("*.py"):
            os.utime(file, (1_000_000_000, 1_000_000_000))
        function = project.function("m")
        assert function() == (number, number)
        assert f"return {number}" in inspect.getsource(function)


def test_no_bytecode_is_written(project):
    files = {"helpers.py": "x = 1", "pkg/__init__.py": ""}
    assert result(project, "return helpers.x", head="import helpers\nimport pkg", files=files) == 1
    assert not list(project.root.rglob("__pycache__"))


def test_modules_go_with_their_loader(project):
    before = loaded()
    project.write({"models/m.ff.py": model_text("return helpers", head="import helpers"), "helpers.py": ""})
    loader = ModuleFunctions(project.root)
    project.function("m", loader)
    assert len(loaded() - before) == 2
    del loader
    assert loaded() == before


def test_modules_of_a_failed_import_go_too(project):
    before = loaded()
    refusal(project, {"models/m.ff.py": model_text(head="import helpers\n1 / 0"), "helpers.py": ""})
    assert loaded() == before


def test_a_module_that_failed_is_tried_again(project):
    project.write({"models/m.ff.py": model_text("return helpers.x", head="import helpers"), "helpers.py": "1 / 0"})
    loader = ModuleFunctions(project.root)
    with pytest.raises(ModuleLoadError):
        project.function("m", loader)
    project.write({"helpers.py": "x = 1"})
    assert project.function("m", loader)() == 1


def test_python_s_own_tools_work_in_user_modules(project):
    head = (
        "import dataclasses, enum, typing, inspect\n"
        "@dataclasses.dataclass(frozen=True, slots=True)\nclass Row:\n    x: int\n    y: typing.ClassVar[int] = 2\n"
        "class Color(enum.Enum):\n    RED = 1\n"
        "class Pair(typing.NamedTuple):\n    a: int\n"
        "def typed(a: Row, b: 'Pair') -> typing.Optional[Color]: ..."
    )
    body = (
        "hints = typing.get_type_hints(typed); "
        "return (Row(1).x, Row.y, Color(1).name, Pair(3).a, hints['a'] is Row, hints['b'] is Pair, "
        "inspect.getsource(Row)[:12], inspect.getsource(typed)[:9], __name__.count('.'), bool(__file__))"
    )
    assert result(project, body, head=head) == (1, 2, "RED", 3, True, True, "@dataclasses", "def typed", 2, True)


def test_threads_see_modules_whole(project):
    project.write({"slow.py": "import time\ntime.sleep(0.2)\nx = 1"})
    for name in "mn":
        project.write({f"models/{name}.ff.py": model_text("import slow; return slow.x")})
    loader = ModuleFunctions(project.root)
    functions = [project.function(name, loader) for name in "mn"]
    found: list[object] = []
    threads = [threading.Thread(target=lambda f=f: found.append(f())) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1, 1]


@pytest.mark.parametrize(
    ("files", "where", "message", "snippet", "hint"),
    [
        (
            {"models/m.ff.py": model_text(head="1 / 0")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ZeroDivisionError: division by zero",
            "    3 | 1 / 0",
            "Correct the module.",
        ),
        (
            {
                "models/m.ff.py": model_text(head="import helpers"),
                "helpers.py": "\ndef go():\n    x = []\n    x[1]\ngo()",
            },
            "helpers.py:4",
            "Model 'm' cannot be imported: IndexError: list index out of range",
            "    4 |     x[1]",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="import pkg.mod"), "pkg/mod.py": "x = 1\ny = (\n"},
            "pkg/mod.py:2",
            "Model 'm' cannot be imported: SyntaxError: '(' was never closed",
            "    2 | y = (\n            ^",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="import nowhere_to_be_found.x")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ModuleNotFoundError: No module named 'nowhere_to_be_found'",
            "    3 | import nowhere_to_be_found.x",
            "Install the package that provides it, or put nowhere_to_be_found.py into the project.",
        ),
        (
            {"models/m.ff.py": model_text(head="import helprs"), "helpers.py": ""},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ModuleNotFoundError: No module named 'helprs'",
            "    3 | import helprs",
            "Did you mean 'helpers'?",
        ),
        (
            {"models/m.ff.py": model_text(head="from pkg.mood import x"), "pkg/mod.py": ""},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ModuleNotFoundError: No module named 'pkg.mood' in the project",
            "    3 | from pkg.mood import x",
            "Did you mean 'pkg.mod'?",
        ),
        (
            {"models/m.ff.py": model_text(head="from helpers import y"), "helpers.py": "x = 1"},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ImportError: cannot import name 'y' from 'helpers' (helpers.py)",
            "    3 | from helpers import y",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="from ... import y")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ImportError: attempted relative import beyond the project's folder",
            "    3 | from ... import y",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="raise SystemExit('bye')")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: SystemExit: bye",
            "    3 | raise SystemExit('bye')",
            "A module must not exit when it is imported.",
        ),
        (
            {"models/m.ff.py": model_text(head="import asyncio\nraise asyncio.CancelledError('x')")},
            "models/m.ff.py:4",
            "Model 'm' cannot be imported: CancelledError: x",
            "    4 | raise asyncio.CancelledError('x')",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="import json\njson.loads('{')")},
            "models/m.ff.py:4",
            "Model 'm' cannot be imported: JSONDecodeError: Expecting property name",
            "    4 | json.loads('{')",
            "Correct the module.",
        ),
        (
            {
                "models/m.ff.py": model_text(
                    head="import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int\nA()"
                )
            },
            "models/m.ff.py:7",
            "Model 'm' cannot be imported: TypeError",
            "    7 | A()",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="exec('1 / 0')")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: ZeroDivisionError",
            "    3 | exec('1 / 0')",
            "Correct the module.",
        ),
        (
            {"models/m.ff.py": model_text(head="exec('x = (')")},
            "models/m.ff.py:3",
            "Model 'm' cannot be imported: SyntaxError: '(' was never closed",
            "    3 | exec('x = (')",
            "Correct the module.",
        ),
    ],
)
def test_a_failed_import_says_where_in_the_project(project, files, where, message, snippet, hint):
    error = refusal(project, files)
    assert str(error.where) == where
    assert error.message.startswith(message)
    assert error.snippet == snippet
    assert error.hint == hint
    assert "_flowforge_" not in str(error)
    assert str(project.root) not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "def model(**given):\n    return lambda function: function\n@model(deps=['a'])\ndef f(x): ...\n",
        "def model(**given):\n    return lambda function: None\n@model(deps=['a'])\ndef f(x): ...\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\nf = 5\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\ndel f\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\nf = model(deps=['b'])(f)\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\nf = model(deps=['a'], requires={{'a': ['x']}})(f)\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\nf = model(deps=['a', source('g', 't')])(f)\n",
        f"{HEAD}@model(deps=['a'])\ndef f(x): ...\nf = model(name='other', deps=['a'])(f)\n",
        f"{HEAD}old = model\nmodel = lambda **given: old(deps=['b'])\n@model(deps=['a'])\ndef f(x): ...\n",
        f"{HEAD}hide = lambda function: lambda x: x\n@hide\n@model(deps=['a'])\ndef f(x): ...\n",
    ],
)
def test_a_marker_that_runs_otherwise_than_it_reads_is_refused(project, text):
    error = refusal(project, {"models/m.ff.py": text})
    assert error.message == "The @model of 'm' says something else when it runs than its text does."
    line = text[: text.index("@model")].count("\n") + 1
    assert str(error.where) == f"models/m.ff.py:{line}"


def test_a_decorated_function_keeps_its_marker(project):
    head = "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(x): return f(f(x))\n    return g"
    assert result(project, "return given * 2", "@model(deps=['a'])\n@twice", head) == "given" * 4
    assert result(project, "return given * 2", "@twice\n@model(deps=['a'])", head) == "given" * 4


def test_interrupts_pass(project):
    project.write({"models/m.ff.py": model_text(head="raise KeyboardInterrupt")})
    with pytest.raises(KeyboardInterrupt):
        project.function("m")
