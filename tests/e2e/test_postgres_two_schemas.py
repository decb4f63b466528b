"""Two profiles on one database of PostgreSQL, each with a schema, and models that name a third: to each its own."""

from __future__ import annotations

import postgres_server
import pytest

PROFILES = """
prod: {engine: postgres, postgres: {dsn: "{{ env_var('FF_PG_DSN') }}", db_schema: Prod}}
dev: {engine: postgres, postgres: {dsn: "{{ env_var('FF_PG_DSN') }}", db_schema: dev}}
"""
MODELS = {
    "src": "select '{{ target.name }}' as env, 1 as id",
    "cust": "{{ config(schema='marts') }} select * from {{ ref('src') }}",
    "inc": "{{ config(schema='marts', materialized='incremental') }} select * from {{ ref('src') }}",
    "snp": "{{ config(schema='marts', materialized='snapshot', unique_key='id', strategy='check') }}"
    " select * from {{ ref('src') }}",
}


@pytest.fixture
def dsn():
    made = postgres_server.new_database()
    yield made
    postgres_server.drop_database(made)


@pytest.fixture
def flowforge(dsn, in_shell, tmp_path):
    for folder in ("models", "seeds"):
        (tmp_path / folder).mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(PROFILES, encoding="utf-8")
    for name, text in MODELS.items():
        (tmp_path / "models" / f"{name}.ff.sql").write_text(text, encoding="utf-8")

    def run(command, code=0, **variables):
        done = in_shell(f"flowforge {command}", tmp_path, FF_PG_DSN=dsn, NO_COLOR="1", COLUMNS="200", **variables)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def rows(dsn):
    return [postgres_server.run(f"select env from marts.{name}", dsn) for name in ("cust", "inc", "snp")]


def test_what_one_profile_has_built_the_other_leaves_alone(flowforge, dsn, tmp_path):
    (tmp_path / "seeds" / "fx.csv").write_text("a\n2\n", encoding="utf-8")
    hook = "name: shop\non_run_start: create table if not exists {{ target.name }}_log (n int)\n"
    (tmp_path / "project.yml").write_text(hook, encoding="utf-8")
    flowforge("build --env prod")
    for command in ("run", "build", "build -s inc+ -s cust -s snp -s src"):
        said = flowforge(f"{command} --env dev", code=1)
        for name in ("cust", "inc", "snp"):
            by = f"marts.{name} is built by runs on the schema Prod, as {name} of project shop."
            assert said.count(f"  models/{name}.ff.sql: {by}") == 1
        assert said.count('drop table "Prod"."_flowforge_state"') == said.count("Nothing was written") == 1
        assert "which FlowForge did not make" not in said
    tables = "select table_name from information_schema.tables where table_schema = 'dev'"
    assert {name for (name,) in postgres_server.run(tables, dsn)} <= {"_flowforge_state"}
    assert rows(dsn) == [[("prod",)]] * 3
    assert "built: 1" in flowforge("run --env dev -s src")
    assert "is built by runs on the schema Prod" in flowforge("why inc --env dev")
    assert "failed: 0" in flowforge("run --env prod")


def test_another_schema_for_each_or_none_that_runs_on_the_other_any_more_is_the_way_out(flowforge, dsn, tmp_path):
    flowforge("run --env prod")
    project = "name: shop\ndefaults:\n  schema: \"{{ env_var('MARTS_SCHEMA', 'marts') }}\"\n"
    (tmp_path / "project.yml").write_text(project, encoding="utf-8")
    for name, text in MODELS.items():
        (tmp_path / "models" / f"{name}.ff.sql").write_text(text.replace("schema='marts', ", ""), encoding="utf-8")
    (tmp_path / "models" / "cust.ff.sql").write_text(MODELS["cust"].partition("}}")[2], encoding="utf-8")
    flowforge("run --env dev", MARTS_SCHEMA="dev_marts")
    assert rows(dsn) == [[("prod",)]] * 3
    postgres_server.run('drop table "Prod"."_flowforge_state"', dsn)
    said = flowforge("run --env dev", code=1)
    assert "marts.cust is a table with rows that no run of FlowForge has built" in said
    way = "run --full-refresh --select cust --env dev"
    assert f"or replace it: flowforge {way}" in said
    assert "cust replaces the table marts.cust, which FlowForge did not make" in flowforge(way)


