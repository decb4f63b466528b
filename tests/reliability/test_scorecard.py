"""The scorecard counts what the tests told, and names only tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import scorecard

ROOT = Path(__file__).parents[2]
KIT = ROOT / "packages/flowforge-testkit/src/flowforge_testkit/conformance"
REPORT = """<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1">
<testcase><properties><property name="trials" value="25"/><property name="seed" value="7"/></properties></testcase>
<testcase><properties><property name="trials" value="200"/><property name="seed" value="7"/></properties></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted():
    assert scorecard.outcome_of(REPORT) == scorecard.Outcome(2, 2, 1, 225, ("7",))


def test_a_row_tells_result_trials_seed_and_command():
    bar = scorecard.Bar("R0", "Nothing is lost", ("tests/reliability/test_kills.py", "-k", "kill or fail"), "not yet")
    assert scorecard.row(bar, scorecard.Outcome(3, 0, 1, 1225, ("7",)), "1f57, 2026-01-01") == (
        "| R0 | Nothing is lost | stands | 3 passed, 1 skipped | 1,225 | 7 "
        "| `pytest tests/reliability/test_kills.py -k 'kill or fail'` | not yet "
        "| 1f57, 2026-01-01 |"
    )
    assert "| RED: 2 failed | 3 passed |" in scorecard.row(bar, scorecard.Outcome(3, 2, 0, 0, ()), "")
    assert "| RED: 0 failed |" in scorecard.row(bar, scorecard.Outcome(0, 0, 0, 0, ()), "")


def test_a_row_takes_the_place_of_the_last_one_in_its_own_table():
    page = ""
    for key, line, night in (
        ("R3", "| R3 | old |", False),
        ("R3", "| R3 | of a night |", True),
        ("R1", "| R1 | first |", False),
        ("R3", "| R3 | new |", False),
    ):
        page = scorecard.with_row(page, key, line, night)
    day, night = page.split("## At the counts of `make nightly`")
    assert day.endswith("| R1 | first |\n| R3 | new |\n\n")
    assert "| R3 | of a night |" in night
    assert "| R1 |" not in night
    assert scorecard.with_row(page.replace("R3", "R99"), "R1", "| R1 | first |", night=False).count("R99") == 0


def test_tests_that_tell_nothing_are_red(tmp_path):
    assert not scorecard.stands(scorecard.told_by(tmp_path / "junit.xml"))
    (tmp_path / "junit.xml").write_text(REPORT)
    assert scorecard.told_by(tmp_path / "junit.xml").trials == 225


@pytest.mark.parametrize("bar", scorecard.BARS, ids=lambda bar: bar.key)
def test_words_that_choose_tests_choose_some(bar):
    if "-k" not in bar.tests:
        return
    at = bar.tests.index("-k")
    sources = [Path(path).stem + (ROOT / path).read_text("utf-8") for path in bar.tests[:at]]
    # The kit's own tests stand in its package.
    sources += [path.read_text("utf-8") for path in KIT.glob("*.py")]
    names = [name for source in sources for name in re.findall(r"^test_\w+|def (test_\w+)", source, re.MULTILINE)]
    names += [Path(path).stem for path in bar.tests[:at]]
    # A word may also be that of a parameter.
    names += re.findall(r'"(\w+)"', "".join(sources))
    for word in bar.tests[at + 1].removeprefix("not ").split(" or "):
        assert any(word in name for name in names), word


@pytest.mark.parametrize("bar", scorecard.BARS, ids=lambda bar: bar.key)
def test_a_bar_names_tests_that_are_there(bar):
    paths = [part for part in bar.tests if part.startswith(("tests", "packages"))]
    assert paths
    assert all((ROOT / path).exists() for path in paths)
