from __future__ import annotations

import re
from asyncio import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from flowforge_app.cancelled import was_cancelled
from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import (
    ConfigError,
    EngineError,
    ErrorKind,
    FlowForgeError,
    ModelCycleError,
    RequiredColumnsError,
    SelectionError,
    UnsupportedByEngineError,
)
from flowforge_domain.model import Seed, model
from flowforge_domain.results import ModelResult, RunReport, Status
from flowforge_domain.state import COLUMNS
from flowforge_ports.progress import ModelStarted, RunStarted, StatementStarted
from flowforge_testkit.fakes import claim
from flowforge_testkit.faults import Faults, faulty
from flowforge_testkit.sqlite.frames import Frame

CHAIN = {
    "c": "select n + 1 as n from {{ ref('b') }}",
    "b": "select n + 1 as n from {{ ref('a') }}",
    "a": "select 1 as n",
}

LIGHT = {"a": "select 1 as n"} | {f"m{i}": f"select n + {i} as n from {{{{ ref('a') }}}}" for i in range(9)}


def built_together(faults):
    """Return the tables that were made by each transaction that wrote a state row."""
    turns = "\n".join(faults.made).split("\ncommit")
    made = [re.findall(r"^create table `(\w+)`", turn, re.MULTILINE) for turn in turns if "insert into" in turn]
    return [names for names in made if names]


def began(world):
    return [event.name for event in world.recorder.events if isinstance(event, ModelStarted)]


def ended(report):
    return {result.name: result.status.value for result in report.results}


def only_error(report):
    errors = [result.error for result in report.results if result.error]
    assert len(errors) == 1
    assert len(str(errors[0]).splitlines()) <= 15
    return errors[0]


class TestOrderAndState:
    def test_dependencies_come_first(self, world):
        report = world.given(CHAIN).run()
        assert [r.name for r in report.results] == ["a", "b", "c"]
        assert world.rows("select n from c") == [(3,)]
        assert report.ok

    def test_two_models_write_one_table_also_when_one_names_its_schema(self, world):
        world.given({"users": "select 1 as n", "x": "create table main.USERS as select 2 as n"})
        with pytest.raises(ConfigError, match="is given twice"):
            world.run()

    def test_a_table_named_with_its_schema_becomes_a_view(self, world):
        world.given({"v": "create table main.v as select 1 as n"}).run()
        assert world.given({"v": "create view main.v as select 2 as n"}).run().ok
        assert world.rows("select n from v") == [(2,)]

    def test_every_model_has_a_state_row(self, world):
        world.given(CHAIN).run()
        assert world.state() == [("a", 1), ("b", 1), ("c", 1)]

    def test_a_second_run_leaves_one_state_row_per_model(self, world):
        world.given(CHAIN).run()
        world.run()
        assert len(world.state()) == 3

    def test_the_row_of_a_view_does_not_claim_a_count(self, world):
        world.given({"v": "create view v as select 1 as n"}).run()
        assert world.state() == [("v", -1)]

    def test_events_come_in_order(self, world):
        world.given(CHAIN).run(select="a b")
        kinds = [type(event) for event in world.recorder.events]
        assert kinds == [RunStarted, *(ModelStarted, StatementStarted, ModelResult) * 2, RunReport]
        assert world.recorder.events[0].models == ("a", "b")
        assert [e.index for e in world.recorder.events if isinstance(e, ModelStarted)] == [1, 2]

    def test_an_empty_project_touches_nothing(self, world):
        assert world.given({}).run().ok
        assert dict(world.engine.catalog.relations()) == {}

    def test_a_cycle_is_found_before_anything_is_built(self, world):
        world.given({"a": "select * from {{ ref('b') }}", "b": "select * from {{ ref('a') }}"})
        with pytest.raises(ModelCycleError, match="Cycle detected among nodes: a → b → a"):
            world.run()
        assert world.recorder.events == []

    def test_an_empty_selection_is_an_error(self, world):
        with pytest.raises(SelectionError, match="aa"):
            world.given(CHAIN).run(select="aa")


