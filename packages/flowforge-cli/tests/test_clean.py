"""`flowforge clean`: what is said of what is left, and what is dropped."""

from __future__ import annotations

import re
import sqlite3

import pytest

from flowforge_domain.swap import aside


@pytest.fixture
def orphaned(shop):
    (shop / "models" / "marts" / "revenue_by_customer.ff.sql").unlink()
    config = shop / "project.yml"
    config.write_text(config.read_text(encoding="utf-8").split("  revenue_by_customer:")[0], encoding="utf-8")
    return shop


def test_a_dry_run_lists_and_drops_nothing(flowforge, orphaned):
    for _ in range(2):
        [line, total] = flowforge("clean", orphaned, "--dry-run").lines
        assert re.fullmatch(
            r"(table|view) revenue_by_customer, built by revenue_by_customer at \S{19}: would be dropped", line
        )
        assert total == "would be dropped: 1"


def test_what_is_left_is_dropped_once(flowforge, orphaned):
    assert flowforge("clean", orphaned).lines[-1] == "dropped: 1"
    answer = flowforge("clean", orphaned)
    assert (answer.code, answer.out) == (0, "There is nothing to clean.\n")


def test_a_run_mentions_it_until_it_is_clean(flowforge, orphaned):
    said = f"! 1 relation is left of models that are gone: flowforge clean --dry-run {orphaned}\n"
    assert flowforge("run", orphaned).err == said
    flowforge("clean", orphaned)
    assert flowforge("run", orphaned).err == ""


def test_what_a_killed_run_has_left_is_told_as_that(flowforge, shop):
    with sqlite3.connect(shop / ".local" / "data.sqlite") as database:
        database.execute(f'create table "{aside("orders")}" as select 1 as n')
        database.execute(f'create table "{aside("nobodys")}" as select 1 as n')
    said = f"table {aside('orders')}, left of orders by a run that was killed: would be dropped"
    unknown = (
        f"table {aside('nobodys')}, left by a run that was killed: left alone: no model of this project has left it"
    )
    first, second, total = flowforge("clean", shop, "--dry-run").lines
    assert (first, second.partition(": --drop")[0], total) == (said, unknown, "would be dropped: 1")
    assert flowforge("clean", shop).lines[-1] == "dropped: 1"


def test_json(flowforge, orphaned):
    orphan, finished = flowforge("clean", orphaned, "--log-format", "json").events
    facts = orphan["data"]
    assert (orphan["event"], facts["relation"], facts["dropped"], facts["doubt"]) == (
        "orphan",
        "revenue_by_customer",
        True,
        "",
    )
    assert finished["data"] == {"dropped": 1, "found": 1}
