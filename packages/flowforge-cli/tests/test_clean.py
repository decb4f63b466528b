"""`flowforge clean`: what is said of what is left, and what is dropped."""

from __future__ import annotations

import re

import pytest


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
