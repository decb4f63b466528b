"""Python models as their text states them; nothing is run."""

from __future__ import annotations

import pytest

from flowforge_domain.errors import ModuleLoadError
from flowforge_project.scan_python import python_facts

FILE = "models/a.ff.py"


def facts(decorator, function="def f(*x): ..."):
    return python_facts(f"from flowforge import model, source\n\n{decorator}\n{function}\n", FILE)[0]


def refusal(text):
    with pytest.raises(ModuleLoadError) as caught:
        python_facts(text, FILE)
    return caught.value


def test_everything_is_read():
    found = facts(
        '@model(\n  name="b",\n  deps=["users.ff", source("crm", "t"), "orders"],\n'
        '  requires={"users": {"id", "email"}},\n  tags=("x",),\n  description="d" "e",\n)'
    )
    assert found.name == "b"
    assert found.function == "f"
    assert found.refs == (("users", 5), ("orders", 5))
    assert found.sources == (("crm", "t", 5),)
    assert found.requires == {"users": ("email", "id")}
    assert found.settings == {"tags": ["x"], "description": "de"}
    assert found.setting_lines["description"] == 8
    assert found.form == "table"


@pytest.mark.parametrize(
    "decorator",
    [
        "@model()",
        "@model(None)",
        "@model(None, None, None)",
        "@model(deps=None, requires=None)",
        "@model(deps=[], requires={})",
        "@model(deps=())",
        "@flowforge.model()",
        "@flowforge.core.model()",
        "@other\n@model()\n@third(1)",
    ],
)
def test_a_model_without_dependencies(decorator):
    found = facts(decorator)
    assert (found.refs, found.sources, found.name, found.function) == ((), (), None, "f")


@pytest.mark.parametrize(
    ("deps", "parameters"),
    [
        ([], ""),
        ([], "*, this=None"),
        ([], "df=1, /, *more, other=2, **named"),
        (["a"], "df, /"),
        (["a"], "df, this"),
        (["a"], "df, *, this"),
        (["a", "a"], "df"),
        (["a", "b"], "inputs, more=None"),
        (["a"], "*frames, **named"),
    ],
)
def test_a_function_that_a_build_can_call_is_a_model(deps, parameters):
    assert facts(f"@model(deps={deps})", f"def f({parameters}): ...").function == "f"


@pytest.mark.parametrize(
    ("deps", "parameters", "said"),
    [
        ([], "this, *, other", "missing a required argument: 'other'"),
        (["a"], "*, df", "too many positional arguments"),
        (["a"], "**df", "too many positional arguments"),
        (["a", "b"], "a, b", "missing a required argument: 'b'"),
    ],
)
def test_a_function_that_no_build_could_call_is_told_with_its_line(deps, parameters, said):
    error = refusal(f"from flowforge import model\n\n@model(deps={deps})\n\ndef f({parameters}): ...\n")
    assert (str(error.where), said in error.message) == (f"{FILE}:5", True), error
    facts(f"@other\n@model(deps={deps})", f"def f({parameters}): ...")


def test_arguments_may_stand_by_position():
    found = facts('@model("b", ["users"], {"users": ["id"]})')
    assert (found.name, found.refs, found.requires) == ("b", (("users", 3),), {"users": ("id",)})


