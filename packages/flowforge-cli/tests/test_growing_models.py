"""What makes a model whose rows stay grow, and what alone replaces its rows; asked of the command itself."""

from __future__ import annotations

import json
import sqlite3

import pytest

INCREMENTAL = "{{{{ config(materialized='incremental', {settings}) }}}}\n{query}"
QUERY = "select {{ var('day') }} as day, '{{ env_var('REGION') }}' as region, id from {{ ref('events') }}"
PYTHON = """
from flowforge import model
from rules import doubled
{above}
@model(name="grown", deps=["events"], materialized="incremental", unique_key="id")
def grown(events):
{inside}    return {expression}
"""
HELPER = """from dataclasses import replace

def doubled(events):
    return replace(events, rows=[{'id': row['id'] * 2} for row in events.rows])
"""


class Shop:
    """A project with one model that grows, each time by a row of another day."""

    def __init__(self, root, flowforge, monkeypatch):
        self.root, self.flowforge, self.monkeypatch = root, flowforge, monkeypatch
        self.write("project.yml", "name: shop\nvars: {day: 1}\n")
        self.write("profiles.yml", "default: {engine: sqlite, sqlite: {path: shop.sqlite}}\n")
        self.write("macros/sums.sql", "{% macro plus(x) %}{{ x }} + 0{% endmacro %}\n")
        self.write("models/events.ff.sql", "select 1 as id")
        monkeypatch.setenv("REGION", "north")

    def write(self, file, text):
        path = self.root / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def model(self, query=QUERY, settings="unique_key=['day', 'region', 'id']"):
        self.write("models/grown.ff.sql", INCREMENTAL.format(settings=settings, query=query))

    def run(self, *options, day=1):
        answer = self.flowforge("run", self.root, "--vars", json.dumps({"day": day}), *options)
        assert answer.code == 0, f"{answer.out}{answer.err}"
        return answer.out + answer.err

    def why(self, day=1):
        return self.flowforge("why", "grown", self.root, "--vars", json.dumps({"day": day})).out

    def sql(self, statement):
        with sqlite3.connect(self.root / "shop.sqlite") as connection:
            return connection.execute(statement).fetchall()

    @property
    def days(self):
        return [day for (day,) in self.sql("select day from grown order by day")]


@pytest.fixture
def shop(tmp_path, flowforge, monkeypatch):
    made = Shop(tmp_path, flowforge, monkeypatch)
    made.model()
    made.run()
    assert made.days == [1]
    return made


def test_other_variables_bring_other_rows_to_those_that_stand(shop):
    assert "the variable day changed: 1 became 2" in shop.why(day=2)
    assert "scratch" not in shop.run(day=2)
    shop.monkeypatch.setenv("REGION", "south")
    assert "the environment variable REGION changed: 'north' became 'south'" in shop.why(day=3)
    assert "scratch" not in shop.run(day=3)
    assert shop.days == [1, 2, 3]


def test_other_variables_and_another_layout_at_once_keep_the_rows(shop):
    shop.model(f"-- By day and region.\n{QUERY.replace('select', 'SELECT')}\n")
    assert "scratch" not in shop.run(day=2)
    assert shop.days == [1, 2]


@pytest.mark.parametrize(
    "settings",
    [
        "unique_key=['day', 'region', 'id'], incremental_strategy='delete+insert'",
        "unique_key=['day', 'region', 'id'], merge_exclude_columns=['region'], tags=['x']",
        "unique_key=['day', 'region', 'id'], incremental_predicates=['target.day > 0']",
        "unique_key=['day', 'region', 'id'], on_schema_change='append_new_columns', cluster_by='id'",
    ],
)
def test_how_new_rows_are_kept_says_nothing_of_those_that_stand(shop, settings):
    shop.model(settings=settings)
    assert "scratch" not in shop.run(day=2)
    assert shop.days == [1, 2]


def test_another_query_replaces_the_rows_and_says_so(shop):
    shop.run(day=2)
    shop.model(QUERY.replace(", id", ", id + 0 as id"))
    assert "  ! from scratch, replacing the rows that it has: its text changed" in shop.why(day=3).splitlines()
    said = shop.run(day=3)
    assert "! grown is built from scratch: its text changed; to keep its rows, set full_refresh: false" in said
    assert shop.days == [3]


def test_another_macro_replaces_the_rows(shop):
    shop.model(QUERY.replace(", id", ", {{ plus('id') }} as id"))
    shop.run()
    shop.write("macros/sums.sql", "{% macro plus(x) %}{{ x }} + 1{% endmacro %}\n")
    assert "the macro plus changed" in shop.why()
    assert "grown is built from scratch" in shop.run()


def test_another_key_replaces_the_rows(shop):
    shop.model(settings="unique_key='day'")
    assert 'grown is built from scratch: the setting unique_key changed: ["day", "region", "id"]' in shop.run(day=2)
    assert shop.days == [2]