class TestSideBySide:
    def test_any_number_of_jobs_gives_the_same_report(self, world):
        models = {f"m{i:02}": f"select {i} as n" for i in range(9)}
        models |= {"bad": "select nope", "after": "select * from {{ ref('bad') }}, {{ ref('m03') }}"}
        found = [world.given(models).run(jobs=jobs, no_cache=True) for jobs in (1, 2, 8)]
        assert len({tuple((r.name, r.status, r.rows, r.reason) for r in report.results) for report in found}) == 1
        assert ended(found[0])["after"] == "skipped"
        assert len(world.state()) == 9

    def test_what_reads_a_view_that_is_not_selected_waits_for_what_the_view_reads(self, world):
        models = {"a": "select 1 as n", "v": "create view v as select n from {{ ref('a') }}"}
        models["z"] = "select n from {{ ref('v') }}"
        world.given(models).run()
        report = world.given(models | {"a": "select 2 as n"}).run(select="a z", jobs=2)
        assert ended(report) == {"a": "built", "z": "built"}
        assert world.rows("select n from z") == [(2,)]

    def test_light_models_share_a_transaction_each_with_its_state_row(self, world):
        assert world.given(LIGHT).run(engine=faulty(world.engine, made := Faults(at=0))).ok
        assert [len(names) for names in built_together(made)] == [1, 9]
        assert len(world.state()) == 10
        assert world.rows("select n from m8") == [(9,)]

    def test_where_the_dialect_shares_no_transactions_each_has_its_own(self, world):
        engine = world.without(dialect=replace(world.engine.dialect, shares_transactions=False))
        assert world.given(LIGHT).run(engine=faulty(engine, made := Faults(at=0))).ok
        assert [len(names) for names in built_together(made)] == [1] * 10

    @pytest.mark.parametrize(
        "config",
        [
            ModelConfig(pre_hook=("select 1",)),
            ModelConfig(post_hook=("select 1",)),
            ModelConfig(materialized="incremental"),
            ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check", check_cols=("n",)),
        ],
    )
    def test_what_calls_more_or_keeps_its_rows_has_a_transaction_of_its_own(self, world, config):
        world.given(LIGHT, configs=dict.fromkeys(LIGHT, config))
        assert world.run(engine=faulty(world.engine, made := Faults(at=0))).ok
        assert made.made.count("commit") >= 10

    def test_a_model_that_reads_many_rows_has_a_transaction_of_its_own(self, world):
        many = "with recursive r(n) as (select 1 union all select n + 1 from r limit 10001) select n from r"
        world.given(LIGHT | {"a": many})
        assert world.run(engine=faulty(world.engine, made := Faults(at=0))).ok
        assert [len(names) for names in built_together(made)] == [1] * 10

    def test_a_light_model_that_fails_keeps_its_old_table_alone(self, world):
        world.given(LIGHT).run()
        changed = {name: text.replace("n +", "1 + n +") for name, text in LIGHT.items()}
        report = world.given(changed | {"m4": "select nope from {{ ref('a') }}"}).run(no_cache=True)
        assert only_error(report).model == "m4"
        assert [r.name for r in report.results if r.status is Status.BUILT] == sorted(LIGHT.keys() - {"m4"})
        assert [world.rows(f"select n from {name}") for name in ("m3", "m4", "m5")] == [[(5,)], [(5,)], [(7,)]]
        assert began(world) == 2 * sorted(LIGHT)

    def test_with_fail_fast_a_light_model_that_fails_stops_those_after_it(self, world):
        world.given(LIGHT | {"m4": "select nope from {{ ref('a') }}"})
        report = replace(world.runner(), fail_fast=True)()
        assert set(list(ended(report).values())[:5]) == {"built"}
        assert list(ended(report).values())[5:] == ["failed", *["skipped"] * 4]

    @pytest.mark.parametrize("after", [False, True])
    def test_wherever_a_shared_transaction_fails_once_all_is_built_model_by_model(self, world, after):
        world.given(LIGHT)
        whole = Faults(at=0)
        world.run(engine=faulty(world.engine, whole), no_cache=True)
        last = max(at for at, what in enumerate(whole.made, 1) if what.startswith("create table `m"))
        begin = max(at for at, what in enumerate(whole.made[:last], 1) if what == "begin")
        for at in range(begin, whole.made.index("commit", last) + 2):
            report = world.run(engine=faulty(world.engine, faults := Faults(at, after)), no_cache=True)
            assert faults.struck
            assert report.ok
            assert {name for name, _ in world.state()} == set(LIGHT)

    def test_an_engine_with_one_session_builds_one_by_one(self, world):
        engine = world.without(
            capabilities=world.engine.capabilities - {Capability.CONCURRENT_SESSIONS},
            fork=lambda: pytest.fail("forked"),
        )
        assert world.given(CHAIN | {"d": "select 1 as n"}).run(engine=engine, jobs=4).ok

    def test_every_started_model_has_a_number_of_its_own(self, world):
        world.given({f"m{i}": "select 1 as n" for i in range(5)}).run(jobs=3)
        started = [event.index for event in world.recorder.events if isinstance(event, ModelStarted)]
        assert started == [1, 2, 3, 4, 5]

    def test_the_sessions_of_a_run_are_closed(self, world):
        forks = []

        def fork():
            forks.append(world.engine.fork())
            return forks[-1]

        world.given({f"m{i}": "select 1 as n" for i in range(5)}).run(engine=world.without(fork=fork), jobs=3)
        assert len(forks) == 2
        for one in forks:
            with pytest.raises(EngineError):
                one.session.execute("select 1")


