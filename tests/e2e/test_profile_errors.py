"""What is wrong with a target is told with the line of `profiles.yml` that names it, or the variable over it."""

from __future__ import annotations

import pytest

from flowforge_cli.main import main

DUCKDB = "default:\n  engine: duckdb\n  duckdb:\n    {}\n"
POSTGRES = "default:\n  engine: postgres\n  postgres:\n    {}\n"
NOWHERE = "dsn: postgresql://me:hunter2@127.0.0.1:1/shop"

WRONG = {
    DUCKDB.format("memory_limit: lots"): (
        "✗ profiles.yml:4: Profile 'default': duckdb.memory_limit: must be a number and its unit, such as 4GB or 5"
    ),
    DUCKDB.format("threads: many"): "✗ profiles.yml:4: Profile 'default': 'duckdb.threads' must be a whole number.",
    DUCKDB.format("path: ''"): "✗ profiles.yml:4: Profile 'default': 'duckdb.path' is empty.",
    DUCKDB.format("path: project.yml"): "✗ profiles.yml:3: project.yml is not a DuckDB database.",
    POSTGRES.format(NOWHERE): '✗ profiles.yml:3: connection to server at "127.0.0.1", port 1 failed',
    POSTGRES.format("dsn: postgresql://me:hunt@er2@127.0.0.1/shop"): "✗ profiles.yml:3: The dsn cannot be read.",
    "default: {engine: databricks_spark,\n  databricks_spark: {database: my data}}": (
        "✗ profiles.yml:2: Profile 'default': databricks_spark.database: must be a name of letters, digits and _ alone"
    ),
    "": "✗ profiles.yml:1: The file is empty: it names no target.\nWrite a profile, for example: default: {",
    "# default: {engine: duckdb}\n": "✗ profiles.yml:1: The file is empty: it names no target.",
}


@pytest.fixture
def told(new_project, monkeypatch, capsys):
    """Run a model under a profile that is wrong, and return what is said of it."""
    for name in ("FF_ENGINE", "FF_DUCKDB_PATH", "FF_PG_DSN", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)

    def run(profiles, **variables):
        monkeypatch.chdir(new_project({"profiles.yml": profiles, "models/a.ff.sql": "select 1 as x"}))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert main(["run"]) == 1
        said = capsys.readouterr().err
        assert "hunt" not in said
        return said

    return run


@pytest.mark.parametrize("profiles", WRONG)
def test_the_line_is_named(told, profiles):
    assert told(profiles).startswith(WRONG[profiles])


def test_a_variable_that_overrides_a_setting_is_named_in_its_place(told):
    said = told(POSTGRES.format("dsn: postgresql://here/shop"), FF_PG_DSN="postgresql://me:hunter2@127.0.0.1:1/shop")
    assert said.startswith("✗ FF_PG_DSN: connection to server")
    assert told(DUCKDB.format("threads: 1"), FF_DUCKDB_PATH="project.yml").startswith("✗ FF_DUCKDB_PATH: project.yml")
    assert told("", FF_ENGINE="duckdb", FF_DUCKDB_PATH="project.yml").startswith("✗ FF_DUCKDB_PATH: project.yml")


def test_credentials_that_are_nowhere_are_no_fault_of_the_project_s_name(told, tmp_path):
    profile = "default: {engine: bigquery, bigquery: {project: \"{{ env_var('FF_BQ_PROJECT') }}\", dataset: d}}"
    nowhere = {"CLOUDSDK_CONFIG": str(tmp_path), "HOME": str(tmp_path), "NO_GCE_CHECK": "true", "FF_BQ_PROJECT": "ours"}
    said = told(profile, **nowhere)
    assert said.startswith("✗ Application Default Credentials: Your default credentials were not found.")
    assert said.splitlines()[-1].startswith("Log in with `gcloud auth application-default login`")
    said = told(profile, **nowhere, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json"))
    assert said.startswith(f"✗ GOOGLE_APPLICATION_CREDENTIALS: File {tmp_path / 'key.json'} was not found.")
    assert said.splitlines()[1:] == ["Let it name the JSON file of a key, or unset it."]
    assert "FF_BQ_PROJECT" not in said


def test_only_a_variable_of_nearly_that_name_is_meant(told):
    """What else is set is not shown: names of variables tell of what a machine has."""
    text = DUCKDB.format("path: \"{{ env_var('SHOP_DB') }}\"")
    plain = "✗ profiles.yml:4: Profile 'default': The environment variable 'SHOP_DB' is not set.\nSet it"
    assert told(text, SHOP_OTHER_THING="x", SHIPPING="x").startswith(plain)
    assert "not set. Did you mean 'SHOP_DBS'?\n" in told(text, SHOP_DBS="x.duckdb")


def test_debug_names_it_too(told, capsys):
    told(POSTGRES.format(NOWHERE))
    assert main(["debug"]) == 1
    assert "✗ target      profiles.yml:3: connection to server" in capsys.readouterr().out
