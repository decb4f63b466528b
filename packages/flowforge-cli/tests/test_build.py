"""`flowforge build`: what it prints, and its exit codes."""

from __future__ import annotations

import re
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


def test_each_test_is_told_as_it_ends_and_all_of_them_at_the_end(flowforge, with_test):
    lines = flowforge("build", with_test(FAILS)).lines
    model = next(i for i, line in enumerate(lines) if re.match(r"✓ orders +table ", line))
    test = next(
        i for i, line in enumerate(lines) if re.match(r"✗ row_count_between orders +test +failed +\d+ms$", line)
    )
    assert lines[test + 1].startswith("   ↳ orders has ")
    assert model < test < lines.index("Totals") < lines.index("Data Quality Summary")
    passed = [line for line in lines if re.match(r"✓ unique customers.customer_id +test +passed +\d+ms$", line)]
    assert len(passed) == 1
    assert lines[-4:] == ["──────", "✓ passed: 2", "✗ failed: 1", "↷ skipped: 2"]


def test_a_skipped_test_is_told_too(flowforge, with_test):
    shop = with_test(FAILS)
    (shop / "models/orders.ff.sql").write_text("select nope")
    assert re.search(
        r"^↷ row_count_between orders +skipped \(orders failed\)$", flowforge("build", shop).out, re.MULTILINE
    )


def test_all_that_tells_the_time_of_a_run_tells_the_same(flowforge, fresh):
    for command in ("build", "run"):
        done = flowforge(command, fresh).out
        told = re.search(r"^Done in (.+)$", done, re.MULTILINE)[1]
        run = flowforge("runs", "list", fresh).out.split()[0]
        assert re.fullmatch(
            rf"Run {run}: {command}, ok in {re.escape(told)}", flowforge("runs", "show", run, fresh).lines[0]
        )


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


def test_fail_fast_begins_nothing_after_a_failed_test(flowforge, with_test):
    shop = with_test(FAILS)
    (shop / "models/zz_apart.ff.sql").write_text("select n from {{ ref('zz_after') }}")
    (shop / "models/zz_after.ff.sql").write_text("select 1 as n")
    whole = flowforge("build", shop, "--jobs", "1").out
    assert re.search(r"^✓ zz_apart ", whole, re.MULTILINE)
    shutil.rmtree(shop / ".local")
    stopped = flowforge("build", shop, "--jobs", "1", "-x").out
    assert re.search(r"^↷ zz_apart +skipped \(test row_count_between orders failed\)$", stopped, re.MULTILINE)


def test_what_a_failed_test_stopped_is_not_built_by_a_run_that_resumes(flowforge, with_test):
    shop = with_test(FAILS)
    assert flowforge("build", shop).code == 2
    answer = flowforge("run", shop, "--resume")
    assert (answer.code, answer.out) == (1, "")
    assert "a build, failed and stopped what depends on them" in answer.err
    assert "flowforge build" in answer.err
