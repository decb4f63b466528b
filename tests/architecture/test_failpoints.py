"""Every failpoint that the code passes is in the list, every one in the list is passed, and none costs anything."""

from __future__ import annotations

import ast
from pathlib import Path
from timeit import timeit

from flowforge_ports.failpoint import POINTS, failpoint

SOURCES = sorted((Path(__file__).parents[2] / "packages").glob("*/src/**/*.py"))


def test_the_points_of_the_code_are_those_of_the_list():
    assert set(passed()) == set(POINTS)


def test_a_point_is_named_by_a_literal():
    assert None not in passed()


def test_a_point_that_is_off_costs_less_than_a_microsecond():
    assert min(timeit(lambda: failpoint("done"), number=10_000) for _ in range(5)) < 0.01


def passed():
    """Return the name in each call of `failpoint`, None where it is computed."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "failpoint":
                yield getattr(node.args[0], "value", None)
