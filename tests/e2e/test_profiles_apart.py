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
