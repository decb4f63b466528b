"""What is left in a target of models that are gone, and what is not ours to drop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.clean_target import CleanTarget, left_behind
from flowforge_app.target_state import read_target
from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ConfigError, DependencyNotFoundError, EngineError, ErrorKind
from flowforge_domain.materialize import drop_statement
from flowforge_domain.model import Seed, SourceTable
from flowforge_domain.results import Status
from flowforge_domain.state import STATE_TABLE
from flowforge_domain.swap import aside
from flowforge_ports.progress import Notice
from flowforge_testkit.fakes import claim
from flowforge_testkit.sqlite.dialect import DIALECT

TWO = {"a": "select 1 as n", "b": "select n from {{ ref('a') }}"}
ONE = {"a": TWO["a"]}


def standing(world):
    return set(world.engine.catalog.relations()) - {STATE_TABLE}


def told(world):
    return [event.message for event in world.recorder.events if isinstance(event, Notice)]


def test_a_model_that_is_gone(world):
    world.given(TWO).run()
    [orphan] = world.given(ONE).clean()
    assert (orphan.relation, orphan.kind, orphan.model, orphan.doubt) == ("b", "table", "b", "")
    assert (standing(world), world.state()) == ({"a"}, [("a", 1)])
    assert world.clean() == []


def test_a_dry_run_drops_nothing(world):
    world.given(TWO).run()
    assert [orphan.relation for orphan in world.given(ONE).clean(dry_run=True)] == ["b"]
    assert (standing(world), len(world.state())) == ({"a", "b"}, 2)


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_models_still_read_is_no_orphan_but_a_wrong_graph(world, dry_run):
    world.given(TWO).run()
    with pytest.raises(DependencyNotFoundError):
        world.given({"b": TWO["b"]}).clean(dry_run)
    assert standing(world) == {"a", "b"}


def test_a_target_that_is_new(world):
    assert world.given(TWO).clean() == []


def test_a_model_that_was_renamed_is_known_after_the_next_run(world):
    world.given(ONE).run()
    world.given({"z": ONE["a"]}).run()
    assert [orphan.relation for orphan in world.clean()] == ["a"]
    assert standing(world) == {"z"}


def test_a_model_that_writes_another_relation(world):
    world.given({"a": "create table old_a as select 1 as n"}).run()
    world.given({"a": "create table new_a as select 1 as n"}).run()
    world.run(no_cache=True)
    assert [(orphan.relation, orphan.model) for orphan in world.clean()] == [("old_a", "a")]
    assert standing(world) == {"new_a"}


def test_another_model_that_writes_the_relation_keeps_it(world):
    world.given({"a": "create table t as select 1 as n"}).run()
    assert world.given({"z": "create table t as select 1 as n"}).clean() == []


def test_views_go_before_what_they_read(world):
    world.given(TWO | {"b": "create view b as select n from {{ ref('a') }}"}).run()
    world.run(select="a", no_cache=True)
    assert {orphan.relation for orphan in world.given({}).clean()} == {"a", "b"}
    assert standing(world) == set()


def test_a_seed_that_is_gone(world, tmp_path):
    (tmp_path / "s.csv").write_text("n\n1\n")
    seed = Seed("s", "csv", tmp_path / "s.csv", "s", "seeds/s.csv")
    world.given({}, seeds=[seed]).seed()
    assert world.clean() == []
    assert [orphan.relation for orphan in world.given({}).clean()] == ["s"]
    assert standing(world) == set()


def test_what_flowforge_did_not_make_stays(world):
    world.given(TWO).run()
    world.sql("create table foreign_table (n int)")
    world.given(ONE).clean()
    assert standing(world) == {"a", "foreign_table"}


@pytest.mark.parametrize(
    ("statement", "doubt"),
    [
        ("create table b as select 'mine' as s", "b was replaced by something else"),
        ("create view b as select 1 as n", "b was replaced by something else"),
    ],
)
def test_what_was_replaced_behind_our_back_stays(world, statement, doubt):
    world.given(TWO).run()
    world.sql("drop table b", statement)
    assert [orphan.doubt for orphan in world.given(ONE).clean()] == [doubt]
    assert standing(world) == {"a", "b"}


def test_what_is_of_another_kind_stays_where_the_catalog_knows_no_more(world):
    world.given(TWO).run()
    world.sql("drop table b", "create view b as select 1 as n", f"delete from {STATE_TABLE} where relation = '*'")
    catalog = _Blind(world.engine.catalog)
    engine = world.without(catalog=catalog)
    [orphan] = CleanTarget(world.given(ONE).manifest, engine, claim())()
    assert orphan.doubt == "b is a view"
    assert standing(world) == {"a", "b"}


def test_what_a_run_built_that_did_not_end_stays_until_it_is_named(world):
    world.given(TWO).run()
    world.sql(f"delete from {STATE_TABLE} where relation = '*'")
    assert [orphan.doubt for orphan in world.given(ONE).clean()] == ["its run did not end: --drop b, if it may go"]
    assert standing(world) == {"a", "b"}
    assert [orphan.doubt for orphan in world.given(ONE).clean(drop=["b"])] == [""]
    assert standing(world) == {"a"}


def test_what_the_next_run_finds_of_one_that_did_not_end_is_known_from_then_on(world):
    world.given(TWO).run()
    world.sql(f"delete from {STATE_TABLE} where relation = '*'")
    assert [result.status for result in world.given(TWO).run().results] == [Status.UNCHANGED] * 2
    world.sql("drop table b", "create table b as select 'mine' as s")
    assert [result.status for result in world.given(TWO).run().results] == [Status.UNCHANGED, Status.BUILT]


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(materialized="incremental"),
        ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check", check_cols=("n",)),
    ],
)
def test_what_no_run_can_make_again_stays(world, config):
    world.given(TWO, configs={"b": config}).run()
    [orphan] = world.given(ONE).clean()
    assert orphan.doubt == "no run can make its rows again: --drop b, if they may go"
    assert standing(world) == {"a", "b"}


def test_what_no_run_can_make_again_is_dropped_where_it_is_named(world):
    world.given(TWO, configs={"b": ModelConfig(materialized="incremental")}).run()
    [orphan] = world.given(ONE).clean(drop=["b"])
    assert (orphan.relation, orphan.doubt) == ("b", "")
    assert standing(world) == {"a"}
    with pytest.raises(ConfigError, match="'b' is nothing left of a model that is gone"):
        world.clean(drop=["b"])


def test_what_still_stands_for_a_model_cannot_be_named(world):
    world.given(TWO).run()
    with pytest.raises(ConfigError, match="'b' is nothing"):
        world.clean(drop=["b"])
    assert standing(world) == {"a", "b"}


def test_the_old_relation_of_a_model_stays_until_the_new_one_stands(world):
    world.given(ONE).run()
    world.given({"a": "create table better as select nope"}).run()
    assert world.clean() == []
    world.given({"a": "create table better as select 1 as n"}).run()
    assert [orphan.relation for orphan in world.clean()] == ["a"]
    assert standing(world) == {"better"}


def test_a_project_without_a_name_of_its_own_drops_nothing(world):
    world.given(TWO).run()
    manifest = replace(world.given(ONE).manifest, named=False)
    with pytest.raises(ConfigError, match="has no name of its own") as caught:
        CleanTarget(manifest, world.engine, claim())(dry_run=True)
    assert "project.yml" in caught.value.hint
    assert standing(world) == {"a", "b"}
    assert list(left_behind(manifest, read_target(world.engine), DIALECT)) == []


def test_what_another_project_made_stays(world):
    world.given(TWO).run()
    world.sql(f"update {STATE_TABLE} set state = json_set(state, '$.project', 'another')")
    assert world.given(ONE).clean() == []


def test_an_engine_that_refuses_is_told_and_undone(world):
    world.given(TWO | {"c": "select 1 as n"}).run()
    session = _Refusing(world.engine.session)
    with pytest.raises(EngineError, match="b is in use, and nothing was dropped: view w depends on it") as caught:
        CleanTarget(world.given(ONE).manifest, world.without(session=session), claim())()
    assert caught.value.kind is ErrorKind.DEPENDENTS
    assert (standing(world), len(world.state())) == ({"a", "b", "c"}, 3)


def test_a_run_tells_of_orphans(world):
    world.given(TWO | {"c": "select 1 as n"}).run()
    assert told(world) == []
    world.given(TWO).run()
    assert told(world) == ["1 relation is left of models that are gone: flowforge clean --dry-run"]
    world.given(ONE).run()
    assert told(world)[1:] == ["2 relations are left of models that are gone: flowforge clean --dry-run"]


def test_a_run_tells_of_what_keeps_rows_of_its_own_too_until_it_is_a_source(world):
    world.given(TWO | {"c": "select 1 as n"}, configs={"c": ModelConfig(materialized="incremental")}).run()
    world.given(TWO).run()
    said = "left of models that are gone, {}with rows that no run can make again: flowforge clean --dry-run"
    assert told(world) == [f"1 relation is {said.format('')}"]
    world.given(ONE).run()
    assert told(world)[1:] == [f"2 relations are {said.format('1 of them ')}"]
    world.clean()
    world.given(ONE, sources=[SourceTable("old", "c", "c")]).run()
    assert len(told(world)) == 2


class TestHelpers:
    """What a run that was killed has built beside, where an engine does not undo it."""

    @pytest.fixture
    def killed(self, world):
        """After two models were built; `b` is gone then."""
        world.given(TWO).run()
        return world

    def make(self, world, *names):
        world.sql(*(f'create table "{name}" as select 9 as n' for name in names))

    @pytest.mark.parametrize("helper", [aside("a"), aside("a", "new"), aside(aside("a", "new"), "changes")])
    def test_of_a_model_that_is_there(self, killed, helper):
        self.make(killed, helper)
        for dry_run in (True, False):
            [left] = killed.clean(dry_run)
            assert (left.relation, left.model, left.built_at, left.doubt) == (helper, "a", "", "")
        assert standing(killed) == {"a", "b"}
        assert len(killed.state()) == 2

    @pytest.mark.parametrize("helper", [aside("b"), aside("b", "new"), aside(aside("b", "new"), "changes")])
    def test_of_a_model_that_is_gone(self, killed, helper):
        self.make(killed, helper)
        killed.given(ONE).run()
        assert told(killed) == ["2 relations are left of models that are gone: flowforge clean --dry-run"]
        assert {left.relation: left.model for left in killed.clean()} == {"b": "b", helper: "b"}
        assert standing(killed) == {"a"}
        assert killed.clean() == []

    def test_of_a_relation_that_was_dropped_for_it(self, killed):
        killed.sql("drop table b")
        self.make(killed, aside("b"))
        assert [left.relation for left in killed.given(ONE).clean()] == [aside("b")]
        assert standing(killed) == {"a"}

    def test_the_only_copy_is_left_to_the_next_run(self, killed):
        killed.sql("drop table a")
        self.make(killed, aside("a"))
        engine = killed.without(capabilities=killed.engine.capabilities - {Capability.TRANSACTIONAL_STATE})
        [left] = CleanTarget(killed.manifest, engine, claim())()
        assert left.doubt == "it is the only copy of a, whose name the next run gives it"
        assert killed.run(engine=engine).ok
        assert standing(killed) == {"a", "b"}

    def test_the_only_copy_of_what_no_run_can_make_again_goes_where_it_is_named(self, world):
        world.given(TWO, configs={"b": ModelConfig(materialized="incremental")}).run()
        world.sql(f'alter table b rename to "{aside("b")}"')
        [left] = world.given(ONE).clean()
        assert left.doubt == f"no run can make its rows again: --drop {aside('b')}, if they may go"
        [left] = world.clean(drop=[aside("b")])
        assert standing(world) == {"a"}

    def test_one_of_which_nobody_knows_goes_where_it_is_named(self, killed):
        """Of a model that no run has finished, or of another project."""
        unknown = aside("someone_elses")
        self.make(killed, unknown, "_flowforge_notes")
        killed.run()
        assert told(killed) == []
        [left] = killed.clean()
        assert left.doubt == f"no model of this project has left it: --drop {unknown}, if no other project needs it"
        killed.clean(drop=[unknown])
        assert standing(killed) == {"a", "b", "_flowforge_notes"}

    def test_in_a_target_without_state(self, world):
        self.make(world, aside("a"))
        assert [left.relation for left in world.given(ONE).clean()] == [aside("a")]
        assert standing(world) == set()


class _Blind:
    """A catalog of an engine that tells no identities."""

    def __init__(self, catalog):
        self._catalog = catalog

    def relations(self):
        return {name: replace(entry, identity="") for name, entry in self._catalog.relations().items()}


class _Refusing:
    """A session of an engine that lets nobody drop `b`."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def execute(self, sql):
        if sql == drop_statement("b", "table", DIALECT):
            raise EngineError("view w depends on it", kind=ErrorKind.DEPENDENTS)
        return self._session.execute(sql)
