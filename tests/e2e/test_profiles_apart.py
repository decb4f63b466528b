"""Two profiles of one project: what is asked of the last run is asked of the last one on the profile."""

from __future__ import annotations

import pytest

PROFILES = "".join(f"{name}: {{engine: duckdb, duckdb: {{path: {name}.duckdb}}}}\n" for name in ("default", "prod"))


@pytest.fixture
def shop(new_project):
    return new_project(
        {
            "project.yml": "name: shop\ntests:\n  - {type: row_count_between, table: good, max: 0}\n",
            "profiles.yml": PROFILES,
            "models/good.ff.sql": "select 1 as n",
            "models/fails.ff.sql": "select {{ 'nosuch' if target.name == 'prod' else 1 }} as n",
        }
    )


@pytest.fixture
def said(shop, in_shell):
    def run(command, code=0):
        done = in_shell(f"flowforge {command}", shop)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_results_are_those_of_the_last_run_on_the_profile(said):
    assert "nothing to compare with" in said("ls -s result:failed", 1)
    said("run --env prod", 1)
    told = said("run -s result:failed", 1)
    assert "'result:failed' has nothing to compare with. No run on profile 'default' is known; the last one, " in told
    assert "was on 'prod'." in told
    said("run")
    assert said("ls --env prod -s result:failed") == "fails\n"
    assert "unchanged: 1" in said("run --env prod -s 'result:built result:unchanged'")
    run = said("runs list --limit 1").split()[0]
    told = said("build --env prod -s 'result:failed+ result:skipped'", 1)
    assert f"The last run on profile 'prod', {run}, has no seed or model or test that is failed or skipped." in told
    assert said("ls -s result:built") == "fails\ngood\n"


def test_tests_too(said):
    said("test --env prod", 1)
    said("run")
    said("test", 2)
    assert said("ls -s result:failed --resource test") == "row_count_between good\n"
    assert said("ls --env prod -s result:error --resource test") == "row_count_between good\n"
    assert "of tests" in said("ls -s result:warned --resource test", 1)


NAMES = {
    "project.yml": 'name: shop\nfolders:\n  marts: {schema: "{{ target.name }}_marts"}\n',
    "sources.yml": 'raw:\n  days:\n    schema: "{{ target.schema }}"\n'
    "    identifier: \"{{ env_var('DAYS', 'good') }}_days\"\n",
    "models/marts/top.ff.sql": "select '{{ target.schema }}' as s, * from {{ ref('good') }}",
    "models/fails.ff.sql": "select * from {{ source('raw', 'days') }}",
    "models/good.ff.sql": "{{ config(post_hook='create table if not exists good_days (n int)') }} select 1 as n",
}


def test_the_profile_names_schemas_and_production_is_compared_with(said, shop):
    (shop / "models" / "marts").mkdir()
    for name, text in NAMES.items():
        (shop / name).write_text(text, encoding="utf-8")
    said("run -s good+ --env prod")
    said("run --env prod")
    assert "main" in said("show top --env prod")
    relations = {env: said(f"ls --env {env} -s top --output json") for env in ("prod", "default")}
    assert all(f'"relation": "{env}_marts.top"' in listed for env, listed in relations.items())
    (shop / ".flowforge").rename(shop / "production")
    assert said("ls -s state:unmodified --state production").split() == ["fails", "good", "top"]
    said("ls -s state:modified --state production", 1)
    said("compile --env prod")
    (shop / "project.yml").write_text(NAMES["project.yml"].replace("_marts", "_mart"), encoding="utf-8")
    assert said("ls -s state:modified.config --state production") == "top\n"


def test_a_command_that_needs_no_profile_asks_for_one_where_a_name_does(said, shop):
    (shop / "profiles.yml").write_text(PROFILES.replace("default", "dev"), encoding="utf-8")
    assert said("ls -s good") == "good\n"
    (shop / "models/good.ff.sql").write_text('{{ config(schema="{{ target.name }}_x") }} select 1 as n')
    told = said("ls -s good", 1)
    assert "There are several profiles and none is named 'default'." in told and "--env with one of: dev, prod." in told
    assert '"relation": "dev_x.good"' in said("ls -s good --env dev --output json")
    assert "There is no profile 'pord'." in said("ls --env pord", 1)
    said("run -s good --env prod")
