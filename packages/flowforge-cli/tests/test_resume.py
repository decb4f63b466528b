"""`run --resume` asks again for what the last run, which failed at the model `last`, was asked for."""

from __future__ import annotations

import re
import shutil

import pytest


@pytest.fixture
def shop(flowforge, shop):
    (shop / "profiles.yml").write_text(
        "default: {engine: sqlite, sqlite: {path: .local/default.sqlite}}\n"
        "dev: {engine: sqlite, sqlite: {path: .local/dev.sqlite}}\n"
    )
    shutil.rmtree(shop / "models")
    (shop / "models").mkdir()
    (shop / "sources.yml").unlink()
    (shop / "project.yml").write_text("vars: {least: 1, most: 2}\n")
    grown = "{{ config(materialized='incremental') }} select {{ var('least') }} as least, {{ var('most') }} as most"
    (shop / "models/grown.ff.sql").write_text(grown)
    (shop / "models/last.ff.sql").write_text("select * from {{ ref('grown') }}")
    assert flowforge("run", shop, "-q", "--env", "dev").code == 0
    return shop


@pytest.fixture
def fail(flowforge, shop):
    def run(*arguments):
        good = (shop / "models/last.ff.sql").read_text()
        (shop / "models/last.ff.sql").write_text("select nosuch from {{ ref('grown') }}")
        assert flowforge("run", shop, "-q", "--env", "dev", *arguments).code == 1
        (shop / "models/last.ff.sql").write_text(good)
        return flowforge("runs", "list", shop).out.split()[0]

    return run


@pytest.fixture
def rows(flowforge, shop):
    def read(model):
        shown = flowforge("show", model, shop, "--env", "dev", "--log-format", "json").events
        return [event["data"] for event in shown]

    return read


def test_variables_and_profile_are_those_of_the_run(flowforge, shop, fail, rows):
    run = fail("--vars", "{least: 5}", "-f")
    answer = flowforge("run", shop, "--resume")
    assert answer.code == 0
    said = f"! Run {run} is resumed with --env dev --vars '{{\"least\": 5}}' --full-refresh\n"
    assert answer.err == said
    assert rows("last") == [{"least": 5, "most": 2}]
    assert not (shop / ".local/default.sqlite").exists()


def test_what_is_given_now_goes_first(flowforge, shop, fail, rows):
    fail("--vars", "{least: 5, most: 6}", "-f")
    assert flowforge("run", shop, "--resume", "--env", "dev", "--vars", "{most: 7}").code == 0
    assert rows("last") == [{"least": 5, "most": 7}]


def test_a_second_resume_remembers_too(flowforge, shop, fail, rows):
    fail("--vars", "{least: 5}", "-f")
    (shop / "models/last.ff.sql").write_text("select nosuch")
    assert flowforge("run", shop, "--resume").code == 1
    (shop / "models/last.ff.sql").write_text("select * from {{ ref('grown') }}")
    assert flowforge("run", shop, "--resume").code == 0
    assert rows("last") == [{"least": 5, "most": 2}]


def test_only_what_was_not_built_is_built_from_scratch(flowforge, shop, fail, rows):
    (shop / "models/last.ff.sql").write_text(
        "{{ config(materialized='incremental') }}\n"
        "select least{{ ', most' if is_incremental() }} from {{ ref('grown') }}"
    )
    fail("-f", "--no-cache")
    answer = flowforge("run", shop, "--resume")
    assert answer.code == 0
    assert re.search(r"· grown +skipped \(unchanged\)", answer.out)
    assert re.search(r"✓ last ", answer.out)
    assert rows("last") == [{"least": 1}]


def test_another_profile_is_refused(flowforge, shop, fail):
    run = fail()
    answer = flowforge("run", shop, "--resume", "--env", "default")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"✗ Run {run} worked on profile 'dev', and cannot be resumed on profile 'default'.\n"
        "Drop --env and --engine beside --resume, or start a new run without --resume.\n"
    )
    assert not (shop / ".local/default.sqlite").exists()


def test_a_profile_that_leads_elsewhere_is_refused(flowforge, shop, fail, monkeypatch):
    fail()
    monkeypatch.setenv("FF_SQLITE_PATH", ".local/other.sqlite")
    answer = flowforge("run", shop, "--resume")
    assert (answer.code, answer.out) == (1, "")
    assert "worked on .local/dev.sqlite, and cannot be resumed on .local/other.sqlite." in answer.err


def test_variables_that_look_like_secrets_are_kept_nowhere(flowforge, shop, fail):
    (shop / "models/grown.ff.sql").write_text("select 1 as n -- {{ var('deep', {}) is mapping }}")
    run = fail("--vars", "{deep: {db_password: hunter2}}")
    left = [path for path in (shop / ".flowforge").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert left == []
    answer = flowforge("run", shop, "--resume")
    assert answer.err == (
        f"✗ Run {run} was given 'deep' with --vars, which no journal keeps.\n"
        "Give it again with --vars, beside --resume.\n"
    )
    assert flowforge("run", shop, "--resume", "--vars", "{deep: {}}").code == 0


def test_runs_show_tells_it(flowforge, shop, fail):
    run = fail("--vars", "{least: 5}", "-f")
    answer = flowforge("runs", "show", run, shop)
    assert "Asked for with --vars '{\"least\": 5}' --full-refresh" in answer.lines
    head = flowforge("runs", "show", run, shop, "--log-format", "json").events[0]
    assert head["data"]["options"]["variables"] == {"least": 5}


def test_a_variable_that_nothing_reads_any_more_is_forgotten(flowforge, shop, fail, rows):
    fail("--vars", "{least: 5, most: 6}", "-f")
    (shop / "models/grown.ff.sql").write_text("select {{ var('least') }} as least")
    (shop / "project.yml").unlink()
    assert flowforge("run", shop, "--resume").code == 0
    assert rows("last") == [{"least": 5}]
