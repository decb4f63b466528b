"""The time zone is part of what proves a model unchanged: what it gives may be another day under another zone."""

from __future__ import annotations

import json

import postgres_server
import pytest

MODELS = {
    "seeds/logins.csv": "id,seen\n1,2026-03-01 23:30:00+00\n",
    "models/days.ff.sql": "select id, cast(seen as date) as day from {{ ref('logins') }}\n",
    "models/last.ff.sql": "select max(day) as day from {{ ref('days') }}\n",
    "models/plain.ff.py": (
        "from datetime import datetime\n\nimport pandas as pd\n\nfrom flowforge import model\n\n\n"
        "@model()\ndef f():\n    return pd.DataFrame({'hour': [datetime.fromtimestamp(0).hour]})\n"
    ),
}


@pytest.fixture(params=["duckdb", "postgres"])
def flowforge(request, new_project, in_shell):
    """Run a command on the project under a time zone of client and machine."""
    dsn = postgres_server.new_database() if request.param == "postgres" else ""
    profile = "default:\n  engine: postgres\n  postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}\n"
    folder = new_project(MODELS | ({"profiles.yml": profile} if dsn else {}))

    def run(command, zone):
        answer = in_shell(f"flowforge {command}", folder, TZ=zone, PGTZ=zone, **({"FF_PG_DSN": dsn} if dsn else {}))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    yield run
    if dsn:
        postgres_server.drop_database(dsn)


def shown(flowforge, name, zone):
    (row,) = flowforge(f"show {name} --log-format json", zone).splitlines()
    return next(iter(json.loads(row)["data"].values()))


def test_under_another_zone_models_are_built_anew(flowforge):
    flowforge("seed", "UTC")
    flowforge("run", "UTC")
    assert (shown(flowforge, "last", "UTC"), shown(flowforge, "plain", "UTC")) == ("2026-03-01", 0)
    assert "· unchanged: 3\n" in flowforge("run", "UTC")
    flowforge("run", "Asia/Tokyo")
    assert (shown(flowforge, "last", "UTC"), shown(flowforge, "plain", "UTC")) == ("2026-03-02", 9)
    assert "· unchanged: 3\n" in flowforge("run", "Asia/Tokyo")
    said = flowforge("why days", "UTC")
    assert "the setting TimeZone of the session changed: Asia/Tokyo became UTC" in said
    assert "the setting local time zone changed: JST/JST +540 became UTC/UTC +0" in flowforge("why plain", "UTC")


def test_a_seed_that_is_loaded_under_another_zone_is_other_data(flowforge):
    flowforge("build", "UTC")
    flowforge("seed", "Asia/Tokyo")
    assert "logins has new data" in flowforge("why days", "UTC")
    assert "changed" not in flowforge("seed", "UTC")
    assert "· unchanged: 3\n" in flowforge("run", "UTC")