@pytest.mark.parametrize("settings", ["on_schema_change='ignore'", "full_refresh=false", "on_schema_change='fail'"])
def test_who_says_how_a_table_follows_its_query_keeps_the_rows(shop, settings):
    shop.model(QUERY.replace(", id", ", id + 0 as id"), f"unique_key=['day', 'region', 'id'], {settings}")
    assert "scratch" not in shop.why(day=2)
    assert "scratch" not in shop.run(day=2)
    assert shop.days == [1, 2]


def test_a_quiet_run_tells_which_rows_it_replaces_too(shop):
    shop.model(QUERY.replace(", id", ", id + 0 as id"))
    told = "! grown is built from scratch: its text changed; to keep its rows, set full_refresh: false\n"
    assert shop.run("--quiet") == told
    shop.write("models/grown.ff.sql", QUERY)
    assert shop.run("--quiet") == "! grown becomes a table: the rows that it kept as incremental are replaced\n"
    shop.sql("drop table _flowforge_state")
    said = shop.run("--quiet", "--full-refresh").splitlines()
    assert "! grown replaces the table grown, which FlowForge did not make" in said


@pytest.mark.parametrize("kind", ["table", "view"])
def test_another_kind_does_not_replace_rows_that_are_to_stay(shop, kind):
    shop.run(day=2)
    shop.write("models/grown.ff.sql", f"{{{{ config(materialized='{kind}') }}}}\n{QUERY}")
    # Said of all models: of this one alone it would be refused when it is read, for a table knows no such setting.
    shop.write("project.yml", "name: shop\nvars: {day: 1}\ndefaults: {full_refresh: false}\n")
    told = f"as a {kind} it would replace the rows kept as incremental, and full_refresh is false."
    assert f"  ! it would fail: {told}" in shop.why(day=2).splitlines()
    for option in ("--quiet", "--full-refresh"):
        answer = shop.flowforge("run", shop.root, option)
        assert (answer.code, answer.err) == (1, "")
        said = answer.out
        assert f"Model 'grown' failed: {told}" in said
        assert "models/grown.ff.sql:1" in said
        assert "Set materialized='incremental' again, or drop `full_refresh` to let the rows go." in said
    assert shop.days == [1, 2]
    shop.write("project.yml", "name: shop\nvars: {day: 1}\n")
    replaced = (
        f"  ! from scratch, replacing the rows that it has: it becomes a {kind}, and they were kept as incremental"
    )
    assert replaced in shop.why(day=2).splitlines()
    shop.run(day=2)
    assert shop.days == [2]


def test_a_table_changed_by_hand_keeps_its_rows(shop):
    for statement in ("create table other as select * from grown", "drop table grown"):
        shop.sql(statement)
    shop.sql("alter table other rename to grown")
    assert "scratch" not in shop.run(day=2)
    assert shop.days == [1, 2]


def test_rows_that_another_build_would_not_mend_are_not_counted_and_that_is_told(shop):
    shop.model(settings="")
    shop.run()
    shop.sql("insert into grown values (7, 'north', 1)")
    said = shop.run("--verify")
    assert "! grown keeps its rows from build to build: --verify does not count them" in said
    assert "grown" not in built(said)
    assert shop.days == [1, 7]


def test_comments_and_docstrings_are_no_change_of_code(tmp_path, flowforge, monkeypatch):
    shop = Shop(tmp_path, flowforge, monkeypatch)
    shop.write("rules.py", HELPER)
    text = PYTHON.format(above="", inside="", expression="doubled(events)")
    shop.write("models/grown.ff.py", text)
    shop.run()
    shop.write(
        "models/grown.ff.py",
        PYTHON.format(above="# Twice.", inside='    """Twice."""\n', expression="doubled( events )"),
    )
    shop.write("rules.py", f'"""The rules."""\n\n# Twice.\n{HELPER}')
    assert "proved unchanged" in shop.why()
    shop.write("rules.py", HELPER.replace("* 2", "* 3"))
    assert "from scratch" in shop.why()


def built(said):
    return {line.split()[1] for line in said.splitlines() if line.startswith("✓")}


ALIAS = "unique_key=['day', 'region', 'id'], alias='grown'"


def test_a_model_of_another_name_goes_on_where_its_query_is_the_same(shop):
    shop.model(settings=ALIAS)
    (shop.root / "models" / "grown.ff.sql").rename(shop.root / "models" / "renamed.ff.sql")
    assert "scratch" not in shop.run(day=2)
    assert shop.days == [1, 2]


def test_a_model_of_another_name_and_query_replaces_the_rows(shop):
    shop.model(QUERY.replace("as day", "+ 10 as day"), ALIAS)
    (shop.root / "models" / "grown.ff.sql").rename(shop.root / "models" / "renamed.ff.sql")
    assert "renamed is built from scratch: its text changed" in shop.run(day=2)
    assert shop.days == [12]


