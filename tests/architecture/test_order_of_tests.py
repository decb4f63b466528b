"""The longest files of tests come first, and each that is named so is there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ours(request):
    return request.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))


def test_every_file_that_is_named_is_there(ours):
    assert [file for file in ours.LONGEST if not (ROOT / file).is_file()] == []


def test_the_longest_come_first_and_the_others_stay_in_order(ours):
    second, first = ours.LONGEST[1], ours.LONGEST[0]
    given = ["b.py::two", f"{second}::x", "a.py::one", f"{first}::z", f"{first}::a[p::q]"]
    items = [SimpleNamespace(nodeid=name) for name in given]
    ours.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [given[3], given[4], given[1], given[0], given[2]]
