"""Journals: what is written is read again, up to a torn end, and tells how a run went."""

from __future__ import annotations

from datetime import date

import pytest

from flowforge_domain.checks import Check
from flowforge_domain.errors import ConfigError
from flowforge_domain.holder import Holder
from flowforge_domain.journal import (
    ModelRecord,
    RunOptions,
    as_arguments,
    began_entry,
    check_entry,
    end_entry,
    holding,
    journal_line,
    journal_name,
    plan_entry,
    read_lines,
    result_entry,
    run_results,
    start_entry,
    told,
)
from flowforge_domain.results import CheckResult, ModelResult, SeedResult, Status
from flowforge_domain.text import Location

HOLDER = Holder("3f2a", 12, "build-1", "2026-01-02T03:04:05.678000+00:00")
NAME = "20260102T030405.678000Z-3f2a"
START, PLAN = start_entry(HOLDER, "run"), plan_entry("duckdb", "x.duckdb", ["a", "b", "c"])
BUILT = result_entry(ModelResult("a", "main.a", "table", Status.BUILT, 1.23456789, 3), 1.5)
FAILED = result_entry(ModelResult("b", "b", "view", Status.FAILED, 0.5, error=ConfigError("wrong", hint="Mend it.")), 2)
SKIPPED = result_entry(ModelResult("c", "c", "view", Status.SKIPPED, reason="b failed"), 2)


def lines(*entries):
    return b"".join(map(journal_line, entries))


def test_entries_are_read_as_they_were_written():
    entries = [START, PLAN, began_entry("a", 0.1), BUILT, FAILED, SKIPPED, end_entry("failed", 2.5, "")]
    assert read_lines(lines(*entries)) == entries


def test_name_sorts_by_time_and_ends_with_the_run():
    assert journal_name(HOLDER) == NAME


def test_journal_torn_at_any_byte_of_its_last_line_is_read_up_to_it():
    whole = lines(START, PLAN, BUILT)
    last = len(journal_line(BUILT))
    for cut in range(1, last + 1):
        assert read_lines(whole[:-cut]) == [START, PLAN]


@pytest.mark.parametrize("damage", [b"x", b"\n", b"\xff", b"0", b"\x00"])
def test_a_damaged_line_ends_what_is_believed(damage):
    whole, at = lines(START, PLAN, BUILT), len(journal_line(START)) + 20
    assert read_lines(whole[:at] + damage + whole[at + 1 :]) == [START]


def test_a_whole_run():
    record = told(
        NAME, [START, PLAN, began_entry("a", 0.1), BUILT, FAILED, SKIPPED, end_entry("failed", 2.5, "")], False
    )
    assert (record.run, record.command, record.status, record.pid, record.host) == (
        "3f2a",
        "run",
        "failed",
        12,
        "build-1",
    )
    assert (record.started, record.seconds) == (HOLDER.started, 2.5)
    assert (record.engine, record.target, record.error) == ("duckdb", "x.duckdb", "")
    assert list(record.models.values()) == [
        ModelRecord("a", "built", "main.a", "table", 3, 1.234568),
        ModelRecord("b", "failed", "b", "view", None, 0.5, "wrong\nMend it."),
        ModelRecord("c", "skipped", "c", "view", cause="b failed"),
    ]
    assert (record.count("built"), record.count("failed", "skipped")) == (1, 2)


@pytest.mark.parametrize(("goes_on", "status"), [(True, "running"), (False, "crashed")])
def test_a_run_without_end_goes_on_or_crashed(goes_on, status):
    record = told(NAME, [START, PLAN, BUILT, began_entry("b", 1)], goes_on)
    assert record.status == status
    assert [model.status for model in record.models.values()] == ["built", "unfinished", "not run"]


def test_a_journal_without_a_whole_line_is_a_crashed_run():
    record = told(NAME, [], False)
    assert (record.run, record.status, record.started, record.models) == ("3f2a", "crashed", HOLDER.started, {})


def test_seeds_are_built():
    record = told(NAME, [START, result_entry(SeedResult("s", "main.s", 3, 0.1), 1)], False)
    assert record.models == {"s": ModelRecord("s", "built", "main.s", "seed", 3, 0.1)}


def test_a_journal_of_another_version_is_named_in_one_line():
    with pytest.raises(ConfigError) as caught:
        told(NAME, [{**START, "format": 99}], False)
    assert str(caught.value) == (
        f"The journal {NAME} is of another version of FlowForge (format 99). Read it with that version, or delete it."
    )


def test_results_have_all_their_keys():
    results = run_results(told(NAME, [START, PLAN], False))
    assert results["results"][0] == {
        "name": "a",
        "status": "not run",
        "relation": "",
        "materialized": "",
        "rows": None,
        "seconds": 0.0,
        "cause": "",
    }
    assert set(results) >= {"format", "run", "command", "status", "started", "seconds", "engine", "target", "error"}


class TestOptions:
    GIVEN = RunOptions("dev", "duckdb", full_refresh=True)

    def read(self, options):
        (entry,) = read_lines(journal_line(start_entry(HOLDER, "run", options)))
        return told(NAME, [entry], False).options

    def test_they_are_told_again(self):
        options = holding(self.GIVEN, {"start": "2026-01-01", "deep": {"a": [1, None]}})
        assert self.read(options) == options
        assert as_arguments(options) == (
            """--env dev --engine duckdb --vars '{"start": "2026-01-01", "deep": {"a": [1, null]}}' --full-refresh"""
        )

    @pytest.mark.parametrize(
        "variables",
        [
            {"db_password": "hunter2"},
            {"deep": {"list": [{"api_key": "hunter2"}]}},
            {"day": date(2026, 1, 1)},
            {"pair": (1, 2)},
            {"by_number": {1: "a"}},
            {"none": float("nan")},
        ],
    )
    def test_what_looks_like_a_secret_or_is_no_json_is_only_named(self, variables):
        options = holding(self.GIVEN, {**variables, "n": 1})
        assert (options.variables, options.unkept) == ({"n": 1}, tuple(variables))
        assert b"hunter2" not in journal_line(start_entry(HOLDER, "run", options))
        assert self.read(options) == options

    def test_a_journal_without_any_has_none(self):
        start = {key: value for key, value in START.items() if key != "options"}
        assert told(NAME, [start], False).options == RunOptions()


class TestChecks:
    def entry(self, column, line, failure=""):
        check = Check("unique", "t", column, where=Location("project.yml", line))
        return check_entry(CheckResult(check, "select 1", 0.5, failure), 1.0)

    def test_they_are_told_in_the_order_of_the_plan_with_those_that_did_not_run(self):
        plan = plan_entry("duckdb", "x.duckdb", [], ["unique t.a", "unique t.b", "unique t.a", "unique t.c"])
        ended = [self.entry("c", 4), self.entry("a", 3, "t.a has 1 duplicates"), self.entry("a", 1)]
        (begun,) = read_lines(lines(START))
        record = told(NAME, [begun, plan, *read_lines(lines(*ended))], True)
        assert [(check.name, check.line, check.status) for check in record.checks] == [
            ("unique t.a", 1, "passed"),
            ("unique t.a", 3, "failed"),
            ("unique t.b", 0, "not run"),
            ("unique t.c", 4, "passed"),
        ]
        assert run_results(record)["tests"][1]["cause"] == "t.a has 1 duplicates"
