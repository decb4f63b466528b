"""What others write to a DuckDB file is seen, whatever its catalog says, and what FlowForge itself does is no alarm."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from flowforge import Project

REPLACE = "create or replace table orders as select 'x' as name"


@pytest.fixture
def shop(new_project):
    shop = new_project(
        {
            "seeds/names.csv": "name\nann\n",
            "models/orders.ff.sql": "select name from {{ ref('names') }}\n",
            "models/total.ff.sql": "select count(*) as n from {{ ref('orders') }}\n",
        }
    )
    with Project.load(shop) as project:
        assert project.seed().results
    assert run(shop) == ["built", "built"]
    assert run(shop) == ["unchanged", "unchanged"]
    return shop


def run(shop, select=None):
    with Project.load(shop) as project:
        return [result.status.value for result in project.run(select).results]


def others(shop, sql):
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute(sql)


def names(shop):
    with duckdb.connect(str(shop / "shop.duckdb"), read_only=True) as connection:
        return connection.execute("select name from orders").fetchall()


@pytest.mark.parametrize("sql", [REPLACE, "update orders set name = 'x'"])
def test_what_others_may_have_changed_is_built_anew_once(shop, sql):
    others(shop, sql)
    assert names(shop) == [("x",)]
    assert run(shop) == ["built", "built"]
    assert names(shop) == [("ann",)]
    assert run(shop) == ["unchanged", "unchanged"]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("begin; create table mine (n int)", "commit")])
def test_what_this_process_writes_after_a_run_is_seen(shop, before, after):
    """Its connection keeps the database open when the run has closed its own."""
    (shop / "models/more.ff.sql").write_text("select 1 as one\n")
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute(before or "select 1")
        assert run(shop) == ["built", "unchanged", "unchanged"]
        connection.execute(after or "select 1")
        connection.execute("update orders set name = 'x'")
    assert run(shop) == ["built"] * 3
    assert names(shop) == [("ann",)]
    assert run(shop) == ["unchanged"] * 3


def test_what_this_process_only_reads_after_a_run_is_no_alarm(shop):
    (shop / "models/more.ff.sql").write_text("select 1 as one\n")
    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        assert run(shop, "more") == ["built"]
        assert connection.execute("select one from more").fetchall() == [(1,)]
        assert run(shop) == ["unchanged"] * 3
    assert run(shop) == ["unchanged"] * 3


def test_rows_of_a_seed_that_others_changed_are_read_anew_once(shop):
    others(shop, "update names set name = 'eve'")
    assert run(shop) == ["built", "built"]
    assert names(shop) == [("eve",)]
    assert run(shop) == ["unchanged", "unchanged"]


def test_commands_that_only_look_do_not_hide_it(shop, in_shell):
    others(shop, REPLACE)
    for look in ("show total", "test", "debug", "clean --dry-run"):
        assert in_shell(f"flowforge {look}", shop).returncode == 0
    told = in_shell("flowforge why orders", shop).stdout
    assert "others may have written to orders since it was built" in told
    ran = in_shell("flowforge run", shop)
    assert "others have written to shop.duckdb: 2 models that they may have changed are built anew" in ran.stderr
    assert names(shop) == [("ann",)]


def test_a_part_that_is_built_does_not_vouch_for_the_rest(shop):
    others(shop, REPLACE)
    assert run(shop, "total") == ["built"]
    with Project.load(shop) as project:
        assert project.seed().results
    assert run(shop) == ["built", "built"]
    assert names(shop) == [("ann",)]


def test_what_flowforge_does_and_what_is_only_read_is_no_alarm(shop, in_shell):
    for words in ("debug", "seed", "test", "show total", "clean"):
        assert in_shell(f"flowforge {words}", shop).returncode == 0, words
    assert names(shop) == [("ann",)]
    others(shop, "select 1")
    (shop / "shop.duckdb").rename(shop / "moved.duckdb")
    (shop / "shop.duckdb.seal").rename(shop / "moved.duckdb.seal")
    (shop / "profiles.yml").write_text("default: {engine: duckdb, duckdb: {path: moved.duckdb}}\n")
    assert run(shop) == ["unchanged", "unchanged"]


@pytest.mark.parametrize("at", [2, 7])
def test_a_run_of_ours_that_was_killed_is_no_alarm(shop, environment, at):
    (shop / "models/more.ff.sql").write_text("select 1 as one\n")
    fails = {"FLOWFORGE_TEST_FAILPOINTS": "1", "FLOWFORGE_FAILPOINT": f"*:{at}:kill"}
    ended = subprocess.run([sys.executable, "-m", "flowforge", "run"], cwd=shop, env=environment | fails, check=False)
    assert ended.returncode == -9
    assert run(shop, "orders total") == ["unchanged", "unchanged"]


def test_without_a_seal_the_catalog_is_believed(shop):
    (shop / "shop.duckdb.seal").unlink()
    assert run(shop) == ["unchanged", "unchanged"]
    assert (shop / "shop.duckdb.seal").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"identity": 1}', "\x00"])
def test_a_seal_that_says_nothing_is_none(shop, text):
    (shop / "shop.duckdb.seal").write_text(text)
    assert run(shop) == ["unchanged", "unchanged"]