class TestFailures:
    def test_a_failed_model_keeps_its_old_table_and_state(self, world):
        world.given({"a": "select 1 as n"}).run()
        before = world.rows("select * from _flowforge_state")
        report = world.given({"a": "select nope from nowhere"}).run()
        assert ended(report) == {"a": "failed"}
        assert world.rows("select n from a") == [(1,)]
        assert world.rows("select * from _flowforge_state") == before

    def test_the_state_row_is_part_of_the_transaction(self, world):
        """Where the state row cannot be written, the table is as it was."""
        world.given({"a": "select 1 as n"}).run()
        world.sql(
            "create trigger refuse before insert on _flowforge_state begin select raise(abort, 'state is full'); end"
        )
        report = world.given({"a": "select 2 as n"}).run()
        assert "state is full" in str(only_error(report))
        assert world.rows("select n from a") == [(1,)]

    def test_what_depends_on_it_is_skipped_and_the_rest_is_built(self, world):
        report = world.given({**CHAIN, "b": "select nope", "other": "select 1 as n"}).run()
        assert ended(report) == {"a": "built", "b": "failed", "c": "skipped", "other": "built"}
        assert {r.name: r.reason for r in report.results}["c"] == "b failed"
        started = [event.name for event in world.recorder.events if isinstance(event, ModelStarted)]
        assert started == [name for name, status in ended(report).items() if status != "skipped"]
        assert not report.ok

    def test_fail_fast_begins_nothing_after_a_failure(self, world):
        world.given({"a": "select nope", "b": "select 1 as n", "c": "select * from {{ ref('b') }}"})
        report = replace(world.runner(), fail_fast=True)()
        assert ended(report) == {"a": "failed", "b": "skipped", "c": "skipped"}
        assert {r.reason for r in report.results if r.status is Status.SKIPPED} == {"a failed"}

    def test_a_skip_names_the_cause_and_not_the_step_between(self, world):
        report = world.given({**CHAIN, "a": "select nope"}).run()
        assert [r.reason for r in report.results if r.status is Status.SKIPPED] == ["a failed", "a failed"]

    def test_a_dependency_outside_of_the_selection_is_not_required_to_run(self, world):
        world.given(CHAIN).run()
        assert ended(world.run(select="c", no_cache=True)) == {"c": "built"}

    def test_a_missing_seed_is_named_with_the_command(self, world):
        error = only_error(world.given({"a": "select * from {{ ref('s') }}"}, seeds=[a_seed("s")]).run())
        assert "flowforge seed" in error.hint

    def test_a_model_that_was_not_built_is_named_with_the_command(self, world):
        error = only_error(world.given(CHAIN).run(select="c"))
        assert error.hint == "Build what it reads first: flowforge run --select +c"

    def test_file_line_and_the_line_itself_are_shown(self, world):
        error = only_error(world.given({"a": "select 1 as n,\n  nope\nfrom (select 1)"}).run())
        assert str(error.where).startswith("models/a.ff.sql")
        assert error.model == "a"

    def test_a_foreign_exception_of_an_engine_is_no_model_failure(self, world):
        class Broken:
            def __getattr__(self, name):
                return getattr(world.engine.session, name)

            def execute(self, sql):
                if sql.startswith("create table"):
                    raise ZeroDivisionError("the driver is broken")
                return world.engine.session.execute(sql)

        world.given({"a": "select 1 as n"}).run()
        with pytest.raises(ZeroDivisionError):
            world.given({"a": "select 2 as n"}).run(engine=world.without(session=Broken()))
        assert world.rows("select n from a") == [(1,)]


