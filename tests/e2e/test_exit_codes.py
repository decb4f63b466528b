"""Every row of docs/reference/exit-codes.md, provoked with a real process: a row without a situation fails here."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (\d+) \| `(.+?)` \|$", PAGE, re.MULTILINE)

# 200 billion pairs: minutes of work, hardly any memory.
SLOW = "create or replace table slow as select sum(a.range * b.range % 7) as n from range(2000000) a, range(100000) b"

FOREIGN = """
from dataclasses import replace
from typing import Literal
from pydantic import BaseModel
from flowforge_ports.hooks import hookimpl
from flowforge_testkit.sqlite.plugin import SPEC

@hookimpl
def flowforge_engines():
    profile, opened = "foreign_plugin:Profile", "foreign_plugin:open_engine"
    return [replace(SPEC, name="foreign", distribution="foreign-engine", profile=profile, open=opened)]

class Profile(BaseModel):
    engine: Literal["foreign"]

def open_engine(profile, root, claim):
    return 1 / 0
"""

BY_PYTHON = "from flowforge import model\n@model(deps=['users']{more})\ndef p(df):\n    {body}\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def python_model(example, body="return df", more=""):
    write(example / "models/p.ff.py", BY_PYTHON.format(body=body, more=more))
    return "flowforge run --select p"


def sql_model(example, name, sql):
    write(example / f"models/{name}.ff.sql", sql)


def profile(example, text):
    write(example / "profiles.yml", f"default: {text}\n")


def all_tests_passed(example):
    return "flowforge test"


def all_models_built(example):
    return "flowforge run --select users --select orders --no-cache"


def nothing_to_do(example):
    empty = example / "empty"
    write(empty / "profiles.yml", "default: {engine: duckdb, duckdb: {path: a.duckdb}}\n")
    (empty / "models").mkdir()
    return "flowforge run empty"


def nothing_to_clean(example):
    return "flowforge clean"


def leftovers_in_use(example):
    hooks = ["alter table parent add primary key (n)", "create table child (n int references parent (n))"]
    sql_model(example, "parent", f"{{{{ config(post_hook={hooks}) }}}}\nselect 1 as n\n")
    return "flowforge run --select parent -q && rm models/parent.ff.sql && flowforge clean"


def reader_went_away(example):
    return "flowforge run --select users | head -n 1"


def missing_dependency(example):
    sql_model(example, "a", "select * from {{ ref('usrs') }}\n")
    sql_model(example, "b", "select * from {{ ref('nowhere') }} join {{ ref('users') }} using (id)\n")
    return "flowforge run"


def cycle(example):
    sql_model(example, "a", "select * from {{ ref('b') }}\n")
    sql_model(example, "b", "select * from {{ ref('a') }}\n")
    return "flowforge dag"


def sql_failed(example):
    sql_model(example, "orders", "create table orders as\nselect ordr_id\nfrom {{ source('erp','orders') }};\n")
    return "flowforge run --select orders"


def python_raised(example):
    return python_model(example, "return df['nope']")


def columns_missing(example):
    return python_model(example, more=", requires={'users': {'id', 'phone'}}")


def cannot_import(example):
    write(example / "models/p.ff.py", "import no_such_library_at_all\n" + BY_PYTHON.format(body="return df", more=""))
    return "flowforge run --select p"


def template_wrong(example):
    sql_model(example, "t", "select {{ nope }} as n\n")
    return "flowforge run --select t"


def seed_wrong(example):
    write(example / "seeds/seed_orders.csv", "order_id,user_id,amount\n1,2,3,4\n")
    return "flowforge seed"


def unknown_key(example):
    write(example / "project.yml", "nmae: shop\n")
    return "flowforge run"


def no_project(example):
    return "flowforge run models"


def unknown_environment(example):
    return "flowforge run --env nope"


def engine_not_installed(example):
    profile(example, "{engine: oracle, oracle: {}}")
    return "flowforge run"


def engine_cannot(example):
    profile(example, "{engine: sqlite, sqlite: {path: a.db}}")
    write(example / "seeds/p.parquet", "not read")
    return "flowforge seed"


def target_cannot_be_opened(example):
    profile(example, "{engine: duckdb, duckdb: {path: project.yml}}")
    return "flowforge run"


def empty_selection(example):
    return "flowforge run --select nope"


def nothing_to_resume(example):
    sql_model(example, "gone", "select nosuch\n")
    return "flowforge run --select gone -q 2> /dev/null || rm models/gone.ff.sql && flowforge run --resume"


def resumed_elsewhere(example):
    sql_model(example, "wrong", "select nosuch\n")
    write(
        example / "profiles.yml",
        "a: {engine: duckdb, duckdb: {path: a.db}}\nb: {engine: duckdb, duckdb: {path: b.db}}\n",
    )
    return "flowforge run --env a --select wrong -q > /dev/null || flowforge run --resume --env b"


def variable_misspelt(example):
    sql_model(example, "since", "select '{{ var('start', '2026-01-01') }}' as day\n")
    return "flowforge run --vars '{strat: 2026-02-01}'"


def unknown_run(example):
    return "flowforge runs show zzz"


def unknown_model(example):
    return "flowforge why usrs"


def ambiguous_key(example):
    config = "{{ config(materialized='incremental', unique_key='n') }}"
    sql_model(example, "grown", f"{config}\nselect 1 as n union all select 1\n")
    return "flowforge run --select grown"


def hook_failed(example):
    sql_model(example, "hooked", "{{ config(pre_hook='delete from nowhere') }}\nselect 1 as n\n")
    return "flowforge run --select hooked"


def usage(example):
    return "flowforge run --nope"


def check_cannot_run(example):
    write(example / "project.yml", "tests:\n  - {type: unique, table: nowhere, column: id}\n")
    return "flowforge test"


def output_not_written(example):
    return "flowforge run --select users > /dev/full"


def check_failed(example):
    write(example / "project.yml", "tests:\n  - {type: row_count_between, table: users, min: 99}\n")
    return "flowforge test"


def only_warned(example):
    test = "{type: row_count_between, table: users, min: 99, severity: warn}"
    write(example / "project.yml", f"tests:\n  - {test}\n")
    return "flowforge test"


def build_stopped(example):
    write(example / "project.yml", "tests:\n  - {type: row_count_between, table: users, min: 99}\n")
    sql_model(example, "reader", "select * from {{ ref('users') }}\n")
    return "flowforge build"


def no_repository(example):
    return "flowforge ls --changed-since main"


def no_manifest(example):
    return "flowforge run --select state:modified --state models"


def foreign_exception(example):
    write(example / "site/foreign_plugin.py", FOREIGN)
    info = example / "site/foreign_engine-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: foreign-engine\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[flowforge]\nforeign = foreign_plugin\n")
    profile(example, "{engine: foreign}")
    return "PYTHONPATH=site flowforge run"


def ctrl_c(example):
    sql_model(example, "slow", SLOW)
    return "exec flowforge run --select slow --log-format json"


SITUATIONS = {
    "All models were built": all_models_built,
    "All tests passed": all_tests_passed,
    "Only tests of severity `warn` failed": only_warned,
    "There was nothing to do": nothing_to_do,
    "There was nothing to clean": nothing_to_clean,
    "The reader of the output went away": reader_went_away,
    "A dependency is missing": missing_dependency,
    "The graph has a cycle": cycle,
    "A SQL model failed": sql_failed,
    "A Python model raised an exception": python_raised,
    "A Python model's input lacks required columns": columns_missing,
    "A Python model cannot be imported": cannot_import,
    "A template is wrong": template_wrong,
    "A seed file is wrong": seed_wrong,
    "A project file has an unknown key": unknown_key,
    "The folder is no project": no_project,
    "The environment is unknown": unknown_environment,
    "The engine is not installed": engine_not_installed,
    "The engine cannot do it": engine_cannot,
    "The target cannot be opened": target_cannot_be_opened,
    "The selection is empty": empty_selection,
    "There is no git repository to compare with": no_repository,
    "Something hangs on what `clean` would drop": leftovers_in_use,
    "There is no manifest to compare with": no_manifest,
    "There is nothing left to resume": nothing_to_resume,
    "A run is resumed on another target": resumed_elsewhere,
    "A variable is misspelt": variable_misspelt,
    "A run is asked for that is not known": unknown_run,
    "A model is asked for that is not there": unknown_model,
    "New rows have one key several times": ambiguous_key,
    "A hook failed": hook_failed,
    "The command was misspelt": usage,
    "A test cannot be run": check_cannot_run,
    "The output could not be written": output_not_written,
    "A test failed": check_failed,
    "A test failed in a build": build_stopped,
    "An engine raised what it should not": foreign_exception,
    "Ctrl-C was pressed": ctrl_c,
}


def test_every_row_has_its_situation_and_every_situation_its_row():
    assert [what for what, _, _ in ROWS] == list(SITUATIONS)


@pytest.mark.parametrize(("what", "code", "says"), ROWS, ids=[what for what, _, _ in ROWS])
def test_row(what, code, says, example, in_shell, interrupted):
    command = SITUATIONS[what](example)
    answer = interrupted(command, example) if what == "Ctrl-C was pressed" else in_shell(command, example)
    said = answer.stdout + answer.stderr
    assert answer.returncode == int(code), said
    assert says in said
    assert "Traceback" not in said
    assert len(answer.stderr.splitlines()) <= 15


@pytest.fixture
def interrupted(hearing_ctrl_c):
    """Run a command, press Ctrl-C once its model has begun, or it says otherwise, and return how it ended."""

    def run(command, folder, asked=signal.SIGINT, once="model_started"):
        with hearing_ctrl_c(command, folder) as process:
            before = []
            for line in process.stdout:
                before.append(line)
                if once in line:
                    break
            process.send_signal(asked)
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, "".join(before) + out, err)

    return run


class TestCtrlC:
    """The old table is there, nothing is half-written, and the next run works."""

    @pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("kind", ["sql", "python"])
    def test_nothing_is_half_written(self, example, in_shell, interrupted, kind, asked):
        sql_model(example, "slow", "create or replace table slow as select 42 as n")
        assert in_shell("flowforge run --select slow", example).returncode == 0
        if kind == "sql":
            sql_model(example, "slow", SLOW)
        else:
            (example / "models/slow.ff.sql").unlink()
            code = "from flowforge import model\n@model()\ndef slow():\n    import time\n    time.sleep(600)\n"
            write(example / "models/slow.ff.py", code)
        answer = interrupted("exec flowforge run --select slow --log-format json", example, asked)
        assert answer.returncode == 130
        assert answer.stderr == "Interrupted; what was not finished was rolled back, or is made anew by the next run.\n"
        assert in_shell("flowforge show slow", example).stdout == " n\n──\n42\n1 row\n"
        states = in_shell("flowforge show _flowforge_state --limit 99 --log-format json", example).stdout
        assert states.count('"relation": "slow"') == 1
        assert in_shell("flowforge run --select users", example).returncode == 0

    def test_code_that_keeps_it_to_itself_ends_too_and_nothing_more_is_begun(self, example, in_shell, interrupted):
        code = """
