"""Building: seeds, models and tests of one selection in one run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import SeedError, SelectionError, UnsupportedByEngineError
from flowforge_domain.model import Seed, SourceTable
from flowforge_domain.results import CheckResult, ModelResult, Verdict

#   people (seed) → users → daily → report        orders → daily
MODELS = {
    "users": "select id, email from {{ ref('people') }}",
    "orders": "select 10 as order_id, 1 as id",
    "daily": "select u.id from {{ ref('users') }} u join {{ ref('orders') }} o on u.id = o.id",
    "report": "select count(*) as n from {{ ref('daily') }}",
}


@pytest.fixture
def built(world, tmp_path):
    """Build a project with these tests and return the report."""
    people = tmp_path / "people.csv"
    people.write_text("id,email\n1,a@x\n2,\n")
    seeds = [Seed("people", "csv", people, "people", "seeds/people.csv")]

    def build(*checks, select=None, exclude=None, models=MODELS, engine=None, **more):
        world.given(models, seeds=seeds, checks=checks, **more)
        return world.build(select, exclude, engine)

    return build


NULLS = Check("not_null", "users", "email")
FINE = Check("unique", "users", "id")
MISSING = Check("unique", "users", "nope")


def statuses(report):
    return {result.name: result.status.value for result in report.models.results}


def order(world):
    """Return what ended, in the order in which it did."""
    ended = [event for event in world.recorder.events if isinstance(event, CheckResult | ModelResult)]
    return [one.name if isinstance(one, ModelResult) else one.check.title for one in ended]


def test_everything_in_the_order_of_the_graph(built, world):
    report = built(FINE, Check("unique", "people", "id"), Check("row_count_between", "report"))
    assert report.ok
    assert [result.name for result in report.seeds.results] == ["people"]
    assert set(statuses(report).values()) == {"built"}
    assert [result.verdict for result in report.checks.results] == [Verdict.PASSED] * 3
    ended = order(world)
    for earlier, later in (
        ("unique people.id", "users"),
        ("users", "unique users.id"),
        ("unique users.id", "daily"),
        ("report", "row_count_between report"),
    ):
        assert ended.index(earlier) < ended.index(later)


def test_a_failed_test_stops_what_depends_on_its_model_and_is_named(built, world):
    report = built(NULLS, FINE)
    assert statuses(report) == {"orders": "built", "users": "built", "daily": "skipped", "report": "skipped"}
    reasons = {result.name: result.reason for result in report.models.results}
    assert reasons["daily"] == reasons["report"] == "test not_null users.email failed"
    assert not report.ok
    assert not report.has_errors
    assert [result.verdict for result in report.checks.results] == [Verdict.FAILED, Verdict.PASSED]
    assert "daily" not in world.engine.catalog.relations()


def test_one_that_only_warns_stops_nothing(built):
    report = built(replace(NULLS, severity="warn"))
    assert report.ok
    assert statuses(report)["report"] == "built"


def test_one_that_cannot_be_run_stops_too_and_is_an_error(built):
    report = built(MISSING)
    assert statuses(report)["daily"] == "skipped"
    assert report.has_errors
    assert not built(replace(MISSING, severity="warn")).ok


def test_tests_of_a_model_that_was_not_built_are_skipped(built):
    report = built(Check("unique", "daily", "id"), models={**MODELS, "users": "select nope"})
    [result] = report.checks.results
    assert (result.verdict, result.skipped) == (Verdict.SKIPPED, "users failed")
    assert report.has_errors


def test_a_failed_test_of_a_seed_stops_its_readers(built):
    report = built(Check("not_null", "people", "email"))
    assert statuses(report) == {"orders": "built", "users": "skipped", "daily": "skipped", "report": "skipped"}


def test_a_failed_test_of_a_source_stops_its_readers(built, world):
    world.sql("create table raw_orders as select null as id")
    source = SourceTable("shop", "orders", "raw_orders")
    models = {"orders": "select id from {{ source('shop', 'orders') }}", "alone": "select 1 as n"}
    report = built(Check("not_null", "raw_orders", "id"), models=models, sources=[source])
    assert statuses(report) == {"alone": "built", "orders": "skipped"}


def test_a_test_reaches_through_an_ephemeral_model(built):
    between, last = "select id from {{ ref('users') }}", "select id from {{ ref('between') }}"
    models = {"users": MODELS["users"], "between": between, "last": last}
    report = built(NULLS, models=models, configs={"between": ModelConfig(materialized="ephemeral")})
    assert statuses(report) == {"users": "built", "last": "skipped"}


def test_a_failed_seed_ends_it_before_any_model_is_touched(built, world, tmp_path):
    with pytest.raises(SeedError):
        built(engine=replace(world.engine, seeds=Broken()))
    assert dict(world.engine.catalog.relations()) == {}


class Broken:
    def load(self, seed, relation):
        raise SeedError("broken")


def test_what_the_engine_cannot_load_is_told_before_anything_is_touched(built, world):
    with pytest.raises(UnsupportedByEngineError):
        built(engine=replace(world.engine, seeds=None))


class TestSelection:
    def test_a_model_brings_its_tests_along_and_no_seeds(self, built):
        built()
        report = built(NULLS, Check("row_count_between", "report"), select="users")
        assert list(statuses(report)) == ["users"]
        assert not report.seeds.results
        assert [result.check for result in report.checks.results] == [NULLS]

    def test_what_is_upstream_comes_with_its_seeds(self, built):
        report = built(select="+users")
        assert [result.name for result in report.seeds.results] == ["people"]

    def test_tests_can_be_left_out(self, built):
        report = built(NULLS, exclude="kind:test")
        assert report.ok
        assert not report.checks.results

    def test_tests_alone(self, built):
        built()
        report = built(NULLS, FINE, select="kind:test")
        assert [result.verdict for result in report.checks.results] == [Verdict.FAILED, Verdict.PASSED]
        assert not report.models.results

    def test_nothing_is_an_error(self, built):
        with pytest.raises(SelectionError, match="No seed or model or test matches 'nope'"):
            built(select="nope")

    def test_a_test_of_something_unknown_comes_last(self, built, world):
        world.sql("create table elsewhere as select 1 as n")
        built(Check("row_count_between", "elsewhere"))
        assert order(world)[-1] == "row_count_between elsewhere"
