"""Hooks around models and runs, on the sqlite reference engine."""

from __future__ import annotations

from asyncio import CancelledError

import pytest

from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import FlowForgeError, HookError
from flowforge_domain.hooks import hook
from flowforge_domain.results import Status

LOG = "create table if not exists log (said text)"


def say(text):
    return f"insert into log values ('{text}')"


@pytest.fixture
def said(world):
    world.engine.session.execute(LOG)
    return lambda: [row[0] for row in world.engine.session.query("select said from log").rows]


class TestOfAModel:
    def test_they_run_before_and_after_its_build(self, world, said):
        hooks = ModelConfig(
            pre_hook=("insert into log select count(*) from b", say("second")),
            post_hook=("insert into log select x from {{ this }}",),
        )
        report = world.given(
            {"b": "select 1 as y", "a": "select 7 as x from {{ ref('b') }}"}, configs={"a": hooks}
        ).run()
        assert report.ok
        assert said() == ["1", "second", "7"]

    def test_one_that_fails_fails_its_model_and_leaves_nothing(self, world, said):
        world.given({"a": "select 1 as x"}).run()
        hooks = ModelConfig(pre_hook=(say("before"),), post_hook=("-- note\ninsert into nowhere values (1)",))
        report = world.given({"a": "select 2 as x", "b": "select 1 as x"}, configs={"a": hooks}).run()
        assert [r.status for r in report.results] == [Status.FAILED, Status.BUILT]
        error = report.results[0].error
        assert str(error.where) == "models/a.ff.sql:1"
        assert error.message.startswith("Model 'a' failed in its post_hook: ")
        assert error.snippet == "    2 | insert into nowhere values (1)"
        assert error.hint
        assert said() == []
        assert world.engine.session.query("select x from a").rows == [(1,)]

    @pytest.mark.parametrize(
        ("hook", "rows"),
        [("delete from {{ this }} where x = 1", 1), ("insert into {{ this }} select x + 2 from {{ this }}", 4)],
    )
    def test_rows_that_one_adds_or_takes_are_counted(self, world, hook, rows):
        world.given(
            {"a": "select 1 as x union all select 2", "b": "select * from {{ ref('a') }}"},
            configs={"a": ModelConfig(post_hook=(hook,))},
        )
        assert [result.rows for result in world.run().results] == [rows, rows]
        assert world.state() == [("a", rows), ("b", rows)]

    def test_after_one_that_leaves_rows_alone_none_are_counted(self, world):
        hooks = ModelConfig(post_hook=("alter table {{ this }} rename to b", "create index i on b (x)"))
        assert world.given({"a": "select 1 as x"}, configs={"a": hooks}).run().results[0].rows == 1

    def test_one_that_renders_to_nothing_is_left_out(self, world, said):
        hooks = ModelConfig(pre_hook=("-- nothing", ""))
        assert world.given({"a": "select 1 as x"}, configs={"a": hooks}).run().ok

    @pytest.mark.parametrize("hook", ["commit", "-- now\n  ROLLBACK", "begin transaction", "/* */ end"])
    def test_one_that_would_end_the_transaction_is_refused_before_anything_is_done(self, world, said, hook):
        world.given({"a": "select 0 as n"}).run()
        report = world.given({"a": "select 1 as n"}, configs={"a": ModelConfig(pre_hook=(hook,))}).run()
        assert "which" in str(report.results[0].error)
        assert "would begin or end" in str(report.results[0].error)
        assert world.rows("select n from a") == [(0,)]

    def test_two_statements_are_refused(self, world, said):
        hooks = ModelConfig(pre_hook=(f"{say('a')}; {say('b')}",))
        report = world.given({"a": "select 1 as x"}, configs={"a": hooks}).run()
        assert "one statement" in str(report.results[0].error)
        assert said() == []


class TestOfARun:
    def test_they_run_around_the_models_even_when_one_fails(self, world, said):
        around = {"on_run_start": [say("start")], "on_run_end": [say("end"), say("again")]}
        report = world.given({"a": "select nope"}, hooks=around).run()
        assert report.results[0].status is Status.FAILED
        assert not report.errors
        assert said() == ["start", "end", "again"]

    def test_one_that_fails_before_them_stops_the_run(self, world, said):
        around = {"on_run_start": ["insert into nowhere values (1)", say("start")], "on_run_end": [say("end")]}
        with pytest.raises(HookError, match="on_run_start failed: ") as caught:
            world.given({"a": "select 1 as x"}, hooks=around).run()
        assert str(caught.value.where) == "project.yml:1"
        assert caught.value.snippet == "    1 | insert into nowhere values (1)"
        assert caught.value.hint
        assert said() == []
        assert "a" not in world.engine.catalog.relations()

    def test_one_that_fails_after_them_is_in_the_report_and_the_others_run(self, world, said):
        around = {"on_run_end": ["insert into nowhere values (1)", say("end")]}
        report = world.given({"a": "select 1 as x"}, hooks=around).run()
        assert report.results[0].status is Status.BUILT
        assert not report.ok
        assert [str(error.where) for error in report.errors] == ["project.yml:1"]
        assert said() == ["end"]


class TestFunctions:
    def test_they_are_told_of_the_run(self, world):
        told = []

        @hook("on_run_start")
        def before(context):
            told.append(context)

        @hook("on_run_end")
        def after(context):
            told.append(context)

        report = world.given({"a": "select 1 as x"}, hooks={"on_run_start": [before], "on_run_end": [after]}).run()
        first, last = told
        assert (first.run_id, first.models, first.results) == (report.run_id, ("a",), ())
        assert [(r.name, r.status, r.rows) for r in last.results] == [("a", Status.BUILT, 1)]
        assert first.target["engine"] == "sqlite"
        with pytest.raises(TypeError):
            first.target["engine"] = "other"
        with pytest.raises(AttributeError):
            first.run_id = "x"

    @pytest.mark.parametrize("error", [ValueError, CancelledError])
    def test_one_that_fails_tells_where(self, world, error):
        @hook("on_run_end")
        def after(context):
            raise error("no such thing")

        report = world.given({"a": "select 1 as x"}, hooks={"on_run_end": [after]}).run()
        assert report.errors[0].message == f"on_run_end failed in after(): {error.__name__}: no such thing"

    @pytest.mark.parametrize("when", ["pre_hook", "", None, print])
    def test_the_marker_takes_two_words(self, when):
        with pytest.raises(TypeError, match="on_run_start"):
            hook(when)


def test_errors_are_the_users():
    assert issubclass(HookError, FlowForgeError)
