"""The report: what became of each case, the same text each time, gathered from workers too."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import pytest
from flowforge_testkit.conformance import EngineConformance, PluginConformance
from flowforge_testkit.sqlite.plugin import SPEC

class TestMine(EngineConformance):
    unproved = {"test_labels_change_nothing_whatever_they_hold": "no | labels"}

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self):
        return {"engine": "sqlite"}

    def test_mine(self):
        pass

class TestSaid(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC
"""
CASES = "labels or close_twice or lock_keeps or parquet_becomes or opener or mine"
NAMES = "table_of_any_name"


@pytest.fixture
def report(pytester):
    pytester.makepyfile(SUITE)

    def run(*options, cases=CASES):
        path = pytester.path / "out" / "report.md"
        pytester.runpytest("-q", "-p", "no:cacheprovider", "-k", cases, "--flowforge-report", path, *options)
        return path.read_text("utf-8")

    return run


def test_each_case_with_what_became_of_it(report):
    lines = report().splitlines()
    assert lines[:3] == ["# What was proved", "", "## Mine"]
    assert "- engine: sqlite, flowforge-testkit 0.1.0" in lines
    assert "- lacks: CONCURRENT_SESSIONS, PARQUET_SEEDS" in lines
    declined = "| `test_parquet_becomes_a_table` | declined | declined by sqlite: Parquet seeds |"
    why = "not claimed by sqlite: a second session on the same target"
    assert "| `test_close_twice_is_allowed` | proved |  |" in lines
    assert declined in lines
    assert f"| `test_lock_keeps_a_second_writer_out_and_names_the_first` | declined | {why} |" in lines
    # A case that should fail and passes has failed: the name in `unproved` must go.
    failed = next(line for line in lines if "test_labels" in line)
    assert "| failed |" in failed
    assert "| `test_its_opener_is_there` | proved |  |" in lines
    assert not any("test_mine" in line for line in lines), "own cases are not the kit's"


@pytest.mark.parametrize(("as_what", "told"), [("unproved", "not proved here"), ("limits", "does not hold")])
def test_what_cannot_be_proved_here_or_does_not_hold_has_its_reason(pytester, report, as_what, told):
    broken = SUITE.replace("unproved", as_what).replace(
        "def test_mine", "@pytest.fixture\n    def engine(self):\n        raise OSError('gone')\n\n    def test_mine"
    )
    pytester.makepyfile(broken)
    line = next(line for line in report().splitlines() if "test_labels" in line)
    assert line.endswith(f"| {told} | no \\| labels |")


def test_names_that_were_not_tried_are_told(report, pytester, monkeypatch):
    told = "| `test_table_of_any_name_is_found_or_refused` | proved | {}|"
    pytester.makepyfile(SUITE.replace("unproved =", "names_sample = 5\n    unproved ="))
    monkeypatch.delenv("FLOWFORGE_NIGHTLY", raising=False)
    some = "with 5 of 297 names; 3 more are refused before the engine is asked "
    assert told.format(some) in report(cases=NAMES).splitlines()
    monkeypatch.setenv("FLOWFORGE_NIGHTLY", "1")
    assert told.format(" ") in report(cases=NAMES).splitlines()


def test_two_runs_and_two_workers_write_the_same(report, pytester):
    pytester.makepyfile(SUITE.replace("unproved =", "names_sample = 5\n    unproved ="))
    every = f"{CASES} or {NAMES}"
    written = report(cases=every)
    assert "with 5 of 297 names" in written
    assert written == report(cases=every) == report("-n", "2", cases=every)
