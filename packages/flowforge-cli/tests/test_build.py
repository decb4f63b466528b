"""`flowforge build`: what it prints, and its exit codes."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def fresh(shop):
    """The project with nothing built."""
    shutil.rmtree(shop / ".local")
    return shop


@pytest.fixture
def with_test(fresh):
    def add(text):
        with (fresh / "project.yml").open("a") as file:
            file.write(f"  - {text}\n")
        return fresh

    return add


FAILS = "{type: row_count_between, table: orders, min: 99}"
WARNS = "{type: row_count_between, table: orders, min: 99, severity: warn}"
CANNOT = "{type: unique, table: no, column: x}"


def test_seeds_models_and_tests_are_told(flowforge, fresh):
    answer = flowforge("build", fresh)
    assert answer.code == 0
    for part in ("✓ seeded: 2 in", "Running 3 models on sqlite", "✓ built: 3", "Data Quality Summary", "✓ passed: 4"):
        assert part in answer.out


def test_a_failed_test_stops_its_dependents_and_ends_with_two(flowforge, with_test):
    answer = flowforge("build", with_test(FAILS))
    assert answer.code == 2
    assert "skipped (test row_count_between orders failed)" in answer.out
    assert "✗ failed: 1" in answer.out


def test_one_that_only_warns_ends_with_nothing(flowforge, with_test):
    answer = flowforge("build", with_test(WARNS))
    assert answer.code == 0
    assert "⚠ warned: 1" in answer.out


def test_an_error_wins_over_a_failed_test(flowforge, with_test):
    with_test(FAILS)
    assert flowforge("build", with_test(CANNOT)).code == 1


def test_a_failed_model_wins_over_a_failed_test(flowforge, with_test):
    shop = with_test(FAILS)
    (shop / "models/customers.ff.sql").write_text("select nope")
    answer = flowforge("build", shop)
    assert answer.code == 1
    assert "skipped (customers, test row_count_between orders failed)" in answer.out


def test_json_has_an_event_for_everything(flowforge, with_test):
    answer = flowforge("build", with_test(FAILS), "--log-format", "json")
    names = [event["event"] for event in answer.events]
    assert {"seed_loaded", "model_built", "model_skipped", "check_failed", "check_passed", "tests_finished"} <= {*names}
    assert answer.events[-1]["data"]["failed"] == 1


def test_quiet_tells_only_what_went_wrong(flowforge, fresh, with_test):
    assert flowforge("build", fresh, "-q").out == ""
    assert "row_count_between" in flowforge("build", with_test(FAILS), "-q").out
