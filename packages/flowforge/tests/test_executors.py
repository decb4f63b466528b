from __future__ import annotations

import pytest

from flowforge.core import REGISTRY, Node, Registry
from flowforge.errors import ConfigError, FlowForgeError, PluginError, TemplateError
from flowforge.executors.base import BaseExecutor, EngineExecutor
from flowforge.executors.duckdb_exec import DuckExecutor
from flowforge.seeding import seed_project


@pytest.fixture
def executor(example):
    REGISTRY.load_project(example)
    opened = DuckExecutor()
    seed_project(example, opened)
    yield opened
    opened.close()


def run(executor, *wanted):
    """Run nodes, or those of these names."""
    for node in (one if isinstance(one, Node) else REGISTRY.nodes[one] for one in wanted):
        if node.kind == "sql":
            executor.run_sql(node, REGISTRY.env)
        else:
            executor.run_python(node)


class TestDuckExecutor:
    def test_sql_and_python(self, executor):
        run(executor, "users", "users_enriched", "marts_daily")
        assert executor.con.execute("select id, is_gmail from mart_users order by id").fetchall() == [
            (1, False),
            (2, True),
            (3, True),
        ]

    def test_a_path_is_a_file(self, tmp_path):
        opened = DuckExecutor(db_path=str(tmp_path / "x.duckdb"))
        opened.close()
        assert (tmp_path / "x.duckdb").is_file()

    def test_a_failure_is_raised_and_nothing_is_left(self, executor):
        with pytest.raises(FlowForgeError, match=r"models/marts_daily\.ff\.sql:3"):
            run(executor, "marts_daily")
        assert "mart_users" not in executor.engine.catalog.relations()

    def test_rendering_with_other_resolvers(self, executor):
        node = REGISTRY.nodes["marts_daily"]
        assert 'from "users_enriched"' in executor.render_sql(node, REGISTRY.env)
        text = executor.render_sql(node, REGISTRY.env, ref_resolver=lambda name: f"prod.{name}")
        assert "from prod.users_enriched" in text
        users = REGISTRY.nodes["users"]
        assert "from a.b" in executor.render_sql(users, REGISTRY.env, source_resolver=lambda *key: "a.b")

    def test_rendering_knows_what_every_model_knows(self, executor, example, monkeypatch):
        monkeypatch.setenv("REGION", "eu")
        (example / "project.yml").write_text("vars: {least: 5}\n")
        path = example / "models" / "all.ff.sql"
        path.write_text(
            "{{ config(tags=['x']) }}select {{ var('least') }}, '{{ env_var('REGION') }}', "
            "'{{ target.engine }}' -- {{ this }}"
        )
        REGISTRY.load_project(example)
        expected = "select 5, 'eu', 'duckdb' -- \"all\""
        assert executor.render_sql(REGISTRY.nodes["all"], REGISTRY.env) == expected
        assert REGISTRY.env.from_string("{{ var('least') }} {{ env_var('REGION') }}").render() == "5 eu"

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("select\n{% if x %}", "a.ff.sql:2: 'if' is never closed."),
            ("select\n{{ nope }}", "a.ff.sql:2: 'nope' is undefined."),
            ("select\n{{ var('nope') }}", "a.ff.sql:2: There is no variable 'nope'."),
            ("select\n{{ env_var('MY_PASSWORD') }}", "a.ff.sql:2: "),
            ("select\n{{ 1 / 0 }}", "a.ff.sql:2: Division by zero."),
        ],
        ids=["syntax", "undefined", "variable", "secret", "arithmetic"],
    )
    def test_what_is_wrong_in_a_template_has_its_place(self, executor, tmp_path, text, place):
        (tmp_path / "a.ff.sql").write_text(text)
        with pytest.raises(TemplateError) as caught:
            executor.render_sql(Node("a", "sql", tmp_path / "a.ff.sql", file="a.ff.sql"), REGISTRY.env)
        assert str(caught.value).startswith(place)

    @pytest.mark.parametrize("kind", ["sql", "python"])
    def test_without_a_project(self, tmp_path, kind):
        vars(REGISTRY).update(vars(Registry()))
        opened = DuckExecutor()
        node = Node("a", kind, tmp_path / "a.ff.sql")
        with pytest.raises(ConfigError, match=r"No project is loaded\.\nLoad one first: REGISTRY\.load_project"):
            run(opened, node)
        opened.close()


class TestOwnExecutor:
    def test_reading_and_writing_can_be_overridden(self, executor):
        heard = []

        class Listening(EngineExecutor):
            def _read_relation(self, relation, node, deps):
                heard.append(("read", relation, node.name, list(deps)))
                return super()._read_relation(relation, node, deps).head(1)

            def _materialize_relation(self, relation, df, node):
                heard.append(("write", relation, node.name, len(df)))
                return super()._materialize_relation(relation, df, node)

        run(executor, "users")
        own = Listening("duckdb", {"path": ":memory:"})
        own.engine.session.close()
        own.engine = executor.engine
        run(own, "users_enriched")
        assert heard == [
            ("read", "users", "users_enriched", ["users"]),
            ("write", "users_enriched", "users_enriched", 1),
        ]

    def test_both_methods_are_required(self):
        class Half(BaseExecutor):
            def _read_relation(self, relation, node, deps): ...

        with pytest.raises(TypeError, match="_materialize_relation"):
            Half("duckdb", {})

    def test_an_engine_that_is_not_installed(self):
        with pytest.raises(PluginError):
            EngineExecutor("oracle", {})


class TestSeeding:
    def test_it_counts_the_seeds(self, executor, example):
        assert seed_project(example, executor) == 2
        assert executor.con.execute("select count(*) from seed_users").fetchall() == [(3,)]

    def test_into_a_schema(self, executor, example):
        assert seed_project(example, executor, schema="raw") == 2
        assert executor.con.execute("select count(*) from raw.seed_orders").fetchall() == [(2,)]
