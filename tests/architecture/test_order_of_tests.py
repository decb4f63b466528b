"""The longest files of tests come first, what shares a server goes to one worker, and each that is named is there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ours(request):
    return request.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))


def test_every_place_that_is_named_is_there(ours):
    assert [place for place in ours.LONGEST if not (ROOT / place).exists()] == []


def test_what_shares_a_server_is_handed_out_together(ours):
    scheduler = ours.pytest_xdist_make_scheduler(SimpleNamespace(getvalue=lambda _: ["popen"] * 2), None)
    spark, bigquery, _ = (places[0] for places in ours.SHARING.values())
    given = [f"{spark}a.py::x", f"{spark}b.py::y[tests/e2e/c.py]", f"{bigquery}a.py::x", "tests/e2e/c.py::x[1]"]
    assert [scheduler._split_scope(name) for name in given] == ["Spark", "Spark", "BigQuery", "tests/e2e/c.py"]


def test_the_longest_come_first_and_the_others_stay_in_order(ours):
    second, first = ours.LONGEST[1], ours.LONGEST[0]
    given = ["b.py::two", f"{second}::x", "a.py::one", f"{first}::z", f"{first}::a[p::q]"]
    items = [SimpleNamespace(nodeid=name) for name in given]
    ours.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [given[3], given[4], given[1], given[0], given[2]]
