from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.run_checks import RunChecks
from flowforge_domain.checks import Check
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind, SelectionError
from flowforge_domain.model import SourceTable
from flowforge_domain.results import CheckResult, Verdict
from flowforge_domain.text import Location
from flowforge_ports.progress import ChecksStarted, CheckStarted

MODELS = {
    "users": "select 1 as id, 'a@x' as email union all select 1, null",
    "orders": "select 10 as order_id, 1 as user_id",
    "daily": "create table mart_users as select u.id from {{ ref('users') }} u join {{ ref('orders') }} o on true",
}
CHECKS = [
    Check("not_null", "users", "email", ("batch",), where=Location("project.yml", 5)),
    Check("unique", "users", "id", ("nightly",)),
    Check("row_count_between", "orders", parameters={"min": 1}),
    Check("not_null", "mart_users", "id"),
]


@pytest.fixture
def built(world):
    configs = {"orders": ModelConfig(tags=("sales",))}
    assert world.given(MODELS, checks=CHECKS, configs=configs).run().ok
    world.recorder.events.clear()
    return world


def subjects(report):
    return [f"{result.check.type} {result.check.subject}" for result in report.results]


ALL = ["not_null users.email", "unique users.id", "row_count_between orders", "not_null mart_users.id"]


class TestVerdicts:
    def test_passed_and_failed(self, built):
        report = built.check()
        assert [result.failure for result in report.results] == [
            "users.email has 1 NULL values",
            "users.id has 1 duplicates",
            "",
            "",
        ]
        assert not report.ok
        assert not any(result.error for result in report.results)

    def test_each_result_is_announced_when_it_is_known(self, built):
        report = built.check(select="orders")
        started = ChecksStarted((CHECKS[2].title,), "sqlite", built.engine.target)
        assert built.recorder.events == [started, CheckStarted(CHECKS[2], 1, 1), report.results[0]]
        assert isinstance(report.results[0], CheckResult)

    def test_one_that_fails_with_severity_warn_only_warns(self, built):
        checks = [replace(check, severity="warn") for check in CHECKS[:3]]
        report = built.given(MODELS, checks=[*checks, Check("unique", "nowhere", "id", severity="warn")]).check()
        verdicts = [Verdict.WARNED, Verdict.WARNED, Verdict.PASSED, Verdict.ERROR]
        assert [result.verdict for result in report.results] == verdicts
        assert [result.ok for result in report.results] == [True, True, True, False]
        assert not report.ok

    def test_a_missing_table_is_an_error_and_no_failure(self, world):
        world.given({}, checks=[Check("unique", "nowhere", "id", where=Location("project.yml", 9))])
        [result] = world.check().results
        assert not result.failure
        assert str(result.error).splitlines()[0].startswith("project.yml:9: Test unique of nowhere.id cannot run")
        assert "flowforge run" in result.error.hint
        assert isinstance(result.error, ConfigError)

    def test_a_missing_column_shows_the_query(self, built):
        built.given(MODELS, checks=[Check("unique", "users", "nope")])
        [result] = built.check().results
        assert "nope" in result.error.message
        assert "nope" in result.query

    @pytest.mark.parametrize(
        ("table", "hint"),
        [
            ("usrs", "Did you mean 'users'?"),
            ("mart_user", "Did you mean 'mart_users'?"),
            ("users", "Build it first: flowforge run"),
            ("daily.ff", "Build it first: flowforge run"),
            ("MART_USERS", "Build it first: flowforge run"),
            ("xyz", "Build it first: flowforge run"),
        ],
    )
    def test_a_missing_table_is_misspelt_or_not_built(self, world, table, hint):
        [result] = world.given(MODELS, checks=[Check("unique", table, "id")]).check().results
        assert result.error.hint == hint

    def test_a_source_is_tested_by_its_table(self, world):
        source = SourceTable("shop", "orders", "raw_orders")
        checks = [Check("unique", "shop.orders", "id"), Check("unique", "raw_ordrs", "id")]
        manifest = replace(world.given({}, checks=checks).manifest, sources={("shop", "orders"): source})
        hints = [result.error.hint for result in RunChecks(manifest, world.engine, world.recorder)().results]
        assert hints == ["A test of a source names its table: 'raw_orders'.", "Did you mean 'raw_orders'?"]

    @pytest.mark.parametrize(("rule", "takes"), [("non_negative_sum", "numbers"), ("freshness", "times")])
    def test_a_column_of_another_type_is_told_as_such(self, built, rule, takes):
        class Strict:
            def query(self, sql):
                raise EngineError("No function sum(VARCHAR)", hint="Candidate functions: sum(INTEGER)")

        check = Check(rule, "users", "email", parameters={"max_delay_minutes": 1})
        running = RunChecks(replace(built.manifest, checks=(check,)), built.without(session=Strict()), built.recorder)
        [result] = running().results
        assert result.error.hint == f"{rule} takes {takes}: cast email where its table is made, or name another column."

    def test_the_other_checks_still_run(self, built):
        built.given(MODELS, checks=[Check("unique", "nowhere", "id"), Check("unique", "orders", "order_id")])
        assert [result.ok for result in built.check().results] == [False, True]

    def test_a_cancelled_query_ends_the_command(self, built):
        class Cancelled:
            def query(self, sql):
                raise EngineError("interrupted", kind=ErrorKind.CANCELLED)

        with pytest.raises(EngineError, match="interrupted"):
            RunChecks(built.manifest, built.without(session=Cancelled()), built.recorder)()

    def test_none_at_all_is_fine(self, world):
        assert world.given({}).check().ok


class TestSelection:
    @pytest.mark.parametrize(
        ("select", "expected"),
        [
            ("users", ALL[:2]),
            ("users.ff", ALL[:2]),
            ("batch", ALL[:1]),
            ("sales", ALL[2:3]),
            ("batch sales", [ALL[0], ALL[2]]),
            ("daily", ALL[3:]),
            ("+daily", ALL),
            ("users+", [*ALL[:2], ALL[3]]),
            ("models/o*", ALL[2:3]),
            ("batch+", [*ALL[:2], ALL[3]]),
        ],
    )
    def test_by_node_tag_path_and_graph(self, built, select, expected):
        assert subjects(built.check(select)) == expected

    @pytest.mark.parametrize(
        ("exclude", "expected"),
        [("users", ALL[2:]), ("nightly", [ALL[0], *ALL[2:]]), ("+daily", None), ("users batch", ALL[2:])],
    )
    def test_exclusion(self, built, exclude, expected):
        if expected is None:
            with pytest.raises(SelectionError, match="leaves no test"):
                built.check(exclude=exclude)
        else:
            assert subjects(built.check(exclude=exclude)) == expected

    def test_a_tag_of_the_test_counts_without_its_neighbours(self, built):
        assert subjects(built.check("users", exclude="nightly")) == ALL[:1]

    def test_a_node_without_tests_may_be_excluded(self, built):
        built.given({**MODELS, "lonely": "select 1 as n"}, checks=CHECKS)
        assert subjects(built.check(exclude="lonely")) == ALL
        with pytest.raises(SelectionError, match=r"names 1 model, and no test.\nNo test looks at that."):
            built.check("lonely")

    def test_an_unknown_word_gives_the_nearest(self, built):
        with pytest.raises(SelectionError) as caught:
            built.check("bacth")
        assert caught.value.hint == "Did you mean 'batch'?"
        with pytest.raises(SelectionError) as caught:
            built.check("xyz")
        assert caught.value.hint == "Known: batch, daily, nightly, orders, sales, users."
