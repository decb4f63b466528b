"""examples/incremental and examples/snapshot as they grow, on DuckDB and on a real PostgreSQL server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import postgres_server
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["default", "postgres"])
def flowforge(request, warm_environment, tmp_path):
    """Run `flowforge` on a copy of an example, on one of its profiles."""
    dsn = postgres_server.new_database() if request.param == "postgres" else ""

    def run(*arguments):
        environment = {**warm_environment, "FF_PG_DSN": dsn, "NO_COLOR": "1", "PYTHONWARNINGS": "error"}
        command = ["flowforge", *arguments, "--env", request.param]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    if dsn:
        postgres_server.drop_database(dsn)


@pytest.fixture
def example(tmp_path):
    def copied(name):
        return shutil.copytree(ROOT / "examples" / name, tmp_path, dirs_exist_ok=True)

    return copied


def shown(flowforge, model):
    """Return the rows that `flowforge show` prints, as lists of words."""
    return [line.split() for line in flowforge("show", model).splitlines()[2:-1]]


def test_new_and_corrected_events_come_in(flowforge, example):
    seeds = example("incremental") / "seeds/seed_events.csv"
    flowforge("seed")
    flowforge("run")
    assert [row[0] for row in shown(flowforge, "users_seen")] == ["1", "2"]
    seeds.write_text(seeds.read_text().replace("1,5.0", "1,6.0") + "4,2026-01-03,3,7.5\n")
    flowforge("seed")
    flowforge("run")
    assert [float(row[-1]) for row in sorted(shown(flowforge, "events_kept"))] == [10, 20, 6, 7.5]
    assert [float(row[-1]) for row in sorted(shown(flowforge, "revenue_by_day"))] == [30, 6, 7.5]
    assert sorted(row[0] for row in shown(flowforge, "users_seen")) == ["1", "2", "3"]
    assert "failed: 0" in flowforge("test")
    flowforge("run", "--full-refresh")
    assert [float(row[-1]) for row in sorted(shown(flowforge, "revenue_by_day"))] == [30, 6, 7.5]


def test_every_version_of_a_customer_is_kept(flowforge, example):
    seeds = example("snapshot") / "seeds/seed_customers.csv"
    flowforge("seed")
    flowforge("run")
    seeds.write_text(seeds.read_text().replace("2,Bob,Rome,2026-01-01", "2,Bob,Paris,2026-02-01"))
    flowforge("seed")
    flowforge("run")
    assert [row[:3] for row in sorted(shown(flowforge, "customers_now"))] == [
        ["1", "Ann", "Oslo"],
        ["2", "Bob", "Paris"],
    ]
    history = sorted(shown(flowforge, "customers_history"))
    assert [(row[2], row[-1]) for row in history] == [("Oslo", "NULL"), ("Paris", "NULL"), ("Rome", "00:00:00")]
    assert sorted(row[1] for row in shown(flowforge, "cities_history")) == ["Oslo", "Paris", "Rome"]
    seeds.write_text(seeds.read_text().splitlines()[0] + "\n1,Ann,Oslo,2026-01-01 00:00:00\n")
    flowforge("seed")
    flowforge("run")
    assert [row[0] for row in shown(flowforge, "customers_now")] == ["1"]
