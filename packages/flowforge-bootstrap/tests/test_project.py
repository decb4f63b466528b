from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from flowforge_bootstrap.asked import Asked
from flowforge_bootstrap.project import Project, open_project
from flowforge_domain.errors import (
    ConfigError,
    EngineError,
    ErrorKind,
    FlowForgeError,
    PluginError,
    ProfileError,
    SelectionError,
    TestFailureError,
)
from flowforge_domain.results import Status

MODELS = ["customers", "orders", "revenue_by_customer"]


def in_memory(folder):
    (folder / "profiles.yml").write_text("default:\n  engine: sqlite\n  sqlite: {path: ':memory:'}\n")
    return folder


class TestResults:
    def test_every_call_gives_typed_results(self, shop):
        project = Project.load(shop)
        assert [r.name for r in project.seed().results] == ["seed_customers", "seed_orders"]
        assert [r.name for r in project.run().results] == MODELS
        assert project.test().ok
        assert project.show("customers", 1).columns[0] == "customer_id"
        assert project.dag().order == MODELS
        assert project.dag().mermaid.startswith("flowchart LR")

    def test_selection_as_text_or_list(self, shop):
        project = Project.load(shop)
        assert [r.name for r in project.run(select="orders customers").results] == ["customers", "orders"]
        assert [r.name for r in project.run(select=["+revenue_by_customer"], exclude="orders").results] == [
            "customers",
            "revenue_by_customer",
        ]
        with pytest.raises(SelectionError):
            project.run(select="nope")

    @pytest.mark.parametrize("select", [3, [3], {"a": 1}.values()])
    def test_a_selection_of_no_texts(self, shop, select):
        with pytest.raises(SelectionError, match=r"is text, or a list of texts"):
            Project.load(shop).run(select=select)

    @pytest.mark.parametrize("jobs", [0, -1, "x", 1.5])
    @pytest.mark.parametrize("work", ["run", "build"])
    def test_a_number_of_jobs_that_builds_nothing(self, shop, work, jobs):
        with pytest.raises(ConfigError, match="`jobs` is a number from 1 on"):
            getattr(Project.load(shop), work)(jobs=jobs)

    def test_an_environment_is_looked_up_at_once(self, shop):
        with pytest.raises(ProfileError, match="no profile 'x'"):
            Project.load(shop, env="x")

    def test_one_kind_is_listed_by_its_name(self, shop):
        project = Project.load(shop)
        assert project.ls(resource="seed") == project.ls(resource=["seed"]) != project.ls()

    def test_a_part_of_the_graph(self, shop):
        dag = Project.load(shop).dag(select="orders+")
        assert dag.order == ["orders", "revenue_by_customer"]
        assert "customers]" not in dag.mermaid

    def test_load_reads_and_open_does_not(self, shop):
        (shop / "project.yml").write_text("nonsense: 1\n")
        open_project(shop)
        with pytest.raises(ConfigError, match="nonsense"):
            Project.load(shop)

    def test_events_reach_the_caller(self, shop):
        heard = []
        Project.load(shop, progress=heard.append).run(select="orders")
        kinds = [type(event).__name__ for event in heard]
        assert kinds == ["RunStarted", "ModelStarted", "StatementStarted", "ModelResult", "RunReport"]

    def test_an_unknown_environment_is_an_error_for_every_call(self, shop):
        project = open_project(shop, env="nope")
        for call in (project.run, project.test, project.seed, project.dag, project.docs, project.compile):
            with pytest.raises(ProfileError, match="nope"):
                call()

    def test_an_engine_that_does_not_exist_is_an_error_for_every_call(self, shop, monkeypatch):
        def require_refusal(project):
            for call in (project.run, project.test, project.seed, project.dag, project.docs, project.compile):
                with pytest.raises(PluginError, match="'nope'"):
                    call()

        require_refusal(open_project(shop, engine="nope"))
        monkeypatch.setenv("FF_ENGINE", "nope")
        require_refusal(open_project(shop))

    def test_failed_checks_can_be_raised(self, shop):
        project = Project.load(shop)
        project.run()
        project.test().require_ok()
        with (shop / "project.yml").open("a") as file:
            file.write(
                "  - {type: row_count_between, table: orders, min: 99}\n  - {type: unique, table: x, column: y}\n"
            )
        with pytest.raises(TestFailureError, match="Data-quality tests failed: ") as caught:
            project.test().require_ok()
        assert caught.value.failed == ["row_count_between orders", "unique x.y"]

    def test_it_prints_as_folder_and_environment_only(self, shop):
        assert (
            repr(Project.load(shop, env="default"))
            == f"Project(workspace=Workspace(root={shop.resolve()!r}, env='default', engine=None))"
        )


