from __future__ import annotations

from dataclasses import replace

import pytest

from flowforge_app.load_seeds import LoadSeeds
from flowforge_domain.capability import Capability
from flowforge_domain.config import ModelConfig
from flowforge_domain.errors import ConfigError, SeedError, SelectionError, UnsupportedByEngineError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_domain.results import SeedReport, SeedResult
from flowforge_domain.selection import selection
from flowforge_ports.progress import Notice, SeedStarted
from flowforge_testkit.fakes import claim


@pytest.fixture
def seeded(world, tmp_path):
    files = {"a.csv": "id,name\n1,x\n2,y\n", "b.csv": "id\n007\n", "c.sql": "select 5 as n"}
    seeds = []
    for file, text in files.items():
        (tmp_path / file).write_text(text)
        name, kind = file.split(".")
        seeds.append(Seed(name, kind, tmp_path / file, name, f"seeds/{file}"))
    return world.given({}, seeds=seeds)


def test_every_seed_becomes_a_table(seeded):
    report = seeded.seed()
    assert [(r.name, r.relation, r.rows) for r in report.results] == [("a", "a", 2), ("b", "b", 1), ("c", "c", 1)]
    assert seeded.rows("select id from b") == [("007",)]


def test_results_are_announced_once_all_are_committed(seeded):
    seeded.seed()
    kinds = [type(event) for event in seeded.recorder.events]
    assert kinds == [SeedStarted] * 3 + [SeedResult] * 3 + [SeedReport]


def test_all_or_none(seeded, tmp_path):
    seeded.seed()
    (tmp_path / "a.csv").write_text("id,name\n9,z\n")
    (tmp_path / "b.csv").write_text("id\n1\n2,3\n")
    with pytest.raises(SeedError) as caught:
        seeded.seed()
    assert "seeds/b.csv" in str(caught.value)
    assert seeded.rows("select id from a order by id") == [(1,), (2,)]
    assert not [event for event in seeded.recorder.events[7:] if isinstance(event, SeedResult)]


def test_a_view_in_the_way_becomes_a_table(seeded):
    seeded.sql("create view a as select 1 as old")
    seeded.seed("a")
    assert seeded.engine.catalog.relations()["a"].kind == "table"


def test_only_the_selected(seeded):
    assert [r.name for r in seeded.seed("a").results] == ["a"]
    with pytest.raises(SelectionError, match="No seed matches 'z'"):
        seeded.seed("z")


SNAPSHOT = ModelConfig(materialized="snapshot", unique_key=("id",), strategy="check", check_cols=("id",))


def notices(world):
    return [event.message for event in world.recorder.events if isinstance(event, Notice)]


class TestWhatASeedReplaces:
    @pytest.mark.parametrize("kind", ["table", "view"])
    def test_what_flowforge_did_not_make_is_told_once(self, seeded, kind):
        seeded.sql(f"create {kind} a as select 1 as old")
        seeded.seed()
        seeded.seed()
        assert notices(seeded) == [f"a replaces the {kind} a, which FlowForge did not make"]

    @pytest.mark.parametrize("config", [SNAPSHOT, ModelConfig(materialized="incremental")])
    def test_rows_that_a_model_kept_are_told(self, seeded, config):
        ours = seeded.manifest
        seeded.given({"a": "select 1 as id"}, configs={"a": config}).run()
        seeded.given({}, seeds=ours.seeds.values()).seed()
        assert notices(seeded) == [f"a becomes a seed: the rows that a kept as {config.materialized} are replaced"]

    def test_a_table_that_can_be_built_again_is_no_loss(self, seeded):
        ours = seeded.manifest
        seeded.given({"a": "select 1 as id"}).run()
        seeded.given({}, seeds=ours.seeds.values()).seed()
        assert notices(seeded) == []

    def test_what_another_project_made_is_told(self, seeded):
        seeded.seed("a")
        theirs = replace(seeded.manifest, name="theirs")
        LoadSeeds(theirs, seeded.engine, seeded.recorder, claim())(selection("a"))
        assert notices(seeded) == ["a replaces the table a, which a of project memory made"]

    def test_a_project_without_a_name_may_only_have_moved(self, seeded):
        seeded.seed("a")
        moved = replace(seeded.manifest, name="elsewhere", named=False)
        LoadSeeds(moved, seeded.engine, seeded.recorder, claim())(selection("a"))
        assert notices(seeded) == []

    def test_nothing_is_told_of_seeds_that_were_not_loaded(self, seeded, tmp_path):
        seeded.sql("create table a as select 1 as old")
        (tmp_path / "b.csv").write_text("id\n1\n2,3\n")
        with pytest.raises(SeedError):
            seeded.seed()
        assert notices(seeded) == []