def test_each_dependency_has_its_own_line_even_where_requires_names_it_too():
    found = facts('@model(\n deps=[\n  "a",\n  "b.ff",\n ],\n requires={\n  "a": {"x"},\n  "b": {"y"}})')
    assert found.refs == (("a", 5), ("b", 6))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_make_no_difference(end):
    text = '# é\n@model(\n  deps=["é", x])\ndef f(): ...\n'.replace("\n", end)
    error = refusal(text)
    assert str(error.where) == f"{FILE}:3"
    assert error.snippet.endswith(" " * (8 + 13) + "^")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no function marked"),
        ("def model(): ...", 1, "no function marked"),
        ("\n\nx = (", 3, "not valid Python"),
        ("def f(:\n  pass", 1, "not valid Python"),
        ("if True:\npass", 2, "not valid Python"),
        ("x = '\\N{nothing}'", 1, "not valid Python"),
        ("x = " + "(" * 5000, 1, "not valid Python"),
        ("x = " + "-" * 100_000 + "1", None, "not valid Python"),
        ("@model(deps=[x])\ndef f(): ...", 1, "must be literal"),
        ("@model(deps=[*x])\ndef f(): ...", 1, "must be literal"),
        ("@model(deps=['a'] + ['b'])\ndef f(): ...", 1, "must be literal"),
        ("@model(deps=f())\ndef f(): ...", 1, "must be literal"),
        ("@model(name=f'{x}')\ndef f(): ...", 1, "must be literal"),
        ("@model(name='a' if x else 'b')\ndef f(): ...", 1, "must be literal"),
        ("@model(*x)\ndef f(): ...", 1, "must be literal"),
        ("@model(\n **x)\ndef f(): ...", 2, "must be literal"),
        ("@model(requires={[]: 1})\ndef f(): ...", 1, "must be literal"),
        ("@model(deps='users')\ndef f(): ...", 1, "deps is a list"),
        ("@model(deps={'a'})\ndef f(): ...", 1, "deps is a list"),
        ("@model(deps={'a': 1})\ndef f(): ...", 1, "deps is a list"),
        ("@model(deps=['a', 5])\ndef f(): ...", 1, "deps is a list"),
        ("@model(deps=5)\ndef f(): ...", 1, "not iterable"),
        ("@model(\n  requires=['a'])\ndef f(): ...", 2, "requires maps"),
        ("@model(requires={'a': 'id'})\ndef f(): ...", 1, "requires['a'] is a list"),
        ("@model(requires={'a': 5})\ndef f(): ...", 1, "not iterable"),
        ("@model(name=5)\ndef f(): ...", 1, "name is a text"),
        ("@model(name='')\ndef f(): ...", 1, "name is a text"),
        ("@model(deps=[source('a')])\ndef f(): ...", 1, "source() takes 2 names"),
        ("@model(deps=[source('a', 5)])\ndef f(): ...", 1, "source() takes 2 names"),
        ("@model(deps=[source('a', x)])\ndef f(): ...", 1, "must be literal"),
        ("@model(dep=['a'])\ndef f(): ...", 1, "Unknown key 'dep'"),
        ("@model('a', [], {}, 1)\ndef f(): ...", 1, "takes name, deps and requires"),
        ("@model('a',\n name='b')\ndef f(): ...", 2, "given twice"),
        ("@model\ndef f(): ...", 1, "needs brackets"),
        ("@model()\n@model()\ndef f(): ...", 1, "marked twice"),
        ("@model()\nasync def f(): ...", 1, "plain function"),
        ("@model()\nclass A: ...", 1, "plain function"),
        ("class A:\n  @model()\n  def f(self): ...", 2, "plain function"),
        ("if True:\n  @model()\n  def f(): ...", 2, "plain function"),
        ("@model()\ndef f():\n  @model()\n  def g(): ...", 3, "plain function"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(text, line, message):
    error = refusal(text)
    assert message in error.message
    assert error.hint
    assert line is None or str(error.where) == f"{FILE}:{line}"


def test_an_unknown_setting_leads_to_the_nearest():
    assert refusal("@model(requries={})\ndef f(): ...").hint == "Did you mean 'requires'?"
    assert refusal("@model(descripton='x')\ndef f(): ...").hint == "Did you mean 'description'?"


@pytest.mark.parametrize(
    ("imports", "decorator", "deps"),
    [
        ("from flowforge import model as mm", "mm", "'a'"),
        ("import flowforge as ff", "ff.model", "ff.source('a', 'b')"),
        ("from flowforge import core as c", "c.model", "'a'"),
        ("from flowforge.core import source as of, model as _m", "_m", "of('a', 'b')"),
    ],
)
def test_what_a_file_calls_model_and_source_is_followed(imports, decorator, deps):
    text = f"{imports}\n\n@{decorator}(name='b', deps=[{deps}])\ndef f(df): ...\n"
    (found,) = python_facts(text, FILE)
    assert found.name == "b"
    assert len(found.refs + found.sources) == 1


def test_what_others_call_so_is_no_model():
    text = "from flowforge import model\nfrom peer import model as mm\n@mm()\ndef f(): ...\n@model()\ndef g(): ...\n"
    assert [one.function for one in python_facts(text, FILE)] == ["g"]