class TestAgainAndAgain:
    def test_used_twice(self, shop):
        project = Project.load(shop)
        assert project.run().ok
        assert project.run().ok

    def test_edits_between_calls_are_seen(self, shop):
        project = Project.load(shop)
        project.run()
        (shop / "models" / "orders.ff.sql").write_text("select 77 as order_id, 1 as customer_id, 0 as amount")
        assert project.run().ok
        assert project.show("orders").rows == [(77, 1, 0)]
        (shop / "models" / "extra.ff.sql").write_text("select 1 as n")
        assert "extra" in project.dag().order

    def test_python_models_are_loaded_anew(self, shop):
        path = shop / "models" / "p.ff.py"
        code = (
            "from flowforge import model\nfrom flowforge_testkit.sqlite.frames import Frame\n"
            "@model()\ndef p():\n    return Frame(('n',), [{'n': 1}])\n"
        )
        project = Project.load(shop)
        path.write_text(code)
        project.run(select="p")
        path.write_text(code.replace("'n': 1", "'n': 2"))
        project.run(select="p")
        assert project.show("p").rows == [(2,)]

    def test_a_failure_leaves_it_usable(self, shop):
        project = Project.load(shop)
        path = shop / "models" / "orders.ff.sql"
        good = path.read_text()
        path.write_text("select nope")
        assert project.run().count(Status.FAILED) == 1
        path.write_text(good)
        assert project.run().ok


class TestThreads:
    def test_two_threads_on_one_project(self, shop):
        project = Project.load(shop)
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda _: project.run(), range(6)))
        assert all(report.ok for report in reports)
        assert len({report.run_id for report in reports}) == 6

    def test_two_projects_on_one_duckdb_file(self, seeded_shop, tmp_path):
        folder = shutil.copytree(seeded_shop, tmp_path / "duck")
        (folder / "profiles.yml").write_text("default:\n  engine: duckdb\n  duckdb: {path: data.duckdb}\n")
        open_project(folder).seed()
        start = Barrier(2)

        def run(_):
            project = Project.load(folder)
            start.wait()
            return [project.run() for _ in range(3)]

        with ThreadPoolExecutor(2) as pool:
            reports = [report for reports in pool.map(run, range(2)) for report in reports]
        assert [report.ok for report in reports] == [True] * 6
        assert len(open_project(folder).show("orders").rows) == 4

    def test_interrupt_without_anything_running(self, shop):
        Project.load(shop).target.interrupt()

    def test_interrupt_cancels_the_statement_of_another_thread(self, shop):
        endless = "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) as n from r"
        project = Project.load(shop)
        with project.target.container() as container, ThreadPoolExecutor(1) as pool:
            running = pool.submit(container.engine().session.query, endless)
            while not running.done():
                # One that comes before the statement has begun cancels nothing.
                project.target.interrupt()
        assert running.exception().kind is ErrorKind.CANCELLED


class TestInMemory:
    def test_data_is_kept_between_calls_and_gone_after_close(self, shop):
        with Project.load(in_memory(shop)) as project:
            assert not project.target.is_in_memory()
            project.seed()
            assert project.target.is_in_memory()
            assert project.run().ok
            assert len(project.show("orders").rows) == 4
        with pytest.raises(SelectionError):
            project.show("orders")
        project.close()
        project.close()

    def test_two_objects_share_nothing(self, shop):
        with Project.load(in_memory(shop)) as one, Project.load(shop) as other:
            one.seed()
            assert not other.run().ok

    def test_a_file_is_closed_after_every_call(self, shop):
        project = Project.load(shop)
        project.run()
        assert not project.target.is_in_memory()


