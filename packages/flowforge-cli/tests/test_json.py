"""`--log-format json`: standard output is JSON, one object a line, and nothing else."""

from __future__ import annotations

import pytest

COMMANDS = [
    ("seed", "shop"),
    ("run", "shop"),
    ("test", "shop"),
    ("dag", "shop", "--html"),
    ("show", "orders", "shop"),
    ("compile", "shop", "-v"),
    ("debug", "shop"),
    ("clean", "shop"),
    ("run", "shop", "--env", "nope"),
    ("show", "nope", "shop"),
    ("test", "shop", "--select", "nope"),
    ("run", "nowhere"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_line_parses(flowforge, shop, command):
    answer = flowforge(*command, "--log-format", "json")
    assert answer.events
    assert all(event.keys() == {"ts", "level", "event", "msg", "data"} for event in answer.events)
    assert answer.err == ""
    assert answer.out.isascii()


def names(answer):
    return [event["event"] for event in answer.events]


def test_a_run(flowforge, shop):
    answer = flowforge("run", shop, "--log-format=json", "--no-cache")
    assert names(answer) == ["run_started", *["model_started", "model_built"] * 3, "run_finished"]
    assert answer.events[0]["data"]["total"] == 3
    assert answer.events[2]["data"] | {"seconds": 0} == {
        "model": "customers",
        "relation": "customers",
        "rows": 3,
        "seconds": 0,
        "retries": 0,
    }


def test_failures_are_in_it(flowforge, shop):
    (shop / "models" / "orders.ff.sql").write_text("select nope")
    answer = flowforge("run", shop, "--log-format=json")
    assert answer.code == 1
    assert "model_failed" in names(answer)
    assert [event["level"] for event in answer.events].count("error") == 1
    [failed] = [event for event in answer.events if event["event"] == "model_failed"]
    assert failed["msg"] == "Model 'orders' failed: no such column: nope"
    assert failed["data"]["where"] == "models/orders.ff.sql"
    assert failed["data"]["hint"] == "See the SQL that was run: .flowforge/compiled/models/orders.sql"


def test_a_model_that_is_skipped_never_started(flowforge, shop):
    (shop / "models" / "orders.ff.sql").write_text("select nope")
    events = flowforge("run", shop, "--log-format=json").events
    told = [event["event"] for event in events if event["data"].get("model") == "revenue_by_customer"]
    assert told == ["model_skipped"]


def test_an_error_tells_place_and_fix_apart(flowforge, shop):
    [event] = flowforge("run", shop, "--env", "nope", "--log-format=json").events
    assert (event["event"], event["msg"]) == ("error", "There is no profile 'nope'.")
    assert event["data"] == {"where": "profiles.yml", "hint": "Known: default."}


def test_tests_tell_failures_from_errors(flowforge, shop):
    with (shop / "project.yml").open("a") as file:
        file.write("  - {type: row_count_between, table: orders, min: 99}\n  - {type: unique, table: no, column: x}\n")
    answer = flowforge("test", shop, "--log-format=json")
    assert names(answer) == [*["check_passed"] * 4, "check_failed", "check_error", "tests_finished"]
    assert answer.events[-2]["msg"] == "Test unique of no.x cannot run: no such table: no"
    assert answer.events[-2]["data"]["where"].startswith("project.yml:")
    assert answer.events[-2]["data"]["hint"] == f"Build it first: flowforge run {shop}"
    failed = answer.events[-3]["data"]
    assert failed["where"].startswith("project.yml:")
    assert failed["query"] == "select count(*) from `orders`"
    assert answer.events[-1]["data"] == {"passed": 4, "warned": 0, "failed": 1, "errors": 1, "skipped": 0}


def test_an_error_has_its_facts(flowforge, shop):
    answer = flowforge("run", shop, "--env", "nope", "--log-format", "json")
    assert answer.code == 1
    assert answer.events[0]["data"] == {"where": "profiles.yml", "hint": "Known: default."}


def test_what_a_model_prints_goes_to_standard_error(flowforge, shop):
    code = (
        "import sys\nfrom flowforge import model\nfrom flowforge_testkit.sqlite.frames import Frame\n"
        "@model()\ndef p():\n    print('hello')\n    return Frame(('n',), [])\n"
    )
    (shop / "models" / "p.ff.py").write_text(code)
    answer = flowforge("run", shop, "--select", "p", "--log-format", "json")
    assert names(answer)[-2:] == ["model_built", "run_finished"]
    assert answer.err == "hello\n"
    assert "hello" in flowforge("run", shop, "--select", "p", "--no-cache").out


def test_values_that_json_lacks(flowforge, shop):
    (shop / "models" / "odd.ff.sql").write_text("select 9e999 as a, x'00ff' as b, 'ü' as c, null as d")
    flowforge("run", shop, "--select", "odd")
    [row] = flowforge("show", "odd", shop, "--log-format", "json").events
    assert row["data"]["a"] == "inf"
    assert row["data"]["c"] == "ü"
    assert row["data"]["d"] is None


def test_quiet_does_not_silence_it(flowforge, shop):
    assert flowforge("run", shop, "-q", "--log-format", "json").events


def test_a_warning_is_an_event(flowforge, shop, monkeypatch):
    monkeypatch.setenv("FF_SQLITE_PATH", ":memory:")
    assert "warning" in names(flowforge("seed", shop, "--log-format", "json"))
