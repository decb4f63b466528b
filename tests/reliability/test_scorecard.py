"""The scorecard counts what the tests told, and names only tests that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
import scorecard

ROOT = Path(__file__).parents[2]
REPORT = """<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1">
<testcase><properties><property name="trials" value="25"/><property name="seed" value="7"/></properties></testcase>
<testcase><properties><property name="trials" value="200"/><property name="seed" value="7"/></properties></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted():
    assert scorecard.outcome_of(REPORT) == scorecard.Outcome(2, 2, 1, 225, ("7",))


@pytest.mark.parametrize("bar", scorecard.BARS, ids=lambda bar: bar.key)
def test_a_bar_names_tests_that_are_there(bar):
    paths = [part for part in bar.tests if part.startswith(("tests", "packages"))]
    assert paths
    assert all((ROOT / path).exists() for path in paths)