class TestKinds:
    def test_table_becomes_view_and_table_again(self, world):
        for sql, kind in (("create table x as select 1 as n", "table"), ("create view x as select 2 as n", "view")) * 2:
            assert world.given({"x": sql}).run().ok
            assert world.engine.catalog.relations()["x"].kind == kind

    def test_the_relation_may_have_another_name(self, world):
        world.given({"daily": "create table mart_users as select 1 as n", "d": "select n from {{ ref('daily') }}"})
        assert world.run().ok
        assert world.rows("select n from mart_users") == world.rows("select n from d") == [(1,)]

    def test_a_view_reports_no_rows(self, world):
        report = world.given({"v": "create view v as select 1 as n"}).run()
        assert [(r.materialized, r.rows) for r in report.results] == [("view", None)]

    def test_variables_reach_the_template(self, world):
        assert world.given({"a": "select {{ var('n') }} as n"}, variables={"n": 7}).run().ok
        assert world.rows("select n from a") == [(7,)]

    def test_a_template_error_is_the_models_own(self, world):
        report = world.given({"a": "select {{ nope }}", "b": "select 1 as n"}).run()
        assert ended(report) == {"a": "failed", "b": "built"}


class TestPythonModels:
    def test_no_dependency_no_argument(self, world):
        @model()
        def p():
            return Frame(("n",), [{"n": 1}])

        assert [r.rows for r in world.given({"p": p}).run().results] == [1]
        assert world.rows("select n from p") == [(1,)]

    def test_one_dependency_gives_the_frame(self, world):
        @model(deps=["a"])
        def p(frame):
            return Frame(("n",), [{"n": row["n"] + 1} for row in frame.rows])

        assert world.given({**CHAIN, "p": p}).run(select="+p").ok
        assert world.rows("select n from p") == [(2,)]

    def test_more_dependencies_give_a_dict_by_relation(self, world):
        seen = {}

        @model(deps=["daily", "b"])
        def p(frames):
            seen.update(frames)
            return frames["b"]

        world.given({**CHAIN, "daily": "create table mart as select 9 as n", "p": p})
        assert world.run(select="+p").ok
        assert {name: frame.rows for name, frame in seen.items()} == {"mart": [{"n": 9}], "b": [{"n": 2}]}

    def test_required_columns_are_checked_before_the_call(self, world):
        called = []

        @model(deps=["a"], requires={"a": {"n", "email"}})
        def p(frame):
            called.append(frame)

        error = only_error(world.given({**CHAIN, "p": p}).run(select="+p"))
        assert isinstance(error, RequiredColumnsError)
        assert error.missing == {"a": ["email"]}
        assert str(error.where).startswith("models/p.ff.py")
        assert called == []

    @pytest.mark.parametrize("returned", [None, [1], "text"])
    def test_what_is_no_frame_is_refused(self, world, returned):
        @model(deps=["a"])
        def p(_):
            return returned

        error = only_error(world.given({**CHAIN, "p": p}).run(select="+p"))
        assert type(returned).__name__ in error.message
        assert error.hint

    def test_a_view_may_become_a_python_table(self, world):
        @model()
        def x():
            return Frame(("n",), [{"n": 5}])

        world.given({"x": "create view x as select 1 as n"}).run()
        assert world.given({"x": x}).run().ok
        assert world.rows("select n from x") == [(5,)]

    def test_a_failed_function_keeps_the_old_table(self, world):
        @model()
        def x():
            raise ValueError("no")

        world.given({"x": "select 1 as n"}).run()
        assert ended(world.given({"x": x}).run()) == {"x": "failed"}
        assert world.rows("select n from x") == [(1,)]

    @pytest.mark.parametrize("error", [SystemExit(0), CancelledError("x"), type("Own", (BaseException,), {})()])
    def test_whatever_a_model_raises_ends_the_model_only(self, world, error):
        @model()
        def x():
            raise error

        assert ended(world.given({"x": x, "y": "select 1 as n"}).run()) == {"x": "failed", "y": "built"}


