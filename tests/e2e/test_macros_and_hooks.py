"""examples/macros_and_hooks on more engines than its own: the macros and hooks mean the same on each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import postgres_server
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "macros_and_hooks"
SQLITE = "default: {engine: sqlite, sqlite: {path: .local/data.sqlite}}\n"


@pytest.fixture(params=["duckdb", "sqlite", "postgres"])
def engine(request):
    return request.param


@pytest.fixture
def flowforge(engine, tmp_path, in_shell):
    """Run a command on a copy of the example, on one engine."""
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".flowforge", ".local"))
    if engine == "sqlite":
        (tmp_path / "shop" / "profiles.yml").write_text(SQLITE)
    dsn = postgres_server.new_database() if engine == "postgres" else ""

    def run(command, code=0):
        env = " --env postgres" if dsn else ""
        answer = in_shell(f"flowforge {command}{env}", tmp_path, FF_PG_DSN=dsn)
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer.stdout

    yield run
    if dsn:
        postgres_server.drop_database(dsn)


def test_macros_are_the_engines_and_hooks_run_around(flowforge, engine, tmp_path):
    flowforge("seed shop")
    flowforge("run shop")
    flowforge("test shop")
    shown = flowforge("show revenue_by_month shop --log-format json")
    rows = [json.loads(line)["data"] for line in shown.splitlines()]
    found = {row["month"]: int(float(row["revenue_cents"])) for row in rows}
    assert found == {"2026-01": 1475, "2026-02": 810}
    report = json.loads((tmp_path / "shop" / ".local" / "last_run.json").read_text())
    assert report == {"engine": engine, "models": {"orders": "built", "revenue_by_month": "built"}}
    assert flowforge("show row_log shop").endswith("2 rows\n")
    flowforge("run shop")
    assert flowforge("show run_log shop").endswith("4 rows\n")


def test_a_variable_reaches_the_macro_and_a_failed_hook_its_model(flowforge, tmp_path):
    flowforge("seed shop")
    flowforge("run shop --vars '{least_amount: 5}'")
    assert flowforge("show orders shop").endswith("2 rows\n")
    (tmp_path / "shop" / "macros" / "logging.sql").write_text(
        (EXAMPLE / "macros" / "logging.sql").read_text().replace("row_log", "no_log")
    )
    said = flowforge("run shop", code=1)
    assert "Model 'orders' failed in its post_hook" in said
    assert "project.yml:" in said
    assert flowforge("show orders shop").endswith("2 rows\n")


def test_rows_that_a_post_hook_takes_away_are_no_work_of_others(new_project, in_shell):
    hook = '{{ config(post_hook="delete from {{ this }} where x = 1") }} select 1 as x union all select 2'
    folder = new_project({"models/j.ff.sql": hook, "models/k.ff.sql": "select * from {{ ref('j') }}"})
    built = in_shell("flowforge run", folder).stdout
    assert built.count(" 1 row ") == 2
    assert json.loads((folder / ".flowforge/run_results.json").read_text("utf-8"))["results"][0]["rows"] == 1
    again = in_shell("flowforge run && flowforge run --verify", folder)
    assert (again.stdout + again.stderr).count("unchanged: 2") == 2
    assert "!" not in again.stdout + again.stderr


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_what_a_hook_sets_in_its_session_is_for_no_other_model(new_project, in_shell, engine, jobs):
    inner = "select cast(timestamptz '2026-01-01 00:00:00+00' as varchar) as t"
    zone = """{{ config(pre_hook="set TimeZone = 'Asia/Tokyo'") }} """
    models = {f"models/b{i}.ff.sql": f"{inner}, a.x from {{{{ ref('a') }}}} as a" for i in range(6)}
    models["models/a.ff.sql"] = f"{zone} {inner}, 1 as x"
    models["models/all_of_them.ff.sql"] = " union all ".join(f"select t from {{{{ ref('b{i}') }}}}" for i in range(6))
    profile = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n"
    shop = new_project(models if engine == "duckdb" else models | {"profiles.yml": profile})
    with postgres_server.lent_database() as dsn:
        where = {"FF_PG_DSN": dsn, "NO_COLOR": "1"}
        ran = in_shell(f"flowforge run --jobs {jobs}", shop, **where)
        assert ran.returncode == 0, ran.stdout
        told = [in_shell(f"flowforge show {name}", shop, **where).stdout for name in ("a", "all_of_them")]
    assert [text.count("09:00:00+09") for text in told] == [1, 0]