SNAPSHOT = """{{ config(materialized='snapshot', unique_key='id', strategy='check', check_cols=['day']) }}
select 2 as day, 1 as id
"""


class TestAnotherProjectOnTheSameTarget:
    @pytest.fixture
    def store(self, shop):
        """The same models under another name; which of the two the folder holds makes no difference to the target."""
        shop.write("project.yml", "name: store\nvars: {day: 1}\n")
        return shop

    @pytest.mark.parametrize(
        "text", [INCREMENTAL.format(settings="", query=QUERY.replace("as day", "+ 10 as day")), None]
    )
    def test_its_rows_are_not_given_away(self, store, text):
        if text:
            store.write("models/grown.ff.sql", text)
        told = "grown holds the rows that grown of project shop keeps."
        assert f"  ! it would fail: {told}" in store.why(day=2).splitlines()
        answer = store.flowforge("run", store.root, "--quiet")
        assert answer.code == 1
        assert f"Model 'grown' failed: {told}" in answer.out
        assert "models/grown.ff.sql:1" in answer.out
        said = (
            "Set `schema` or `alias`; or, if this project had that name, write `defaults: {full_refresh: false}` into"
        )
        assert f"{said} project.yml for one run, to go on." in answer.out
        assert answer.err == "! events replaces the table events, which events of project shop made\n"
        assert store.days == [1]

    def test_under_a_new_name_a_project_goes_on_where_it_says_so(self, store):
        store.write("project.yml", "name: store\nvars: {day: 1}\ndefaults: {full_refresh: false}\n")
        store.run(day=2)
        store.write("project.yml", "name: store\nvars: {day: 1}\n")
        store.run(day=3)
        assert store.days == [1, 2, 3]

    def test_its_rows_are_replaced_when_asked_for_and_that_is_told(self, store):
        said = store.run("--full-refresh", "--quiet", day=2)
        assert "! grown replaces the table grown, which grown of project shop made" in said.splitlines()
        assert store.days == [2]

    def test_its_rows_are_replaced_by_a_table_and_that_is_told(self, store):
        store.write("models/grown.ff.sql", QUERY)
        said = store.run(day=2).splitlines()
        assert "! grown replaces the table grown, which grown of project shop made" in said
        assert store.days == [2]
        assert "!" not in store.run("--no-cache", day=2)

    def test_no_history_is_added_to_its_rows(self, shop):
        shop.write("models/grown.ff.sql", SNAPSHOT)
        shop.sql("drop table grown")
        shop.run()
        shop.write("project.yml", "name: store\nvars: {day: 1}\n")
        assert "grown of project shop keeps" in shop.flowforge("run", shop.root).out
        assert shop.days == [2]

    def test_a_table_of_it_does_not_grow(self, shop):
        shop.write("models/grown.ff.sql", QUERY)
        shop.run()
        shop.write("project.yml", "name: store\nvars: {day: 1}\n")
        shop.model()
        said = shop.run(day=2)
        assert "! grown is built from scratch: grown was built as a table by grown of project shop; " in said
        assert shop.days == [2]

    def test_projects_without_a_name_cannot_be_told_apart(self, shop):
        shop.write("project.yml", "vars: {day: 1}\n")
        assert "!" not in shop.run(day=2)
        assert shop.days == [1, 2]


class TestWhatIsShown:
    """The SQL of a model that grows is its query, and what brings the rows of that into its table."""

    SETTINGS = "unique_key='id', incremental_strategy='delete+insert'"

    def test_verbose_shows_what_runs(self, shop):
        shop.model("select 7 as id", self.SETTINGS)
        shop.run()
        again = ("-v", "-s", "grown", "--no-cache")
        said = shop.run(*again)
        assert "create table `grown`" not in said
        query, brought = said.index("   select 7 as id"), said.index("   delete from `grown`")
        assert query < brought < said.index("   insert into `grown`")
        events = map(json.loads, shop.run(*again, "--log-format", "json").splitlines())
        sent = [event["data"]["sql"] for event in events if event["event"] == "statement_started"]
        assert [sql.split()[0] for sql in sent] == ["create", "delete", "insert"]

    def test_compile_writes_the_query(self, shop):
        shop.model("select 7 as id", self.SETTINGS)
        assert shop.flowforge("compile", shop.root, "-s", "grown").code == 0
        assert (shop.root / ".flowforge/compiled/models/grown.sql").read_text() == "\nselect 7 as id"

    def test_the_site_says_that_it_is_the_query(self, shop):
        shop.model("select 7 as id", self.SETTINGS)
        assert shop.flowforge("dag", shop.root, "--html").code == 0
        page = next(shop.root.rglob("grown.html")).read_text()
        assert ">select 7 as id</code>" in page
        assert "This is the query from scratch. A run brings its rows into the table by delete+insert." in page
        assert "This is the query" not in next(shop.root.rglob("events.html")).read_text()
