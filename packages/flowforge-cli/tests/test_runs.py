"""What `runs` tells, and what `run --resume` takes up."""

from __future__ import annotations

import json
import re

import pytest

BAD = "select nosuch from {{ ref('customers') }}"


@pytest.fixture
def failed(flowforge, shop):
    (shop / "models/bad.ff.sql").write_text(BAD)
    (shop / "models/below.ff.sql").write_text("select * from {{ ref('bad') }}")
    assert flowforge("run", shop, "-q").code == 1
    return shop


def run_ids(answer):
    return [line.split()[0] for line in answer.lines]


class TestList:
    def test_the_newest_comes_first(self, flowforge, failed):
        answer = flowforge("runs", "list", failed)
        assert answer.code == 0
        ended = [re.sub(r"^\w{12}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in answer.lines]
        assert ended == [
            "run   failed       default (sqlite)  3 unchanged, 1 skipped, 1 failed",
            "run   ok           default (sqlite)  3 built",
            "seed  ok           default (sqlite)  2 built",
        ]

    def test_each_tells_its_profile_and_engine(self, flowforge, shop):
        profiles = shop / "profiles.yml"
        profiles.write_text(f"{profiles.read_text()}\nnightly: {{engine: sqlite, sqlite: {{path: n.sqlite}}}}\n")
        assert flowforge("seed", shop, "--env", "nightly").code == 0
        newest, before, *_ = flowforge("runs", "list", shop).lines
        assert newest.endswith("  seed  ok           nightly (sqlite)  2 built")
        assert "  default (sqlite)  " in before
        answer = flowforge("runs", "show", newest[:12], shop)
        assert answer.lines[2] == "Worked on profile nightly, engine sqlite"
        assert "Asked for" not in answer.out
        assert (
            "Worked on profile default, engine sqlite (.local/data.sqlite)"
            in flowforge("runs", "show", before[:12], shop).out
        )

    def test_it_is_what_runs_alone_tells_of_the_current_folder(self, flowforge, failed, monkeypatch):
        monkeypatch.chdir(failed)
        assert flowforge("runs").lines == flowforge("runs", "list").lines != []
        assert flowforge("runs", "-n", "1").lines == flowforge("runs", "list").lines[:1]

    def test_as_many_as_are_wanted_as_json(self, flowforge, failed):
        (event,) = flowforge("runs", "list", failed, "--limit", "1", "--log-format", "json").events
        assert (event["event"], event["data"]["status"], event["data"]["models"]) == ("run", "failed", 5)

    def test_nothing_was_run(self, flowforge, tmp_path):
        flowforge("init", tmp_path / "new", "--engine", "sqlite")
        answer = flowforge("runs", "list", tmp_path / "new")
        assert (answer.code, answer.out, "Nothing was run yet." in answer.err) == (0, "", True)

    def test_a_run_that_was_killed_is_said_to_have_crashed(self, flowforge, shop):
        newest = max((shop / ".flowforge/runs").iterdir())
        content = newest.read_bytes()
        for length in (0, 10, len(content) - 200, len(content) - 1):
            newest.write_bytes(content[:length])
            assert "crashed" in flowforge("runs", "list", shop).lines[0]
            assert flowforge("runs", "list", shop).lines[0].split()[3] == ("run" if length > 10 else "?")


class TestShow:
    def test_every_model_and_its_cause(self, flowforge, failed):
        answer = flowforge("runs", "show", run_ids(flowforge("runs", "list", failed))[0][:6], failed)
        assert answer.code == 0
        assert answer.lines[0].startswith("Run ")
        assert "✗ bad " in answer.out
        assert "models/bad.ff.sql: Model 'bad' failed" in answer.out
        assert re.search(r"↷ below +skipped +\d+ms\n   bad failed\n", answer.out)
        assert re.search(r"✓ customers +unchanged ", answer.out)

    def test_json_has_an_event_a_model(self, flowforge, failed):
        run = run_ids(flowforge("runs", "list", failed))[0]
        head, *models = flowforge("runs", "show", run, failed, "--log-format", "json").events
        assert head["data"]["run"] == run
        assert {event["data"]["model"]: event["data"]["status"] for event in models}["below"] == "skipped"

    def test_what_did_not_come_to_its_end_has_no_time(self, flowforge, failed):
        newest = max((failed / ".flowforge/runs").iterdir())
        lines = newest.read_bytes().splitlines(keepends=True)
        began = next(place for place, line in enumerate(lines) if b'"began","model":"bad"' in line)
        newest.write_bytes(b"".join(lines[: began + 1]))
        run = run_ids(flowforge("runs", "list", failed))[0]
        answer = flowforge("runs", "show", run, failed)
        assert answer.lines[0] == f"Run {run}: run, crashed"
        assert re.search(r"^… bad +unfinished$", answer.out, re.MULTILINE)
        assert re.search(r"^  below +not run$", answer.out, re.MULTILINE)
        assert re.search(r"^✓ customers +unchanged .*ms$", answer.out, re.MULTILINE)

    def test_a_run_that_is_unknown(self, flowforge, shop):
        answer = flowforge("runs", "show", "zzz", shop)
        assert (answer.code, answer.err.splitlines()[0]) == (1, "✗ There is no run 'zzz'.")

    def test_a_missing_run_shows_where_help_is(self, flowforge):
        answer = flowforge("runs", "show")
        assert (answer.code, answer.err.splitlines()[-1]) == (1, "See: flowforge runs show --help")


class TestResume:
    def test_what_failed_is_built_and_then_there_is_nothing_left(self, flowforge, failed):
        (failed / "models/bad.ff.sql").write_text("select * from {{ ref('customers') }}")
        assert flowforge("run", failed, "--resume").code == 0
        answer = flowforge("run", failed, "--resume")
        assert answer.code == 1
        assert answer.err.startswith("✗ There is nothing to resume. The last run, ")

    def test_only_the_models_of_that_run(self, flowforge, shop):
        (shop / "models/bad.ff.sql").write_text("select nosuch")
        assert flowforge("run", shop, "-q", "--select", "bad").code == 1
        (shop / "models/bad.ff.sql").write_text("select 1 as n")
        assert flowforge("run", shop, "--resume").code == 0
        results = json.loads((shop / ".flowforge/run_results.json").read_text())
        assert [result["name"] for result in results["results"]] == ["bad"]

    def test_models_that_are_gone_are_never_replaced_by_all_others(self, flowforge, shop):
        (shop / "models/bad.ff.sql").write_text("select nosuch")
        assert flowforge("run", shop, "-q", "--select", "bad").code == 1
        (shop / "models/bad.ff.sql").rename(shop / "models/good.ff.sql")
        run = run_ids(flowforge("runs", "list", shop))[0]
        answer = flowforge("run", shop, "--resume", "--no-cache")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == (
            f"✗ There is nothing left to resume: 'bad', which run {run} left undone, is gone.\n"
            f"Build what is there: flowforge run {shop}\n"
        )

    def test_what_was_built_is_nothing_left_when_the_rest_is_gone(self, flowforge, failed):
        for name in ("bad", "below"):
            (failed / f"models/{name}.ff.sql").unlink()
        answer = flowforge("run", failed, "--resume")
        assert (answer.code, answer.out) == (1, "")
        assert "'bad', 'below', which run" in answer.err

    def test_one_that_is_gone_is_told_and_the_others_are_built(self, flowforge, failed):
        (failed / "models/bad.ff.sql").unlink()
        (failed / "models/below.ff.sql").write_text("select 1 as n")
        answer = flowforge("run", failed, "--resume")
        assert answer.code == 0
        assert re.search(r"✓ below ", answer.out)
        assert re.search(r"^! 'bad', which run \w{12} left undone, is gone\.$", answer.err, re.MULTILINE)

    def test_a_build_that_did_not_come_to_its_models(self, flowforge, shop):
        seed = next((shop / "seeds").iterdir())
        seed.write_text("a,b\n1\n")
        assert flowforge("build", shop, "-q").code == 1
        answer = flowforge("run", shop, "--resume")
        assert (answer.code, answer.out) == (1, "")
        assert re.search(r"Run \w{12} did not come to its models\.\nStart it again: flowforge build ", answer.err)

    def test_no_selection_beside_it(self, flowforge, failed):
        answer = flowforge("run", failed, "--resume", "--select", "bad")
        assert (answer.code, "no selection" in answer.err) == (1, True)

    def test_a_run_that_could_keep_no_journal_says_so_and_builds(self, flowforge, shop):
        for path in (shop / ".flowforge/runs").iterdir():
            path.unlink()
        (shop / ".flowforge/runs").rmdir()
        (shop / ".flowforge/runs").write_text("")
        answer = flowforge("run", shop)
        assert answer.code == 0
        assert answer.err == "! The journal of this run cannot be written: File exists.\n"


class TestOfTests:
    """A `test` and the tests of a `build` are told as well."""

    @pytest.fixture
    def failing(self, shop):
        with (shop / "project.yml").open("a") as file:
            file.write("  - {type: row_count_between, table: revenue_by_customer, min: 99}\n")
        return shop

    def test_a_test_is_listed_and_shown(self, flowforge, failing):
        assert flowforge("test", failing, "-q").code == 2
        line = flowforge("runs", "list", failing).lines[0]
        assert re.search(r"  test  failed       default \(sqlite\)  tests: 4 passed, 1 failed$", line)
        shown = flowforge("runs", "show", line.split()[0], failing)
        assert re.search(r"✓ unique customers.customer_id +passed +\d+ms\n", shown.out)
        assert re.search(
            r"✗ row_count_between revenue_by_customer +failed +\d+ms\n   revenue_by_customer has ", shown.out
        )
        events = flowforge("runs", "show", line.split()[0], failing, "--log-format", "json").events
        assert [event["data"]["status"] for event in events if event["event"] == "test"] == ["passed"] * 4 + ["failed"]

    def test_a_build_whose_tests_fail_has_failed_and_left_nothing_to_resume(self, flowforge, failing):
        assert flowforge("build", failing, "-q").code == 2
        assert re.search(
            r"build failed  +default \(sqlite\)  2 built, 3 unchanged; tests: ",
            flowforge("runs", "list", failing).lines[0],
        )
        answer = flowforge("run", failing, "--resume")
        assert (answer.code, answer.out) == (1, "")
        assert f"were built; tests failed.\nRun the tests again: flowforge test {failing}\n" in answer.err

    def test_the_run_before_is_still_what_is_resumed_and_selected_by_result(self, flowforge, failed):
        flowforge("test", failed, "-q")
        assert flowforge("ls", failed, "-s", "result:failed").lines == ["bad"]
        (failed / "models/bad.ff.sql").write_text("select * from {{ ref('customers') }}")
        assert flowforge("run", failed, "--resume").code == 0

    def test_no_tests_leave_nothing(self, flowforge, shop):
        (shop / "project.yml").write_text("")
        before = (shop / ".flowforge/run_results.json").read_text()
        assert flowforge("test", shop).code == 0
        assert len(flowforge("runs", "list", shop).lines) == 2
        assert (shop / ".flowforge/run_results.json").read_text() == before
