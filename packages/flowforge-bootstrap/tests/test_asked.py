"""What a caller asks for, looked up: other manifests, results, and git."""

from __future__ import annotations

import json
import subprocess

import pytest

from flowforge_bootstrap.artifacts import file_checksum
from flowforge_bootstrap.project import Project
from flowforge_domain.errors import ConfigError, SelectionError
from flowforge_domain.manifest_facts import manifest_facts

STOPPED = """
from flowforge import model

@model()
def early():
    raise KeyboardInterrupt
"""
IMPORTING = """
from flowforge import model
from helpers import rows

@model()
def imports():
    return rows()
"""
ALL = ["customers", "orders", "revenue_by_customer"]


@pytest.fixture
def project(shop):
    return Project.load(shop)


@pytest.fixture
def state(project, shop, tmp_path):
    """A folder with the manifest of the project as it is now."""
    sums = {name: file_checksum(seed.path) for name, seed in project.manifest().seeds.items()}
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest_facts(project.manifest(), sums)))
    return folder


def names(project, *arguments, **more):
    return [one["name"] for one in project.ls(*arguments, **more)]


def change(file):
    file.write_text(file.read_text() + "\n-- changed\n")


class TestLists:
    def test_seeds_then_models_in_run_order(self, project):
        assert names(project) == ["seed_customers", "seed_orders", *ALL]
        assert names(project, resource=["model"]) == ALL

    def test_every_kind_has_its_facts(self, project):
        found = project.ls(resource=["source", "seed", "model", "test"])
        assert {one["resource"] for one in found} == {"source", "seed", "model", "test"}
        assert all({"name", "resource", "file"} <= one.keys() for one in found)
        json.dumps(found)
        [model] = project.ls("orders", resource=["model"])
        assert (model["file"], model["relation"], model["kind"]) == ("models/orders.ff.sql", "orders", "sql")

    def test_tests_belong_to_what_they_look_at(self, project):
        found = project.ls("revenue_by_customer", resource=["model", "test"])
        assert [one["resource"] for one in found][:2] == ["model", "test"]

    def test_an_unknown_kind_is_told(self, project):
        with pytest.raises(SelectionError, match="There is no kind 'models'") as caught:
            project.ls(resource=["models"])
        assert caught.value.hint == "Did you mean 'model'?"

    def test_the_message_names_the_kinds(self, project):
        with pytest.raises(SelectionError, match="No seed or model matches 'nope'"):
            project.ls("nope")


