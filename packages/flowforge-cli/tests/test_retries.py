"""What was tried again is told: while it happens, on the model's line, in the totals and in JSON."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing

import pytest

from flowforge_cli.output import Output
from flowforge_cli.progress import Reporter
from flowforge_cli.summary import retries, seed_summary
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import ModelResult, RunReport, SeedReport, SeedResult, Status
from flowforge_ports.progress import ModelStarted, Retried, RunStarted

BUSY = EngineError("deadlock detected\nProcess 7 waits", kind=ErrorKind.TRANSIENT)


def said(as_json=False):
    stream = io.StringIO()
    reporter = Reporter(Output(stream, as_json=as_json))
    built = ModelResult("users", "users", "table", Status.BUILT, 0.012, 10, retries=2)
    for event in (
        RunStarted("r", ("users",), "sqlite", "here"),
        ModelStarted("users", 1, 1),
        Retried("users", 1, 0.75, BUSY),
        built,
        RunReport("r", [built], 1.0),
    ):
        reporter(event)
    return stream.getvalue()


def test_text():
    lines = said().splitlines()
    assert "↻ users" in lines[2]
    assert lines[2].endswith("again in 750ms: deadlock detected")
    assert lines[3].endswith("10 rows      12ms  (2 retries)")
    assert "↻ 2 retries" in lines


def test_json():
    events = {event["event"]: event for event in map(json.loads, said(as_json=True).splitlines())}
    assert events["retried"]["level"] == "warning"
    assert events["retried"]["data"] == {"what": "users", "again": 1, "after": 0.75, "where": "", "hint": ""}
    assert events["model_built"]["data"]["retries"] == 2
    assert events["run_finished"]["data"]["retries"] == 2


def test_seeds():
    report = SeedReport([SeedResult("s", "s", 3, 0.1)], 0.2, retries=1)
    assert seed_summary(report, Output(io.StringIO())).endswith("✓ seeded: 1 in 200ms (1 retry)")


@pytest.mark.parametrize(("count", "words"), [(1, "1 retry"), (3, "3 retries")])
def test_counts(count, words):
    assert retries(count) == words


# A run tries the two models again that wait for no other, and tells their number.
@pytest.mark.parametrize(("command", "retried"), [(["run", "--no-cache"], 5), (["seed"], 2)])
def test_a_busy_database_is_tried_as_often_as_the_project_says(flowforge, shop, command, retried):
    (file,) = shop.glob("**/*.sqlite")
    profile = (shop / "profiles.yml").read_text()
    (shop / "profiles.yml").write_text(profile.replace("path:", "timeout: 0.01\n    path:", 1))
    project = shop / "project.yml"
    project.write_text(f"{project.read_text()}\nretries: {{attempts: 3, delay: 0}}\n")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        answer = flowforge(*command, shop)
    assert answer.code == 1
    assert answer.out.count("↻") == retried
    assert "again in 0ms: database is locked" in answer.out
    assert "database is locked" in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_an_attempt_less_than_one_is_refused(flowforge, shop):
    project = shop / "project.yml"
    project.write_text(f"{project.read_text()}\nretries:\n  attempts: 0\n")
    answer = flowforge("run", shop)
    assert answer.code == 1
    assert "retries.attempts" in answer.err
    assert "project.yml:" in answer.err
