"""What a time limit or somebody else stops on PostgreSQL is told as a failure; only Ctrl-C is told as interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from threading import Event, Thread

import postgres_server
import psycopg
import pytest

SLOW = "select pg_sleep(120)::text as n"
CHECK = "tests:\n  - {type: not_null, table: slow_view, column: n}\n"
BY_LIMIT = ("canceling statement due to statement timeout", "`statement_timeout`")
BY_OTHERS = ("canceling statement due to user request", "Another session cancelled it: run again.")


@pytest.fixture
def dsn():
    with postgres_server.lent_database() as lent:
        postgres_server.run("create schema s", lent)
        yield lent


@pytest.fixture(params=[BY_LIMIT, BY_OTHERS], ids=["statement_timeout", "pg_cancel_backend"])
def stopped(request, dsn, warm_environment, tmp_path):
    """Run a command whose statement is slow, until one or the other stops it."""
    limit = ", statement_timeout: 1" if request.param is BY_LIMIT else ""
    files = {
        "project.yml": f"name: shop\n{CHECK}",
        "profiles.yml": f'default: {{engine: postgres, postgres: {{dsn: "{dsn}", db_schema: s{limit}}}}}\n',
        "models/slow.ff.sql": f"-- slow\n{SLOW}\n",
        "models/after.ff.sql": "select n from {{ ref('slow') }}\n",
        "models/other.ff.sql": "select 2 as n\n",
        "models/slow_view.ff.sql": f"create view slow_view as {SLOW}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    def run(*words):
        command = ["flowforge", *words]
        environment = {**warm_environment, "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    def run_until_stopped(*words):
        ended = Event()
        canceller = Thread(target=_cancel, args=(dsn, ended))
        if request.param is BY_OTHERS:
            canceller.start()
        try:
            done = run(*words)
        finally:
            ended.set()
        if request.param is BY_OTHERS:
            canceller.join()
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert "Interrupted" not in said
        for part in request.param:
            assert part in said
        return said

    return run, run_until_stopped, tmp_path


def _cancel(dsn, ended):
    sleeping = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and datname = "
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not ended.wait(0.1):
            connection.execute(sleeping + "current_database()")


def test_a_model_fails_and_the_run_tells_the_rest(stopped):
    _, run_until_stopped, folder = stopped
    said = run_until_stopped("run", "--select", "slow+ other")
    assert "models/slow.ff.sql" in said
    assert "failed: 1 (slow)" in said
    results = json.loads((folder / ".flowforge/run_results.json").read_text(encoding="utf-8"))["results"]
    assert {each["name"]: each["status"] for each in results} == {
        "slow": "failed",
        "after": "skipped",
        "other": "built",
    }


def test_a_test_fails_at_its_place(stopped):
    run, run_until_stopped, _ = stopped
    assert run("run", "--select", "slow_view").returncode == 0
    said = run_until_stopped("test")
    assert "project.yml:3" in said, said


def test_show_fails(stopped):
    run, run_until_stopped, _ = stopped
    assert run("run", "--select", "slow_view").returncode == 0
    said = run_until_stopped("show", "slow_view")
    assert "models/slow_view.ff.sql: canceling" in said, said


def test_ctrl_c_is_no_failure_of_the_models_that_it_cancels(dsn, hearing_ctrl_c, new_project):
    profile = f'default: {{engine: postgres, postgres: {{dsn: "{dsn}", db_schema: s}}}}\n'
    models = {f"models/slow{number}.ff.sql": SLOW for number in range(3)}
    shop = new_project({"profiles.yml": profile, **models})
    with hearing_ctrl_c("exec flowforge run --jobs 3", shop) as process:
        _await_sleepers(dsn, 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert err == "Interrupted; what was not finished was rolled back, or is made anew by the next run.\n"
    results = json.loads((shop / ".flowforge/run_results.json").read_text(encoding="utf-8"))["results"]
    assert {each["status"] for each in results} == {"unfinished"}


def _await_sleepers(dsn, count):
    asked = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    ends = time.monotonic() + 60
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(asked).fetchone() != (count,):
            assert time.monotonic() < ends