class TestStates:
    def test_an_unchanged_project_has_nothing_modified(self, project, state):
        with pytest.raises(SelectionError, match="leaves no"):
            project.ls("state:modified", state=state)
        assert names(project, "state:unmodified", state=state) == names(project)

    def test_what_was_changed_is_found(self, project, state, shop):
        change(shop / "models/orders.ff.sql")
        (shop / "models/fresh.ff.sql").write_text("select 1 as n")
        assert names(project, "state:modified", state=state) == ["fresh", "orders"]
        assert names(project, "state:new", state=state) == ["fresh"]
        assert [result.name for result in project.run("state:modified.body+", state=state).results] == [
            "orders",
            "revenue_by_customer",
        ]

    def test_a_seed_is_compared_by_its_content(self, project, state, shop):
        seed = shop / "seeds/seed_orders.csv"
        seed.write_text(seed.read_text().replace("1,", "9,", 1))
        assert names(project, "state:modified", state=state) == ["seed_orders"]

    def test_all_that_decides_the_data_is_compared(self, project, shop, tmp_path):
        (shop / "helpers.py").write_text("def rows():\n    return [{'n': 1}]\n")
        (shop / "models/imports.ff.py").write_text(IMPORTING)
        (shop / "models/varied.ff.sql").write_text("select {{ var('rate') }} as n")
        (shop / "models/sourced.ff.sql").write_text("select * from {{ source('crm', 'people') }}")
        sources = (shop / "sources.yml").read_text()
        (shop / "sources.yml").write_text(f"{sources}\ncrm:\n  people: {{identifier: visitors}}\n")
        with (shop / "project.yml").open("a") as file:
            file.write("\nvars: {rate: 2}\n")
        project.compile()
        (shop / ".flowforge").rename(tmp_path / "then")
        assert names(project, "kind:model,state:unmodified", state=tmp_path / "then") == names(project, "kind:model")
        (shop / "helpers.py").write_text("def rows():\n    return [{'n': 2}]\n")
        (shop / "sources.yml").write_text(f"{sources}\ncrm:\n  people: {{identifier: users}}\n")
        text = (shop / "project.yml").read_text().replace("rate: 2", "rate: 3")
        (shop / "project.yml").write_text(text.replace("column: email", "column: customer_id"))
        assert names(project, "state:modified.body", state=tmp_path / "then") == ["imports"]
        assert names(project, "state:modified.config", state=tmp_path / "then") == ["sourced", "varied"]
        tests = names(project, "state:modified", resource=["test"], state=tmp_path / "then")
        assert tests == ["not_null customers.customer_id"]
        report = project.test("state:modified", state=tmp_path / "then")
        assert [found.check.title for found in report.results] == tests

    def test_a_name_that_the_environment_fills_in_is_compared_as_it_is_written(
        self, project, shop, tmp_path, monkeypatch
    ):
        text = (shop / "project.yml").read_text()
        schema = "folders:\n  {}: {{schema: \"{{{{ env_var('MARTS', 'marts') }}}}{}\"}}\n"
        (shop / "models" / "marts").mkdir(exist_ok=True)
        (shop / "models" / "marts" / "top.ff.sql").write_text("select * from {{ source('crm', 'people') }}")
        sources = (shop / "sources.yml").read_text()
        (shop / "sources.yml").write_text(
            f"{sources}\ncrm:\n  people: {{identifier: \"{{{{ env_var('TOP', 'x') }}}}\"}}\n"
        )
        (shop / "project.yml").write_text(text + schema.format("marts", ""))
        project.compile()
        (shop / ".flowforge").rename(tmp_path / "then")
        monkeypatch.setenv("MARTS", "prod_marts")
        monkeypatch.setenv("TOP", "y")
        assert names(project, "kind:model,state:unmodified", state=tmp_path / "then") == names(project, "kind:model")
        (shop / "project.yml").write_text(text + schema.format("marts", "_v2"))
        assert names(project, "state:modified.config", state=tmp_path / "then") == ["revenue_by_customer", "top"]

    def test_a_folder_without_a_manifest_is_told(self, project, tmp_path):
        with pytest.raises(ConfigError, match=r"manifest\.json' cannot be read"):
            project.ls("state:new", state=tmp_path)

    @pytest.mark.parametrize("text", ["", "[1", "[]", "{}", "\x80"])
    def test_what_is_no_manifest_is_told(self, project, state, text):
        (state / "manifest.json").write_text(text)
        with pytest.raises(ConfigError, match="is no manifest of FlowForge"):
            project.ls("state:new", state=state)


