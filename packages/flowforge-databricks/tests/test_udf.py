"""Functions of a project's own modules, run by Spark's workers, which cannot import them."""

from __future__ import annotations

import json

import pytest

from flowforge import Project

HELPERS = """
FACTOR = 10


def scaled(value):
    return value * FACTOR
"""
MODEL = """
from pyspark.sql.functions import udf

import helpers
from flowforge import model
from helpers import scaled


class Half:
    def of(self, value):
        return value // 2


def spread(value):
    return scaled(value) + helpers.FACTOR + Half().of(value)


@udf("bigint")
def declared(value):
    return spread(value)


@model(deps=["numbers"])
def spread_out(numbers):
    return numbers.select("n", udf(spread, "bigint")("n").alias("a"), declared("n").alias("b"))
"""


@pytest.fixture
def project(settings, tmp_path):
    profile = {"default": {"engine": "databricks_spark", "databricks_spark": settings}}
    files = {
        "profiles.yml": json.dumps(profile, default=str),
        "helpers.py": HELPERS,
        "models/numbers.ff.sql": "select cast(4 as bigint) as n",
        "models/spread_out.ff.py": MODEL,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with Project.load(tmp_path) as opened:
        yield opened


def test_functions_of_a_models_module_and_of_what_it_imports_are_run_by_workers(project):
    report = project.run()
    assert report.ok, [result.error for result in report.results if result.error]
    assert project.show("spread_out").rows == [(4, 52, 52)]