@model()
def python_model():
    raise AssertionError("not called")


EVERY_KIND = {"a": "select 1 as n", "v": "create view v as select 1 as n", "p": python_model}


class TestAbilities:
    @pytest.mark.parametrize(
        ("select", "absent", "where"),
        [
            ("p", "PYTHON_MODELS", "models/p.ff.py: Engine 'sqlite' does not support Python models."),
            ("p", "frames", "models/p.ff.py: Engine 'sqlite' does not support Python models."),
            ("a v", "VIEWS", "models/v.ff.sql: Engine 'sqlite' does not support views."),
        ],
    )
    def test_what_the_engine_cannot_build_is_refused_before_anything(self, world, select, absent, where):
        engine = lacking(world, absent)
        with engine.lock.hold(claim(0)), pytest.raises(UnsupportedByEngineError) as caught:
            world.given(EVERY_KIND).run(select=select, engine=engine)
        assert str(caught.value).splitlines()[0] == where
        assert world.recorder.events == []
        assert dict(world.engine.catalog.relations()) == {}

    def test_all_that_cannot_be_built_is_told_at_once(self, world):
        absent = {Capability.VIEWS, Capability.PYTHON_MODELS}
        engine = world.without(capabilities=world.engine.capabilities - absent)
        with pytest.raises(UnsupportedByEngineError) as caught:
            world.given(EVERY_KIND).run(engine=engine)
        assert str(caught.value).splitlines() == [
            "Engine 'sqlite' does not support Python models; views.",
            "  models/p.ff.py: p is a Python model: write it in SQL",
            "  models/v.ff.sql: v is a view: make it a table",
            "`flowforge debug` lists what this engine can do.",
        ]

    def test_partitions_are_overwritten_in_words_of_the_dialect_or_by_changing_rows(self, world):
        config = ModelConfig("incremental", incremental_strategy="insert_overwrite", partition_by=("n",))
        world.given({"a": "select 1 as n"}, configs={"a": config})
        engine = lacking(world, "ROW_CHANGES")
        with pytest.raises(UnsupportedByEngineError, match="merge, delete\\+insert, insert_overwrite, snapshots"):
            world.run(engine=engine)
        assert dict(world.engine.catalog.relations()) == {}
        assert world.run(engine=replace(engine, dialect=replace(engine.dialect, overwrites="insert into {table}"))).ok

    @pytest.mark.parametrize("absent", ["PYTHON_MODELS", "frames", "VIEWS"])
    def test_what_is_not_selected_is_not_asked_for(self, world, absent):
        assert world.given(EVERY_KIND).run(select="a", engine=lacking(world, absent)).ok

    def test_a_schema_where_there_are_none_is_refused_before_anything(self, world):
        with pytest.raises(ConfigError) as caught:
            world.given({"b": "select 1 as n", "a": "create table marts.a as select 1 as n"}).run()
        assert str(caught.value) == (
            "models/a.ff.sql: Model 'a' cannot be in the schema 'marts': sqlite has no schemas.\nLeave the schema out."
        )
        assert dict(world.engine.catalog.relations()) == {}
        assert world.given({"a": "create table Main.a as select 1 as n"}).run().ok