class TestResults:
    def test_results_are_those_of_the_last_run(self, project, shop):
        with pytest.raises(SelectionError, match="nothing to compare with"):
            project.ls("result:failed")
        (shop / ".flowforge").mkdir(exist_ok=True)
        results = {"results": [{"name": "orders", "status": "failed"}, {"name": "customers", "status": "built"}]}
        (shop / ".flowforge/run_results.json").write_text(json.dumps(results))
        assert names(project, "result:failed+") == ["orders", "revenue_by_customer"]

    def test_those_of_another_folder_are_taken_where_one_is_named(self, project, state):
        (state / "run_results.json").write_text('{"results": [{"name": "customers", "status": "failed"}]}')
        assert names(project, "result:failed", state=state) == ["customers"]

    def test_a_test_that_failed_is_run_again_and_stops_again_what_it_stopped(self, project, shop):
        (shop / "models/orders.ff.sql").write_text("select 1 as id union all select 1")
        (shop / "models/late.ff.sql").write_text("select * from {{ ref('orders') }}")
        text = "name: shop\ntests:\n  - {type: unique, table: orders, column: id}\n"
        (shop / "project.yml").write_text(text + "  - {type: not_null, table: orders, column: id}\n")
        project.build("orders late")
        assert [found.check.title for found in project.test("result:failed").results] == ["unique orders.id"]
        report = project.build("result:failed+ result:skipped")
        assert {found.name: found.status.value for found in report.models.results} == {
            "orders": "unchanged",
            "late": "skipped",
            "revenue_by_customer": "skipped",
        }
        assert [found["name"] for found in project.ls("result:failed", resource=["test"])] == ["unique orders.id"]

    def test_how_tests_ended_is_told_by_the_last_that_ran_and_by_the_artifact(self, project, shop, tmp_path):
        text = "name: shop\ntests:\n  - {type: row_count_between, table: orders, max: 0}\n"
        (shop / "project.yml").write_text(text)
        project.run()
        assert not project.test().ok
        project.run()
        [found] = project.test("result:failed").results
        assert found.check.title == "row_count_between orders"
        (shop / ".flowforge").rename(tmp_path / "then")
        assert len(project.test("result:failed", state=tmp_path / "then").results) == 1
        with pytest.raises(SelectionError, match="leaves no test"):
            project.test("result:passed", state=tmp_path / "then")

    def test_what_an_interrupted_run_left_is_found(self, project, shop):
        (shop / "models/early.ff.py").write_text(STOPPED)
        (shop / "models/late.ff.sql").write_text("select * from {{ ref('early') }}")
        with pytest.raises(KeyboardInterrupt):
            project.run("early late")
        assert names(project, "result:unfinished") == ["early"]
        assert names(project, "result:unfinished result:not_run") == ["early", "late"]

    @pytest.mark.parametrize("text", ["", "[]", '{"results": {}}', '{"results": [1]}', '{"results": [], "tests": [1]}'])
    def test_a_file_of_another_kind_is_told(self, project, state, text):
        (state / "run_results.json").write_text(text)
        with pytest.raises(ConfigError, match="holds no results of a run"):
            project.ls("result:failed", state=state)


def commit(folder):
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        identity = ["-c", "user.name=me", "-c", "user.email=me@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


def test_what_changed_since_a_commit(project, shop):
    commit(shop)
    change(shop / "models/orders.ff.sql")
    assert names(project, changed_since="HEAD") == ["orders"]
    assert names(project, "state:changed+", changed_since="HEAD") == ["orders", "revenue_by_customer"]
    assert project.dag(changed_since="HEAD").order == ["orders"]
    assert [path.name for path in project.compile(changed_since="HEAD").values()] == ["orders.sql"]
    with pytest.raises(ConfigError, match="git knows no commit"):
        project.run(changed_since="nowhere")


def test_what_is_gone_since_a_commit_concerned_somebody_too(project, shop):
    (shop / "macros").mkdir()
    (shop / "macros/dbl.sql").write_text("{% macro dbl(x) %}2 * {{ x }}{% endmacro %}")
    (shop / "macros/sqlite.sql").write_text("{% macro sqlite__dbl(x) %}{{ x }} * 2{% endmacro %}")
    (shop / "models/four.ff.sql").write_text("select {{ dbl(2) }} as n")
    (shop / "models/five.ff.sql").write_text("select 5 as n")
    (shop / "models/sub").mkdir()
    (shop / "models/sub/x.yml").write_text("models: {five: {materialized: view}}")
    commit(shop)
    (shop / "macros/sqlite.sql").unlink()
    assert names(project, changed_since="HEAD") == ["four"]
    (shop / "models/sub/x.yml").write_text("models: {orders: {materialized: view}}")
    assert names(project, changed_since="HEAD") == ["five", "four", "orders"]


def test_named_selectors(project, shop):
    text = (shop / "project.yml").read_text()
    (shop / "project.yml").write_text(f"{text}\nselectors:\n  money: {{select: '+revenue*', exclude: customers}}\n")
    assert names(project, selector="money", resource=["model"]) == ["orders", "revenue_by_customer"]
    assert [result.name for result in project.run(selector="money").results] == ["orders", "revenue_by_customer"]
    assert project.run().ok
    assert project.test(selector="money").ok