class TestFiles:
    def test_compile_writes_below_the_project(self, shop):
        written = Project.load(shop).compile()
        assert written["orders"] == (shop / ".flowforge/compiled/models/orders.sql").resolve()
        assert written["orders"].read_text().startswith("create table `orders` as select")

    def test_the_graph_and_the_site(self, shop, tmp_path):
        project = Project.load(shop)
        assert project.workspace.write_dag(Asked())[1] == (shop / ".flowforge/docs/dag.mmd").resolve()
        assert project.docs().is_file()
        assert project.docs(tmp_path / "site", select="orders").parent == tmp_path / "site"

    def test_a_site_needs_no_profile(self, shop):
        (shop / "profiles.yml").unlink()
        assert Project.load(shop).docs().is_file()

    def test_a_site_needs_no_installed_engine(self, shop):
        (shop / "profiles.yml").write_text("default: {engine: oracle, oracle: {}}\n")
        assert Project.load(shop).docs().is_file()

    def test_what_cannot_be_written_is_the_users_to_mend(self, shop):
        Project.load(shop)
        shutil.rmtree(shop / ".flowforge")
        (shop / ".flowforge").write_text("a file")
        project = Project.load(shop)
        for call in (lambda: project.workspace.write_dag(Asked()), project.docs, project.compile):
            with pytest.raises(ConfigError, match="cannot be written"):
                call()
        assert project.run().ok


class TestPaths:
    @pytest.mark.parametrize("spelling", ["shop", "./shop/", "shop/../shop", "link"])
    def test_any_spelling(self, shop, tmp_path, monkeypatch, spelling):
        (tmp_path / "link").symlink_to(shop)
        monkeypatch.chdir(tmp_path)
        assert Project.load(spelling).workspace.root == shop.resolve()
        assert Project.load(spelling).run().ok

    def test_the_current_folder(self, shop, monkeypatch):
        monkeypatch.chdir(shop)
        assert Project.load().run().ok

    def test_spaces_and_umlauts(self, shop, tmp_path):
        odd = shop.rename(tmp_path / "mein Lädchen '\"$x")
        assert Project.load(odd).run().ok

    @pytest.mark.parametrize("what", ["missing", "file", "empty"])
    def test_no_project(self, tmp_path, what):
        (tmp_path / "file").write_text("")
        (tmp_path / "empty").mkdir()
        with pytest.raises(ConfigError) as caught:
            Project.load(tmp_path / what)
        assert "flowforge" in caught.value.hint

    def test_only_models(self, tmp_path):
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "a.ff.sql").write_text("select 1 as n")
        (tmp_path / "profiles.yml").write_text("default: {engine: sqlite, sqlite: {path: a.db}}\n")
        project = Project.load(tmp_path)
        assert project.run().ok
        assert list(project.seed().results) == []
        assert project.test().ok

    def test_a_target_that_is_a_folder(self, shop):
        (shop / "profiles.yml").write_text("default: {engine: sqlite, sqlite: {path: models}}\n")
        with pytest.raises(EngineError):
            Project.load(shop).run()

    def test_every_error_is_a_flowforge_error(self):
        assert issubclass(ProfileError, FlowForgeError)
        assert Path(open_project(".").workspace.root).is_absolute()


class TestVariables:
    @pytest.fixture
    def shop(self, shop):
        (shop / "project.yml").write_text("vars: {least: 1, most: 2}\n")
        (shop / "models" / "chosen.ff.sql").write_text(
            "select {{ var('least') }} as least, {{ var('most') }} as most\n"
        )
        return shop

    def compiled(self, shop, **options):
        return Project.load(shop, **options).compile("chosen")["chosen"].read_text()

    def test_what_is_given_goes_before_the_projects(self, shop):
        assert "select 1 as least, 2 as most" in self.compiled(shop)
        assert "select 7 as least, 2 as most" in self.compiled(shop, vars={"least": 7})

    def test_run_and_site_see_them(self, shop):
        project = Project.load(shop, vars={"least": 41})
        assert project.run("chosen").ok
        assert project.show("chosen").rows == [(41, 2)]
        assert "select 41" in "".join(page.read_text() for page in project.docs().parent.rglob("*chosen*"))

    def test_one_that_nothing_reads_is_misspelt(self, shop):
        with pytest.raises(ConfigError, match=r"reads the variable 'leats'\.\nDid you mean 'least'\?"):
            Project.load(shop, vars={"leats": 1})

    def test_they_are_no_text(self, shop):
        with pytest.raises(ConfigError, match="`vars` maps names to values"):
            Project.load(shop, vars="{start: 2026}")

    def test_a_value_is_not_told(self, shop):
        assert "hunter2" not in repr(Project.load(shop, vars={"least": "hunter2"}))