import sys, time
import pandas as pd
from flowforge import model

@model()
def slow():
    print("asleep", file=sys.__stdout__, flush=True)
    try:
        time.sleep(600)
    except:
        pass
    return pd.DataFrame({"n": [1]})
"""
        write(example / "models/slow.ff.py", code)
        sql_model(example, "after", "create or replace table after as select n from {{ ref('slow') }}")
        command = "exec flowforge run --select slow+ --log-format json"
        answer = interrupted(command, example, once="asleep")
        assert answer.returncode == 130, answer
        assert answer.stderr == "Interrupted; what was not finished was rolled back, or is made anew by the next run.\n"
        assert "model_built" not in answer.stdout
        assert "no table" in in_shell("flowforge show slow", example).stderr

    def test_it_is_heard_while_a_package_is_imported_for_a_frame(self, example, in_shell, interrupted):
        code = "from flowforge import model\n@model(deps=['users'])\ndef copy(users):\n    return users\n"
        write(example / "models/copy.ff.py", code)
        slow = "import sys, time\nprint('importing', file=sys.__stdout__, flush=True)\ntime.sleep(600)\n"
        (example / "slow" / "pandas").mkdir(parents=True)
        write(example / "slow/pandas/__init__.py", slow)
        command = "PYTHONPATH=$PWD/slow exec flowforge run --select copy --log-format json"
        answer = interrupted(command, example, once="importing")
        assert answer.returncode == 130, answer
        assert answer.stderr == "Interrupted; what was not finished was rolled back, or is made anew by the next run.\n"
        assert "model_failed" not in answer.stdout

    def test_every_model_that_was_being_built_is_cancelled(self, example, in_shell, interrupted):
        for name in ("slow1", "slow2", "slow3"):
            sql_model(example, name, SLOW.replace("slow", name))
        answer = interrupted("exec flowforge run --select 'slow1 slow2 slow3' --jobs 3 --log-format json", example)
        assert answer.returncode == 130
        assert answer.stderr == "Interrupted; what was not finished was rolled back, or is made anew by the next run.\n"
        assert "model_built" not in answer.stdout
        assert in_shell("flowforge run --select users", example).returncode == 0


class TestWords:
    """What the original design promises for each kind of error."""

    def test_missing_dependencies_are_listed_per_node_with_tips(self, example, in_shell):
        answer = in_shell(missing_dependency(example), example)
        assert answer.stderr == (
            "✗ Missing dependencies:\n"
            "  a: usrs (models/a.ff.sql:1) Did you mean 'users'?\n"
            "  b: nowhere (models/b.ff.sql:1) Known: a, mart_orders_enriched, marts_daily, orders, seed_orders, "
            "seed_users, users, users_enriched.\n"
            "Check the names in ref() and deps; a node's name is its file stem without .ff.\n"
        )

    def test_a_cycle_is_drawn_with_its_lines(self, example, in_shell):
        assert in_shell(cycle(example), example).stderr == (
            "✗ Cycle detected among nodes: a → b → a\n"
            "  models/a.ff.sql:1 a refers to b\n"
            "  models/b.ff.sql:1 b refers to a\n"
            "Remove one of these references.\n"
        )

    def test_a_key_error_is_a_block_of_its_own(self, example, in_shell):
        out = in_shell(python_raised(example), example).stdout
        assert (
            "   ↳ models/p.ff.py:4: Model 'p' failed: KeyError: 'nope'\n"
            "       4 |     return df['nope']\n"
            "   Check the columns of 'users': flowforge show users\n"
        ) in out

    def test_a_wrong_column_shows_line_caret_and_candidates(self, example, in_shell):
        out = in_shell(sql_failed(example), example).stdout
        assert (
            "   ↳ models/orders.ff.sql:2: Model 'orders' failed: "
            'Referenced column "ordr_id" not found in FROM clause!\n'
            "       2 | select ordr_id\n"
            "                  ^\n"
        ) in out
        assert "order_id" in out

    def test_a_bug_shows_its_trace_on_demand(self, example, in_shell):
        command = foreign_exception(example)
        silent = in_shell(command, example)
        assert silent.stderr == (
            "✗ This is a bug in foreign-engine 1.0: ZeroDivisionError: division by zero"
            " (site/foreign_plugin.py, line 17)\n"
            "Please report it to its authors with the trace that FLOWFORGE_TRACE=1 prints.\n"
        )
        traced = in_shell(command, example, FLOWFORGE_TRACE="1")
        assert traced.returncode == 99
        assert "Traceback (most recent call last):" in traced.stderr
        assert "return 1 / 0" in traced.stderr

    def test_the_trace_of_a_users_error_is_there_too(self, example, in_shell):
        assert "Traceback" in in_shell(unknown_key(example), example, FLOWFORGE_TRACE="1").stderr
