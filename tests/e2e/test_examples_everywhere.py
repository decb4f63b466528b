"""The examples of features on every engine beside DuckDB and PostgreSQL: only the profile is another one.

Where a server of the tests cannot show it, that is named and must stay so; `test_growing_examples.py` and others run
them as processes, on the engines of their own profiles.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bigquery_emulator
import pytest
import snowflake_server
import spark_local

from flowforge import Project
from flowforge_domain.results import Status

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def on_snowflake():
    made = snowflake_server.settings()
    yield made
    snowflake_server.drop_database(made["database"])


@contextmanager
def on_bigquery(**more):
    yield bigquery_emulator.new_target() | more


@contextmanager
def on_sqlite():
    yield {"path": "shop.sqlite"}


SERVERS = {
    "sqlite": ("sqlite", on_sqlite),
    "spark": ("databricks_spark", spark_local.new_database),
    "bigquery": ("bigquery", on_bigquery),
    "bigframes": ("bigquery", lambda: on_bigquery(use_bigframes=True)),
    "snowflake": ("snowflake_snowpark", on_snowflake),
}
# A frame is the engine's own: this model is written in pandas, which these do not give.
NO_PANDAS = {"sqlite", "spark", "bigframes", "snowflake"}

# What an engine cannot do, by test and server; a line must go once it can.
ROWS = "tables of parquet cannot change rows: Delta and Iceberg can, which only the night's suites have"
CANNOT = {
    ("test_incremental", "spark"): ROWS,
    ("test_snapshot", "spark"): ROWS,
    ("test_macros_and_hooks", "spark"): ROWS,
}


class Shop:
    """A copy of an example on one engine."""

    def __init__(self, name, server, root, profile):
        self.server, self.root = server, root
        shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".flowforge", ".local"))
        (root / "profiles.yml").write_text(json.dumps({"default": profile}), encoding="utf-8")

    def run(self, exclude=None):
        """Load seeds, build what is due, run the tests; fail where anything does."""
        with Project.load(self.root) as project:
            project.seed()
            report = project.run(exclude=exclude)
            assert report.ok, [result.error for result in report.results if result.error]
            checks = project.test(exclude=exclude)
            assert checks.ok, [check.failure or check.error for check in checks.results]

    def rows(self, model):
        with Project.load(self.root) as project:
            found = project.show(model, limit=99)
        return sorted((tuple(map(plain, row)) for row in found.rows), key=repr)

    def edit(self, seed, old, new):
        path = self.root / "seeds" / f"{seed}.csv"
        path.write_text(path.read_text().replace(old, new))


def plain(value):
    """Return a value as engines agree on it: numbers are numbers, days and texts are texts."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None if value is None else str(value)


@pytest.fixture(params=SERVERS)
def shop(request, tmp_path):
    engine, opened = SERVERS[request.param]
    if reason := CANNOT.get((request.function.__name__, request.param)):
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    with ExitStack() as stack:
        profile = {"engine": engine, engine: stack.enter_context(opened())}
        yield lambda name: Shop(name, request.param, tmp_path / name, profile)


def test_incremental(shop):
    shop = shop("incremental")
    exclude = ["users_seen"] if shop.server in NO_PANDAS else None
    shop.run(exclude)
    shop.edit("seed_events", "1,5.0", "1,6.0\n4,2026-01-03,3,7.5")
    shop.run(exclude)
    assert [row[-1] for row in shop.rows("events_kept")] == [10, 20, 6, 7.5]
    assert [row[-1] for row in shop.rows("revenue_by_day")] == [30, 6, 7.5]
    if exclude is None:
        assert [row[0] for row in shop.rows("users_seen")] == [1, 2, 3]


def test_snapshot(shop):
    shop = shop("snapshot")
    shop.run()
    shop.edit("seed_customers", "2,Bob,Rome,2026-01-01", "2,Bob,Paris,2026-02-01")
    shop.run()
    assert [row[:3] for row in shop.rows("customers_now")] == [(1, "Ann", "Oslo"), (2, "Bob", "Paris")]
    assert sorted(row[2] for row in shop.rows("customers_history")) == ["Oslo", "Paris", "Rome"]
    assert sorted(row[1] for row in shop.rows("cities_history")) == ["Oslo", "Paris", "Rome"]


def test_macros_and_hooks(shop):
    shop = shop("macros_and_hooks")
    shop.run()
    assert {row[0]: row[1] for row in shop.rows("revenue_by_month")} == {"2026-01": 1475, "2026-02": 810}
    report = json.loads((shop.root / ".local" / "last_run.json").read_text())
    assert report["models"] == {"orders": "built", "revenue_by_month": "built"}


def test_selection(shop):
    shop = shop("selection")
    shop.run()
    with Project.load(shop.root) as project:
        assert [one["name"] for one in project.ls(select="@stg_orders", resource=["model"])] == [
            "stg_customers",
            "stg_orders",
            "revenue",
            "best_customer",
        ]
        shutil.copytree(shop.root / ".flowforge", shop.root / "before")
        path = shop.root / "models/marts/revenue.ff.sql"
        path.write_text(path.read_text() + "\n-- changed\n")
        report = project.run(select="state:modified+", state=shop.root / "before", no_cache=True)
    assert {result.name: result.status for result in report.results} == {
        "revenue": Status.BUILT,
        "best_customer": Status.BUILT,
    }