class TestTypesThatContentChanges:
    @pytest.fixture
    def loaded(self, world, tmp_path):
        """Load `o.csv` with what is given, after it was loaded with numbers, and return what is told."""

        def load(text, before="id,amount\n1,0.5\n2,1.5\n", **options):
            for content in (before, text):
                (tmp_path / "o.csv").write_text(content)
                seed = Seed("o", "csv", tmp_path / "o.csv", "o", "seeds/o.csv", options=SeedOptions(**options))
                world.given({}, seeds=[seed]).seed()
            return notices(world)

        return load

    def test_the_cell_that_makes_numbers_text_is_named(self, loaded):
        assert loaded("id,amount\n1,0.5\n2,n.a.\n") == [
            "seeds/o.csv:3: amount was double, is text because of 'n.a.'; mend the cell or declare `column_types`"
        ]

    def test_columns_that_change_too_are_counted(self, loaded):
        (told,) = loaded("id,amount\nx,n.a.\n", before="id,amount\n1,0.5\n")
        assert told == (
            "seeds/o.csv:2: id was bigint, is text because of 'x', and 1 more column has another type; "
            "mend the cell or declare `column_types`"
        )

    def test_a_type_that_comes_back_is_told_without_a_cell(self, loaded):
        (told,) = loaded("id,amount\n1,0.5\n", before="id,amount\n1,n.a.\n")
        assert told == "seeds/o.csv: amount was text, is double; to keep types, declare `column_types`"

    @pytest.mark.parametrize(
        "text", ["id,amount\n3,7.5\n", "id\n1\n", "id,amount,note\n1,0.5,x\n", "id,amount\n1,0.5\n2,1.5\n"]
    )
    def test_other_rows_and_other_columns_are_no_other_types(self, loaded, text):
        assert loaded(text) == []

    def test_a_declared_type_is_meant(self, loaded):
        assert loaded("id,amount\n1,x\n", column_types={"amount": "varchar"}) == []

    def test_null_is_no_cell_that_breaks_a_type(self, loaded):
        (told,) = loaded("id,amount\n1,NA\n2,x\n", null="NA")
        assert told.startswith("seeds/o.csv:3: ")


@pytest.mark.parametrize("without", ["capability", "loader"])
def test_what_the_engine_cannot_do_is_refused_before_anything(seeded, without):
    able = seeded.engine.capabilities - {Capability.SQL_SEEDS}
    engine = seeded.without(capabilities=able) if without == "capability" else seeded.without(seeds=None)
    with pytest.raises(UnsupportedByEngineError):
        seeded.seed(engine=engine)
    assert dict(seeded.engine.catalog.relations()) == {}


@pytest.mark.parametrize("command", ["seed", "build"])
def test_a_schema_where_there_are_none_is_refused_before_anything(seeded, command):
    seeds = [replace(seed, relation=f"marts.{seed.name}") for seed in seeded.manifest.seeds.values()]
    with pytest.raises(ConfigError) as caught:
        getattr(seeded.given({}, seeds=seeds), command)()
    assert str(caught.value) == (
        "seeds/a.csv: Seed 'a' cannot be in the schema 'marts': sqlite has no schemas.\nLeave the schema out."
    )
    assert dict(seeded.engine.catalog.relations()) == {}
    seeds = [replace(seed, relation=f"Main.{seed.name}") for seed in seeds]
    assert len(seeded.given({}, seeds=seeds).seed().results) == 3


def test_sql_seeds_need_no_loader_of_the_engine(seeded):
    report = seeded.seed("c", engine=seeded.without(seeds=None))
    assert [(r.name, r.rows) for r in report.results] == [("c", 1)]
    assert seeded.rows("select n from c") == [(5,)]


def test_rows_of_a_sql_seed_are_counted_where_the_engine_does_not_tell(seeded):
    engine = seeded.engine
    silent = replace(engine, session=Silent(engine.session))
    assert [r.rows for r in seeded.seed("c", engine=silent).results] == [1]


@pytest.mark.parametrize("name", ["a", "c"])
def test_a_file_that_went_away_is_named(seeded, tmp_path, name):
    (file,) = tmp_path.glob(f"{name}.*")
    file.unlink()
    with pytest.raises(SeedError, match="does not exist") as caught:
        seeded.seed(name)
    assert (str(caught.value.where), caught.value.hint) == (f"seeds/{file.name}", f"Put it at seeds/{file.name}.")


class Silent:
    """A session that does not say how many rows a statement wrote."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def execute(self, sql):
        self.inner.execute(sql)


def test_no_seeds_at_all(world):
    assert list(world.given({}).seed().results) == []