def test_each_has_its_own_where_names_follow_the_schema_of_the_profile(flowforge, dsn, tmp_path):
    project = 'name: shop\nfolders:\n  marts: {schema: "{{ target.schema }}_marts"}\n'
    (tmp_path / "project.yml").write_text(project, encoding="utf-8")
    (tmp_path / "models" / "marts").mkdir()
    for name in ("cust", "inc", "snp"):
        text = MODELS[name].replace("{{ config(schema='marts') }}", "").replace("schema='marts', ", "")
        (tmp_path / "models" / "marts" / f"{name}.ff.sql").write_text(text, encoding="utf-8")
        (tmp_path / "models" / f"{name}.ff.sql").unlink()
    flowforge("build --env prod")
    flowforge("build --env dev")
    for schema, env in (("Prod", "prod"), ("dev", "dev")):
        for name in ("cust", "inc", "snp"):
            assert postgres_server.run(f'select env from "{schema}_marts".{name}', dsn) == [(env,)]


def test_a_seed_is_not_loaded_over_what_the_other_has_built(flowforge, dsn, tmp_path):
    (tmp_path / "models" / "fx.ff.sql").write_text("{{ config(schema='dev') }} select 1 as a", encoding="utf-8")
    flowforge("run --env prod -s fx")
    (tmp_path / "models" / "fx.ff.sql").unlink()
    (tmp_path / "seeds" / "fx.csv").write_text("a\n2\n", encoding="utf-8")
    assert "seeds/fx.csv" in (said := flowforge("seed --env dev", code=1))
    assert "fx is built by runs on the schema Prod, as fx of project shop." in said
    assert postgres_server.run("select a from dev.fx", dsn) == [(1,)]


def test_a_schema_that_is_the_other_ones_own_is_told_too(flowforge, dsn, tmp_path):
    (tmp_path / "models" / "src.ff.sql").write_text("{{ config(schema='dev') }} " + MODELS["src"], encoding="utf-8")
    flowforge("run --env dev -s src")
    assert "dev.src is built by runs on the schema dev, as src" in flowforge("run --env prod -s src", code=1)


@pytest.mark.parametrize(
    "newer",
    [
        'alter table "Prod"."_flowforge_state" add column more text',
        """update "Prod"."_flowforge_state" set state = '{"version": 99}'""",
    ],
    ids=["table", "row"],
)
def test_where_the_other_ones_state_cannot_be_read_what_it_may_have_built_stays(flowforge, dsn, newer, tmp_path):
    (tmp_path / "models" / "fx.ff.sql").write_text("{{ config(schema='dev') }} select 1 as a", encoding="utf-8")
    flowforge("run --env prod")
    postgres_server.run(newer, dsn)
    said = flowforge("run --env dev", code=1)
    for name in ("cust", "inc", "snp"):
        assert f"{name}.ff.sql" in said
        assert f"marts.{name} may be built by runs on the schema Prod: another version of FlowForge wrote" in said
    assert 'if nothing runs on that schema any more: drop table "Prod"."_flowforge_state"' in said
    assert "✓ src" in said
    assert rows(dsn) == [[("prod",)]] * 3
    assert "may be built by runs on the schema Prod" in flowforge("why cust --env dev")
    (tmp_path / "models" / "fx.ff.sql").unlink()
    (tmp_path / "seeds" / "fx.csv").write_text("a\n2\n", encoding="utf-8")
    assert "fx may be built by runs on the schema Prod" in flowforge("seed --env dev", code=1)
    assert postgres_server.run("select a from dev.fx", dsn) == [(1,)]