class TestStateOfAnotherShape:
    def test_it_is_refused_with_what_to_do(self, world):
        world.sql("create table _flowforge_state (model text, built_at text)")
        with pytest.raises(EngineError) as caught:
            world.given(CHAIN).run()
        assert str(caught.value).splitlines() == [
            "The table '_flowforge_state' in data.sqlite was not written by this version of FlowForge.",
            "  It has the columns model, built_at",
            f"  instead of {', '.join(COLUMNS)}.",
            "Use the version that wrote it, or drop the table: it only tells what FlowForge built last.",
        ]
        assert world.engine.catalog.relations().keys() == {"_flowforge_state"}

    def test_the_catalog_is_asked_once(self, world):
        asked = Asked(world.engine.catalog)
        world.given(CHAIN).run(engine=world.without(catalog=asked))
        assert asked.questions == ["relations", "relations"], "before, and after for what now stands"
        world.run(engine=world.without(catalog=asked))
        assert asked.questions[2:] == ["relations"], "nothing was to be built"


class TestInterruption:
    def test_ctrl_c_in_a_function_rolls_back_and_goes_on_up(self, world):
        @model(deps=["a"])
        def p(_):
            world.sql("create table half (n bigint)")
            raise KeyboardInterrupt

        world.given({**CHAIN, "p": p})
        with pytest.raises(KeyboardInterrupt):
            world.run(select="+p")
        assert world.engine.catalog.relations().keys() == {"a", "_flowforge_state"}
        assert world.state() == [("a", 1)]

    def test_the_next_run_works(self, world):
        @model()
        def p():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            world.given({"p": p}).run()
        assert world.given(CHAIN).run().ok

    @pytest.mark.parametrize("statement", ["begin", "create table `b`", "insert into `_flowforge_state`"])
    def test_a_cancelled_statement_ends_the_run_and_is_no_failure(self, world, statement):
        """DuckDB takes Ctrl-C for itself: all that is left of it is this error."""
        world.given(CHAIN).run()
        before = len(world.recorder.events)
        session = Cancelled(world.engine.session, statement)
        with pytest.raises(FlowForgeError) as caught:
            world.run(select="b", engine=world.without(session=session), no_cache=True)
        assert was_cancelled(caught.value)
        assert not [event for event in world.recorder.events[before:] if isinstance(event, ModelResult)]
        assert world.run().ok

    def test_the_target_is_locked_while_a_run_goes_on(self, world):
        @model()
        def p():
            with world.engine.lock.hold(claim(0)):
                raise AssertionError("two writers")

        error = only_error(world.given({"p": p}).run())
        assert isinstance(error.__cause__, EngineError)


def lacking(world, absent):
    if absent == "frames":
        return world.without(frames=None)
    return world.without(capabilities=world.engine.capabilities - {Capability[absent]})


@dataclass
class Asked:
    """A catalog that takes note of what it is asked."""

    catalog: Any
    questions: list = field(default_factory=list)

    def __getattr__(self, name):
        self.questions.append(name)
        return getattr(self.catalog, name)


@dataclass
class Cancelled:
    """A session on which one statement is cancelled, though a transaction has begun all the same."""

    session: Any
    statement: str

    def __getattr__(self, name):
        return getattr(self.session, name)

    def begin(self):
        self.session.begin()
        self.execute("begin", run=False)

    def execute(self, sql, run=True):
        if sql.startswith(self.statement):
            raise EngineError("interrupted", kind=ErrorKind.CANCELLED)
        return self.session.execute(sql) if run else None


def a_seed(name):
    return Seed(name, "csv", Path(f"seeds/{name}.csv"), name, f"seeds/{name}.csv")
