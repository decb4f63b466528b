"""Which Python models are proved to give the same again, and what is named where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_domain.model import Node
from flowforge_project.python_code import python_code

HEAD = "import pandas as pd\nimport numpy as np\nfrom datetime import date, datetime\nfrom flowforge import model\n"


@pytest.fixture
def volatile(tmp_path):
    def said(text, **modules):
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        path = tmp_path / "models" / "p.ff.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return python_code(Node("p", "python", Path(path), "p", file="models/p.ff.py"), tmp_path).volatile

    return said


@pytest.mark.parametrize(
    "line",
    [
        'x = df.query("amount > 3 and name == \'read\'").merge(other, on="id").assign(n=1)',
        "x = df.groupby('a').agg(total=('b', 'sum')).reset_index().rename(columns={'open': 'now_open'})",
        "x = prices.open.max() + prices.dt.time",
        "x = json.loads(text)",
        "x = getattr(row, 'name')",
        "x = df[df['note'] == 'a random sample of today, taken at a time']",
        "def f():\n    '''Read today's random() file by open().'''\n    return 1",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlalchemy",
        "import pyspark.sql.functions as F\nx = df.withColumn('a', F.col('b') + F.lit(1)).selectExpr('upper(a)')",
        "from pyspark.sql import DataFrame, functions as F",
        "table = dfs['a']\nsql = table.sort_values('b')",
        "import datetime\nx = datetime.time(1)",
        "x = np.where(df.a > 1, 2, 3)\ny = pd.to_datetime(df.at, format='%Y')\nz = np.log(df.b)",
    ],
)
def test_what_computes_only_is_proved(volatile, line):
    assert volatile(f"{HEAD}import json\n{line}\n") == ""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('x = pd.Timestamp("now")', "'now'"),
        ('x = pd.to_datetime(" Today ")', "' Today '"),
        ('x = np.datetime64("now")', "'now'"),
        ("x = datetime.now()", "now"),
        ("x = date.today()", "today"),
        ('x = pd.read_fwf("data.txt")', "read_fwf"),
        ("x = pd.read_pickle('x')", "read_pickle"),
        ("import polars as pl\nx = pl.scan_csv('x')", "scan_csv"),
        ('x = np.loadtxt("n.txt")', "loadtxt"),
        ('x = np.load("n.npy")', "load"),
        ("x = np.fromfile('x')", "fromfile"),
        ("from numpy import genfromtxt as g", "genfromtxt"),
        ("x = np.random.default_rng(3)", "default_rng"),
        ("from pandas import *", "pandas.*"),
        ("x = df.sample(3)", "sample"),
        ("x = open('f')", "open"),
        ("x = eval('1')", "eval"),
        ("x = hash('a')", "hash"),
        ("x = getattr(pd, 'read_' + 'csv')", "getattr"),
        ("x = getattr(pd, 'read_csv')", "getattr"),
        ('x = df.query("a > @pd.read_csv(1)")', "read_csv"),
        ("x = df.selectExpr('rand() as r')", "rand"),
        ("x = df.filter('at < current_date')", "current_date"),
        ("x = df.sparkSession.table('t')", "table"),
        ("import duckdb", "module duckdb"),
        ("from pathlib import Path", "module pathlib"),
        ("import time", "module time"),
        ("import os.path", "module os.path"),
        ("import pyarrow.parquet as pq", "module pyarrow.parquet"),
        ("from sklearn.cluster import KMeans", "module sklearn.cluster"),
        ("def f():\n    import secrets", "module secrets"),
        ("from flowforge import Project", "Project"),
        ("x = ().__class__.__subclasses__()", "__subclasses__"),
        ("import decimal\ndecimal.getcontext().prec = 5", "getcontext"),
        ("pd.set_option('mode.copy_on_write', True)", "set_option"),
        ("import logging\nx = logging.os.listdir('.')", "module logging.os"),
        ("import json\nx = json.codecs.open('x')", "module json.codecs"),
    ],
)
def test_what_may_read_past_its_arguments_is_named(volatile, line, named):
    found = volatile(f"{HEAD}{line}\n")
    assert found.rpartition(" (")[0] == named
    assert found.endswith(")") and "models/p.ff.py:" in found


def test_modules_of_the_project_are_looked_at_too(volatile):
    assert volatile("import helpers\nfrom rates import rate\n", helpers="import math\n", rates="rate = 3\n") == ""
    assert (
        volatile("import helpers\n", helpers="import inner\n", inner="import requests\n")
        == "module requests (inner.py:1)"
    )


def test_what_cannot_be_read_as_python_is_not_proved(volatile):
    assert volatile("def (") == "no Python (models/p.ff.py)"


@pytest.mark.parametrize("deep", ["-" * 400 + "1", " + ".join("1" * 600), "[" * 150 + "]" * 150])
def test_what_is_nested_too_deeply_is_not_proved_or_read(volatile, deep):
    assert volatile(f"x = {deep}") in ("", "no Python (models/p.ff.py)")


MODEL = "from flowforge import model\n@model(deps=['a', 'b'], requires={'a': {'id', 'n'}})\ndef p(a, b, known):\n"


@pytest.mark.parametrize(
    "code",
    [
        "x = a[a.kind.isin({'new', 'old'})]",
        "if a.kind in {'new', 'old'}:\n        pass",
        "keep = set(a.columns) & set(b.columns)\n    return a[[c for c in a.columns if c in keep]]",
        "keep = sorted({'x'} | set(a.columns), reverse=True)",
        "seen = set()\n    for c in a.columns:\n        if c not in seen:\n            seen.add(c)",
        "n = len({c.lower() for c in set(a.columns).union(known)})",
        "assert set(a.columns) >= {'id'}, 'no id'",
        "many = any(c in b for c in {'x', 'y'}) or not set(a)",
        "x: set[str] = {'a'}\n    x |= {'b'}\n    y = 'a' in x",
        "lacking = {'id'} - set(a.columns)\n    if lacking:\n        raise ValueError('columns are missing')",
        "x = {1: 2}\n    for k, v in x.items():\n        pass\n    y = ','.join(x.keys())",
        "many = isinstance(a, (set, frozenset)) or type(a) is set",
        "both = {1: 2}.keys() & {1: 3}.keys()\n    y = 1 in both",
    ],
)
def test_a_set_that_is_only_asked_what_it_holds_is_proved(volatile, code):
    assert volatile(f"{MODEL}    {code}\n    return a\n") == ""


@pytest.mark.parametrize(
    "code",
    [
        "for c in {'x', 'y'}:\n        pass",
        "x = list(set(a.columns))",
        "x = [c for c in frozenset(a.columns)]",
        "x = {c: 1 for c in {'x', 'y'}}",
        "x = ','.join({'x', 'y'})",
        "x = f\"{ {'x', 'y'} }\"",
        "x = {'x', 'y'}.pop()",
        "x, y = {'x', 'y'}",
        "x = [*{'x', 'y'}]",
        "x = sorted({'x', 'y'}, key=len)",
        "x = sum(i for i in {0.1, 0.2})",
        "x = a.drop(columns={'x', 'y'})",
        "x = next(iter(set(known) - {'x'}))",
        "x = {'x'} or known; y = list(x)",
        "return {'x', 'y'}",
        "x = ','.join({'a': 1}.keys() & a.keys())",
        "x = ','.join(map(str, a.items() ^ b.items()))",
        "x = ','.join(set.intersection(*known))",
        "x = list(map(set, known))",
        "x = a.groupby('id').agg(set)",
    ],
)
def test_the_order_of_a_set_is_not(volatile, code):
    assert volatile(f"{MODEL}    {code}\n    return a\n") == "the order of a set (models/p.ff.py:4)"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("keep = set(a.columns)\n    return a[list(keep)]", 5),
        ("seen = set()\n    seen.add('x')\n    return [x for x in seen]", 6),
        ("x = {'y'}\n    y = x\n    for z in y.copy(): pass", 6),
        ("x = a.keys()\n    return ','.join(x - known)", 5),
    ],
)
def test_nor_is_that_of_a_set_that_has_a_name(volatile, code, line):
    assert volatile(f"{MODEL}    {code}\n") == f"the order of a set (models/p.ff.py:{line})"


@pytest.mark.parametrize(
    ("head", "use"),
    [
        ("import helpers", "helpers.KINDS"),
        ("from helpers import KINDS", "KINDS"),
        ("from helpers import KINDS as kinds", "kinds"),
    ],
)
def test_a_set_of_another_module_is_looked_at_where_it_is_read(volatile, head, use):
    helpers = "KINDS = {'new', 'old'}\n"
    assert volatile(f"{head}\n{MODEL}    return a[a.kind.isin({use})]\n", helpers=helpers) == ""
    shown = volatile(f"{head}\n{MODEL}    return list({use})\n", helpers=helpers)
    assert shown == "the order of a set (models/p.ff.py:5)"


def test_names_of_other_functions_are_others(volatile):
    other = "def other(keep):\n    return list(keep)\n"
    assert volatile(f"{other}{MODEL}    keep = set(a)\n    return 'x' in keep\n") == ""


@pytest.fixture
def code(tmp_path):
    def read(text, **modules):
        for name, said in modules.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(said, encoding="utf-8")
        path = tmp_path / "p.ff.py"
        path.write_text(text, encoding="utf-8")
        return python_code(Node("p", "python", path, "p", file="p.ff.py"), tmp_path)

    return read


def test_docstrings_count_where_code_asks_for_them(code):
    silent = [code("import rules\n", rules=f"def rate():\n    '{n}'\n").text for n in (7, 8)]
    assert silent[0] == silent[1]
    asking = [code("import rules\nx = rules.rate.__doc__\n", rules=f"def rate():\n    '{n}'\n").text for n in (7, 8)]
    assert asking[0] != asking[1]


@pytest.mark.parametrize(
    "text", ["import lib\nx = lib.deep.f()", "import lib as l\nx = l.deep.f", "import a.b, lib\nlib.deep"]
)
def test_a_module_that_is_reached_through_its_package_is_part_of_the_code(code, text):
    assert set(code(text, lib____init__="", lib__deep="def f(): return 1\n").files) >= {"p.ff.py", "lib/deep.py"}
