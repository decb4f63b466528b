"""What is proved unchanged is left as it is, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowforge_app.due_models import Skipping
from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.model import Seed, SourceTable, model
from flowforge_domain.results import Status
from flowforge_ports.progress import Notice
from flowforge_testkit.sqlite.frames import Frame

CHAIN = {
    "a": "select 1 as n",
    "b": "select n + 1 as n from {{ ref('a') }}",
    "c": "select n + 1 as n from {{ ref('b') }}",
}
VIEW = "create view v as select n from {{ ref('a') }}"


class Proof:
    """What an engine says of its tables: one version for all."""

    version = "1"

    def versions(self, relations):
        return dict.fromkeys(relations, self.version)

    def wrote(self, relations, hook):
        pass

    def vouch(self):
        pass


def built(report):
    assert report.ok
    return [result.name for result in report.results if result.status is Status.BUILT]


@pytest.fixture
def chain(world):
    world.given(CHAIN).run()
    return world


@pytest.fixture
def seed(tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("n\n1\n")
    return Seed("s", "csv", file, "s", "seeds/s.csv")


class TestNothingChanged:
    def test_nothing_is_built(self, chain):
        report = chain.run()
        assert built(report) == []
        assert [result.status for result in report.results] == [Status.UNCHANGED] * 3

    def test_nothing_is_written(self, chain):
        before = chain.rows("select * from _flowforge_state order by relation")
        changes = chain.rows("select total_changes()")
        chain.run()
        assert chain.rows("select * from _flowforge_state order by relation") == before
        assert chain.rows("select total_changes()") == changes

    def test_all_is_built_when_asked_for(self, chain):
        assert built(chain.run(no_cache=True)) == ["a", "b", "c"]

    def test_rows_that_somebody_deleted_are_missed_when_asked_for(self, chain):
        assert built(chain.run(verify=True)) == []
        chain.sql("delete from b")
        assert built(chain.run()) == []
        assert built(chain.run(verify=True)) == ["b", "c"]
        assert chain.notices == ["b has 0 rows, and was built with 1"]
        assert built(chain.run(verify=True)) == []

    def test_rows_of_a_seed_that_somebody_deleted_are_missed_when_asked_for(self, world, seed):
        world.given({"a": "select n from {{ ref('s') }}"}, seeds=[seed]).seed()
        world.run()
        world.sql("delete from s")
        assert built(world.run(verify=True)) == ["a"]
        assert world.notices == ["s has 0 rows, and was built with 1"]

    @pytest.mark.parametrize(
        "config",
        [
            ModelConfig(materialized="incremental"),
            ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check", check_cols=("n",)),
        ],
    )
    def test_counting_builds_nothing_that_keeps_its_rows(self, world, config):
        world.given({"g": "select 1 as n", "t": "select n from {{ ref('g') }}"}, configs={"g": config}).run()
        for _ in range(2):
            assert built(world.run(verify=True)) == []
        assert world.notices == ["g keeps its rows from build to build: --verify does not count them"] * 2

    def test_what_failed_is_tried_again_and_the_rest_is_not(self, world):
        models = CHAIN | {"bad": "select nope from {{ ref('a') }}"}
        world.given(models).run()
        report = world.run()
        assert [r.name for r in report.results if r.status is Status.UNCHANGED] == ["a", "b", "c"]
        assert [r.name for r in report.results if r.status is Status.FAILED] == ["bad"]


class TestChanges:
    def test_a_changed_text_builds_what_reads_it_too(self, chain):
        chain.given(CHAIN | {"b": "select n + 10 as n from {{ ref('a') }}"})
        assert built(chain.run()) == ["b", "c"]
        assert chain.rows("select n from c") == [(12,)]

    def test_a_changed_upstream_is_seen_later_too(self, chain):
        chain.given(CHAIN | {"a": "select 5 as n"})
        assert built(chain.run(select="a")) == ["a"]
        assert built(chain.run()) == ["b", "c"]

    def test_a_setting_that_matters(self, chain):
        chain.given(CHAIN, configs={"c": ModelConfig(materialized="view")})
        assert built(chain.run()) == ["c"]

    def test_a_setting_that_does_not(self, chain):
        said = ModelConfig(description="d", owner="me", tags=("t",), meta={"k": 1})
        assert built(chain.given(CHAIN, configs={"c": said}).run()) == []

    def test_another_version_of_the_engine(self, chain):
        assert built(chain.run(engine=replace(chain.engine, version="99"))) == ["a", "b", "c"]

    def test_a_renamed_model(self, chain):
        renamed = {("d" if name == "c" else name): sql for name, sql in CHAIN.items()}
        assert built(chain.given(renamed).run()) == ["d"]

    def test_a_variable(self, world):
        models = {"a": "select {{ var('x') }} as n"}
        world.given(models, variables={"x": 1}).run()
        assert built(world.run()) == []
        assert built(world.given(models, variables={"x": 2}).run()) == ["a"]

    def test_code(self, world):
        @model(deps=["a"])
        def p(frame):
            return Frame(("n",), [{"n": 1}])

        def first(frame):
            return Frame(("n",), [{"n": 2}])

        first.__flowforge_model__ = p.__flowforge_model__
        world.given({"a": "select 1 as n", "p": p}).run()
        assert built(world.run()) == []
        assert built(world.given({"a": "select 1 as n", "p": first}).run()) == ["p"]


class TestTarget:
    def test_a_dropped_table_is_built_with_what_reads_it(self, chain):
        chain.sql("drop table b")
        assert built(chain.run()) == ["b", "c"]

    def test_a_replaced_one(self, chain):
        chain.sql("drop table b", "create table b (n bigint, other text)")
        assert built(chain.run()) == ["b", "c"]

    def test_another_kind(self, chain):
        chain.sql("drop table b", "create view b as select 7 as n")
        assert built(chain.run()) == ["b", "c"]

    def test_without_state_rows_all_is_built_once_that_is_asked_for(self, chain):
        chain.sql("drop table _flowforge_state")
        assert not chain.run().ok
        assert built(replace(chain.runner(), full_refresh=True)()) == ["a", "b", "c"]
        assert built(chain.run()) == []

    def test_what_another_model_wrote_there_is_not_ours(self, world):
        world.given({"a": "create table t as select 1 as n"}).run()
        assert built(world.given({"b": "create table t as select 1 as n"}).run()) == ["b"]
        assert built(world.given({"a": "create table t as select 1 as n"}).run()) == ["a"]


class TestVolatility:
    @pytest.mark.parametrize("sql", ["select random() as n", "select datetime('now') as n", "select n from raw"])
    def test_what_may_give_something_else_is_always_built(self, world, sql):
        world.sql("create table raw (n bigint)")
        world.given({"a": sql, "b": "select n from {{ ref('a') }}"}).run()
        assert built(world.run()) == ["a", "b"]

    def test_through_a_view(self, world):
        models = {"v": "create view v as select random() as n", "t": "select n from {{ ref('v') }}"}
        world.given(models).run()
        assert built(world.run(select="t")) == ["t"]


def test_another_version_of_the_plugin_that_builds_it(world):
    def run(version):
        plugins = {"table": ("some-plugin", version), "other": ("other-plugin", version)}
        runner = replace(world.runner(), skipping=Skipping(plugins=plugins))
        return built(runner())

    world.given({"a": "select 1 as n"})
    assert [run(version) for version in ("1.0", "1.0", "2.0")] == [["a"], [], ["a"]]


class TestViews:
    def test_new_data_shines_through_one_that_is_not_selected(self, world):
        models = {"a": "select 1 as n", "v": VIEW, "t": "select n from {{ ref('v') }}"}
        world.given(models).run()
        assert built(world.run()) == []
        world.given(models | {"a": "select 2 as n"}).run(select="a")
        assert built(world.run(select="t")) == ["t"]
        assert world.rows("select n from t") == [(2,)]

    def test_nothing_is_proved_through_one_that_stands_as_its_text_was_before(self, world):
        models = {"a": "select 1 as n", "b": "select 5 as n", "v": VIEW, "t": "select n from {{ ref('v') }}"}
        world.given(models).run()
        edited = models | {"v": VIEW.replace("'a'", "'b'")}
        for _ in range(2):
            assert built(world.given(edited).run(select="t")) == ["t"]
        assert world.rows("select n from t") == [(1,)]
        assert built(world.run()) == ["v", "t"]
        assert built(world.run(select="t")) == []

    def test_new_data_shines_through_an_ephemeral_model(self, world):
        models = {"a": "select 1 as n", "e": "select n from {{ ref('a') }}", "t": "select n from {{ ref('e') }}"}
        configs = {"e": ModelConfig(materialized="ephemeral")}
        world.given(models, configs=configs).run()
        assert built(world.run()) == []
        assert built(world.given(models | {"a": "select 2 as n"}, configs=configs).run()) == ["a", "t"]
        changed = models | {"a": "select 2 as n", "e": "select n * 2 as n from {{ ref('a') }}"}
        assert built(world.given(changed, configs=configs).run()) == ["t"]


class TestSeedsAndSources:
    def test_a_seed_counts_by_its_content_once_it_is_loaded(self, world, seed):
        world.given({"a": "select n from {{ ref('s') }}"}, seeds=[seed])
        world.seed()
        assert built(world.run()) == ["a"]
        world.seed()
        assert built(world.run()) == [], "the same content again"
        seed.path.write_text("n\n2\n")
        assert built(world.run()) == [], "not loaded yet"
        world.seed()
        assert built(world.run()) == ["a"]

    def test_a_source_that_is_a_seed_counts_as_the_seed(self, world, seed):
        source = SourceTable("g", "s", "s")
        world.given({"a": "select n from {{ source('g', 's') }}"}, seeds=[seed], sources=[source])
        world.seed()
        assert (built(world.run()), built(world.run())) == (["a"], [])

    def test_a_source_whose_seed_is_gone_counts_by_the_engines_proof_only(self, world, seed):
        models, source = {"a": "select n from {{ source('g', 's') }}"}, SourceTable("g", "s", "s")
        world.given(models, seeds=[seed], sources=[source])
        world.seed()
        assert (built(world.run()), built(world.run())) == (["a"], [])
        world.given(models, sources=[source])
        world.sql("update s set n = 7")
        assert (built(world.run()), built(world.run())) == (["a"], ["a"])
        assert world.rows("select n from a") == [(7,)]

    def test_an_unknown_source_is_read_again(self, world):
        world.sql("create table raw (n bigint)")
        world.given({"a": "select n from {{ source('g', 'raw') }}"}, sources=[SourceTable("g", "raw", "raw")])
        assert (built(world.run()), built(world.run())) == (["a"], ["a"])

    def test_a_source_that_the_engine_proves_is_not(self, world):
        world.sql("create table raw (n bigint)")
        world.given({"a": "select n from {{ source('g', 'raw') }}"}, sources=[SourceTable("g", "raw", "raw")])
        proof = Proof()
        engine = world.without(sources=proof)
        assert (built(world.run(engine=engine)), built(world.run(engine=engine))) == (["a"], [])
        proof.version = "2"
        assert built(world.run(engine=engine)) == ["a"]

    def test_a_source_that_a_seed_filled_may_be_written_by_others_all_the_same(self, world, seed):
        read = {"a": "select n from {{ source('g', 'raw') }}"}
        world.given(read, seeds=[seed], sources=[SourceTable("g", "raw", seed.relation)])
        proof = Proof()
        engine = world.without(sources=proof)
        world.seed(engine=engine)
        assert (built(world.run(engine=engine)), built(world.run(engine=engine))) == (["a"], [])
        proof.version = "2"
        assert built(world.run(engine=engine)) == ["a"]


def test_an_incremental_model_is_built_from_scratch_when_its_definition_changes(world, seed):
    config = {"g": ModelConfig(materialized="incremental")}
    world.given({"g": "select n from {{ ref('s') }}"}, seeds=[seed], configs=config)
    world.seed()
    world.run()
    assert built(world.run()) == []
    world.given({"g": "select n * 2 as n from {{ ref('s') }}"}, seeds=[seed], configs=config)
    assert built(world.run()) == ["g"]
    assert world.rows("select n from g") == [(2,)]


def test_a_seed_file_that_was_changed_and_not_loaded_is_told(world, tmp_path):
    files = {name: tmp_path / f"{name}.csv" for name in ("s", "other")}
    for file in files.values():
        file.write_text("n\n1\n")
    seeds = [Seed(name, "csv", file, name, f"seeds/{name}.csv") for name, file in files.items()]
    world.given({"a": "select n from {{ ref('s') }}"}, seeds=seeds)
    world.seed()
    later = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

    def told():
        world.recorder.events.clear()
        world.run()
        return world.notices

    assert told() == []
    for file in files.values():
        os.utime(file, (later, later))
    assert told() == []
    for file in files.values():
        file.write_text("n\n2\n")
        os.utime(file, (later, later))
    assert told() == ["seeds/s.csv was changed after it was loaded, and its table was not: flowforge seed"]
    files["s"].unlink()
    assert told() == []
    files["s"].write_text("n\n2\n")
    world.seed()
    assert told() == []


GROWING = {"g": ModelConfig(materialized="incremental")}


class TestWhatStoodBeforeAModelGrew:
    def test_rows_of_a_table_are_replaced_and_that_is_told(self, world):
        world.given({"g": "select 1 as n"}).run()
        world.given({"g": "select 2 as n"}, configs=GROWING).run()
        assert world.rows("select n from g") == [(2,)]
        notices = world.notices
        told = "g is built from scratch: g was built as a table by g; to keep its rows, set full_refresh: false"
        assert notices == [told]

    def test_a_table_that_others_put_there_is_replaced_where_it_lacks_the_key(self, world):
        keyed = {"g": ModelConfig(materialized="incremental", unique_key=("n",))}
        world.given({"g": "select 1 as n"}, configs=keyed).run()
        world.sql("drop table g")
        world.sql("create table g as select 'x' as stranger")
        assert world.run().ok
        assert world.rows("select n from g") == [(1,)]
        (told,) = world.notices
        assert told.startswith("g is built from scratch: g was replaced by a table without n;")

    def test_a_table_that_others_altered_keeps_its_rows(self, world):
        keyed = {"g": ModelConfig(materialized="incremental", unique_key=("n",))}
        world.given({"g": "select 1 as n"}, configs=keyed).run()
        world.sql("alter table g add column note text default 'kept'")
        world.sql("insert into g (n) values (2)")
        assert "note is gone" in str(world.run().results[0].error)
        assert world.rows("select n, note from g order by n") == [(1, "kept"), (2, "kept")]

    def test_a_full_refresh_that_a_model_refuses_is_told(self, world):
        guarded = {"g": ModelConfig(materialized="incremental", full_refresh=False)}
        world.given({"g": "select 1 as n"}, configs=guarded)
        for _ in range(2):
            replace(world.runner(), full_refresh=True)()
        assert world.rows("select n from g") == [(1,)]
        assert world.notices == ["g is not built from scratch: full_refresh is false"]

    def test_a_full_refresh_that_leaves_a_snapshot_alone_is_told(self, world):
        kept = {"g": ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check")}
        world.given({"g": "select 1 as n"}, configs=kept)
        for _ in range(2):
            replace(world.runner(), full_refresh=True)()
        notices = [event.message for event in world.recorder.events if isinstance(event, Notice)]
        assert notices == ["g is not built from scratch: a snapshot keeps its history"]

    @pytest.mark.parametrize(
        "config",
        [
            GROWING["g"],
            ModelConfig(materialized="snapshot", unique_key=("n",), strategy="check", check_cols=("n",)),
        ],
    )
    def test_kept_rows_that_a_table_replaces_are_told(self, world, config):
        world.given({"g": "select 1 as n"}, configs={"g": config}).run()
        world.given({"g": "select 2 as n"}).run()
        assert world.rows("select n from g") == [(2,)]
        assert world.notices == [f"g becomes a table: the rows that it kept as {config.materialized} are replaced"]

    def test_kept_rows_of_another_model_are_told_as_its_own(self, world):
        world.given({"g": "select 1 as n"}, configs=GROWING).run()
        world.given({"h": "create table g as select 2 as n"}).run()
        notices = [event.message for event in world.recorder.events if isinstance(event, Notice)]
        assert notices[0] == "h becomes a table: the rows that g kept as incremental are replaced"

    @pytest.mark.parametrize("kind", ["table", "view"])
    def test_a_table_that_flowforge_did_not_make_is_replaced_when_that_is_asked_for_and_told(self, world, kind):
        world.sql("create table g as select 1 as n")
        world.given({"g": "select 2 as n"}, configs={"g": ModelConfig(kind)})
        assert "that no run of FlowForge has built" in world.run().results[0].error.message
        assert world.rows("select n from g") == [(1,)]
        assert world.notices == []
        replace(world.runner(), full_refresh=True)()
        assert world.rows("select n from g") == [(2,)]
        assert world.notices == ["g replaces the table g, which FlowForge did not make"]
        world.run(no_cache=True)
        assert len(world.notices) == 1

    @pytest.mark.parametrize("state", ["transactional", "beside"])
    def test_where_a_killed_run_may_have_left_it_without_its_row_it_is_replaced(self, world, state):
        absent = {Capability.TRANSACTIONAL_STATE} if state == "beside" else set()
        world.sql("create table g as select 1 as n")
        engine = world.without(capabilities=world.engine.capabilities - absent)
        assert world.given({"g": "select 2 as n"}).run(engine=engine).ok == bool(absent)

    def test_a_table_that_flowforge_did_not_make_and_goes_on_with_is_told_too(self, world):
        world.sql("create table g as select 1 as n")
        world.given({"g": "select 2 as n"}, configs=GROWING).run()
        assert world.notices == ["g goes on with the table g, which FlowForge did not make"]

    @pytest.mark.parametrize("follows", ["append_new_columns", "ignore"])
    def test_also_where_it_follows_its_query(self, world, follows):
        world.given({"g": "select 1 as n"}).run()
        config = ModelConfig(materialized="incremental", on_schema_change=follows)
        world.given({"g": "select 2 as n"}, configs={"g": config}).run()
        assert world.rows("select n from g") == [(2,)]

    def test_its_rows_stay_where_it_is_never_refreshed(self, world):
        world.given({"g": "select 1 as n"}).run()
        config = ModelConfig(materialized="incremental", full_refresh=False)
        world.given({"g": "select 2 as n"}, configs={"g": config}).run()
        assert world.rows("select n from g order by n") == [(1,), (2,)]

    def test_rows_of_a_seed_are_replaced(self, world, seed):
        world.given({}, seeds=[replace(seed, relation="g")]).seed()
        world.given({"g": "select 2 as n"}, configs=GROWING).run()
        assert world.rows("select n from g") == [(2,)]

    def test_rows_that_flowforge_did_not_write_stay(self, world):
        world.sql("create table g as select 1 as n")
        report = world.given({"g": "select 2 as n"}, configs=GROWING).run()
        assert report.ok, report.results
        assert world.rows("select n from g order by n") == [(1,), (2,)]


def test_paths_of_seeds_do_not_count(world, tmp_path, seed):
    world.given({"a": "select n from {{ ref('s') }}"}, seeds=[seed])
    world.seed()
    world.run()
    moved = replace(seed, path=Path(tmp_path / "moved.csv"))
    seed.path.rename(moved.path)
    world.given({"a": "select n from {{ ref('s') }}"}, seeds=[moved])
    world.seed()
    assert built(world.run()) == []
