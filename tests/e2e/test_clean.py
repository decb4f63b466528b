"""`clean` on real engines: what they say of a relation is enough to know what FlowForge made."""

from __future__ import annotations

import duckdb
import postgres_server
import pytest

from flowforge import Project
from flowforge.errors import EngineError
from flowforge_domain.results import Status

MODELS = {
    "a": "select 1 as n",
    "b": "{{ config(materialized='view') }}\nselect n from {{ ref('a') }}",
    "c": "{{ config(materialized='view') }}\nselect n from {{ ref('b') }}",
    "grown": "{{ config(materialized='incremental', unique_key='n') }}\nselect n from {{ ref('a') }}",
    "kept": "select n from {{ ref('a') }}",
}
KEPT = "no run can make its rows again: --drop grown, if they may go"

REPLACED = "grown was replaced by something else"
DOUBTED = "others may have written to grown since it was built: --drop grown, if it may go"


class Shop:
    """A project on one engine, a connection of somebody else to its target, and what is said of what they replaced."""

    def __init__(self, root, profile, sql, replaced):
        self.root, self.sql, self.replaced = root, sql, replaced
        (root / "models").mkdir()
        (root / "project.yml").write_text("name: shop\n", encoding="utf-8")
        (root / "profiles.yml").write_text(f"default: {profile}\n", encoding="utf-8")

    def run(self, **models):
        for file in (self.root / "models").iterdir():
            file.unlink()
        for name, text in models.items():
            (self.root / "models" / f"{name}.ff.sql").write_text(text, encoding="utf-8")
        with Project.load(self.root) as project:
            report = project.run()
        assert report.count(Status.FAILED) == 0, report

    def clean(self, **how):
        with Project.load(self.root) as project:
            return {orphan.relation: (orphan.kind, orphan.doubt) for orphan in project.clean(**how)}

    def standing(self):
        query = "select table_name from information_schema.tables where table_schema in ('main', 'public')"
        return {name for (name,) in self.sql(query)} - {"_flowforge_state"}


def on_duckdb(path, statement):
    with duckdb.connect(str(path)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture(params=["duckdb", "postgres"])
def shop(request, tmp_path):
    if request.param == "duckdb":
        profile = "{engine: duckdb, duckdb: {path: shop.duckdb}}"
        yield Shop(tmp_path, profile, lambda statement: on_duckdb(tmp_path / "shop.duckdb", statement), DOUBTED)
        return
    dsn = postgres_server.new_database()
    profile = f'{{engine: postgres, postgres: {{dsn: "{dsn}"}}}}'
    yield Shop(tmp_path, profile, lambda statement: postgres_server.run(statement, dsn), REPLACED)
    postgres_server.drop_database(dsn)


def test_only_what_flowforge_made_and_no_model_makes_is_dropped(shop):
    shop.sql("create table foreign_table (n int)")
    shop.run(**MODELS)
    shop.run(kept="select 1 as n")
    left = {"a": ("table", ""), "b": ("view", ""), "c": ("view", ""), "grown": ("table", KEPT)}
    assert shop.clean(dry_run=True) == left
    assert shop.standing() == {*MODELS, "foreign_table"}
    assert shop.clean() == left
    assert shop.standing() == {"kept", "grown", "foreign_table"}
    assert shop.clean() == {"grown": ("table", KEPT)}
    assert shop.clean(drop=["grown"]) == {"grown": ("table", "")}
    assert shop.standing() == {"kept", "foreign_table"}


def test_what_took_its_place_is_left_alone(shop):
    shop.run(**MODELS)
    shop.sql("drop table grown")
    shop.sql("create table grown as select 1 as n, 2 as m")
    shop.run(**{name: text for name, text in MODELS.items() if name != "grown"})
    assert shop.clean() == {"grown": ("table", shop.replaced)}
    assert shop.standing() == set(MODELS)


def test_a_view_of_somebody_else_is_never_dropped_along(shop):
    shop.run(**MODELS)
    shop.sql("create view mine as select n from a")
    shop.run(kept="select 1 as n")
    try:
        shop.clean()
    except EngineError as error:
        assert "a is in use, and nothing was dropped" in str(error)
        assert "mine" in str(error)
        assert shop.standing() == {*MODELS, "mine"}
        return
    # On DuckDB, where a view outlives its table, and whoever made it may have changed the table too.
    assert shop.standing() == {"a", "kept", "grown", "mine"}


@pytest.mark.parametrize("shop", ["duckdb"], indirect=True)
def test_what_others_may_have_written_to_is_dropped_where_it_is_named(shop):
    shop.run(**MODELS)
    shop.run(kept="select 1 as n")
    shop.sql("create table foreign_table (n int)")
    assert shop.clean()["grown"] == ("table", DOUBTED)
    assert shop.clean(drop=["grown", "a"]) == {"grown": ("table", ""), "a": ("table", "")}
    assert shop.standing() == {"kept", "foreign_table"}
