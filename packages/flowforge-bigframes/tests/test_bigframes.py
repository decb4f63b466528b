"""BigQuery DataFrames as a user meets them: the simple example with one variable set, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import bigquery_emulator
import pandas as pd
import pytest

from flowforge_bigframes.engine import open_engine
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance.ground import build, rows
from flowforge_testkit.fakes import claim

EXAMPLE = Path(__file__).parents[3] / "examples/bigquery"


@pytest.fixture
def settings():
    return bigquery_emulator.new_target()


@pytest.fixture
def engine(settings, tmp_path):
    profile = BigQueryProfile.model_validate({"engine": "bigquery", "bigquery": settings})
    opened = open_engine(profile, tmp_path, claim())
    yield opened
    opened.session.close()


def test_the_simple_example_runs_with_one_variable_set(settings, tmp_path):
    names = ("project", "location", "endpoint", "storage_endpoint", "anonymous")
    said = {f"FF_BQ_{name.upper()}": str(settings[name]) for name in names}
    project = tmp_path / "shop"
    # A copy, since a run leaves its traces in the project.
    subprocess.run(["cp", "-r", EXAMPLE, project], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "flowforge", "build", str(project)],
        env={**os.environ, **said, "FF_BQ_USE_BIGFRAMES": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed: 0" in done.stdout
    assert "console.cloud.google.com" not in done.stdout
    from flowforge.executors.bigquery_exec import BigQueryExecutor

    executor = BigQueryExecutor(**{**settings, "dataset": "shop"})
    found = executor.con.execute("select id, is_gmail from mart_users order by id").fetchall()
    assert found == [(1, False), (2, True), (3, True)]
    assert executor.con.execute("select count(*) from mart_orders_enriched").fetchone() == (2,)
    executor.close()


def test_executor_reads_and_writes_them(settings):
    import bigframes.dataframe

    from flowforge.executors.bigquery_bf_exec import BigQueryBFExecutor

    executor = BigQueryBFExecutor(**settings)
    executor.engine.session.execute("create table ff_t as select 1 as a union all select 2")
    frame = executor._read_relation("ff_t", None, ())
    assert isinstance(frame, bigframes.dataframe.DataFrame)
    assert executor._materialize_relation("ff_sum", frame.assign(b=frame["a"] * 10), None) in {2, None}
    assert sorted(executor.con.execute("select a, b from ff_sum").fetchall()) == [(1, 10), (2, 20)]
    executor.close()


def test_a_frame_stays_in_bigquery_until_it_is_written(engine):
    build(engine, "ff_t", "select 'a' as k, 1 as n union all select 'a', 2 union all select 'b', 3")
    frame = engine.frames.read("ff_t")
    engine.frames.write("ff_sums", frame.groupby("k", as_index=False).agg({"n": "sum"}))
    assert rows(engine, "select k, n from ff_sums") == [("a", 3), ("b", 3)]


def test_pandas_is_refused_with_the_setting_that_allows_it(engine):
    build(engine, "ff_t", "select 'old' as b")
    with pytest.raises(EngineError, match="use_bigframes: false") as caught:
        engine.frames.write("ff_t", pd.DataFrame({"a": [1]}))
    assert caught.value.kind is ErrorKind.DATA
    assert rows(engine, "select b from ff_t") == [("old",)]


def test_a_project_of_sql_models_imports_no_bigframes(settings, tmp_path):
    code = (
        "import sys; from pathlib import Path; from flowforge_bigframes.engine import open_engine;"
        "from flowforge_bigquery.settings import BigQueryProfile;"
        "from flowforge_testkit.fakes import claim;"
        f"profile = BigQueryProfile.model_validate({{'engine': 'bigquery', 'bigquery': {settings!r}}});"
        "engine = open_engine(profile, Path('.'), claim()); engine.session.execute('create table t as select 1 as a');"
        "engine.session.close(); sys.exit('bigframes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=100).returncode == 0


def test_a_case_is_given_up_between_requests_not_amid_one(engine, alarmed):
    client = engine.session.client
    # Called when the head of an answer is there, the body not.
    client._http.hooks["response"].append(lambda *_, **__: signal.raise_signal(signal.SIGALRM))
    with pytest.raises(GivenUp) as caught, bigquery_emulator.alarms_between_requests():
        client.get_dataset("tests")
        time.sleep(10)
    assert not [entry for entry in caught.traceback if entry.frame.f_globals["__name__"].startswith("requests.")]


@pytest.fixture
def alarmed():
    def give_up(*_):
        raise GivenUp

    before = signal.signal(signal.SIGALRM, give_up), signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.signal(signal.SIGALRM, before[0])
    signal.setitimer(signal.ITIMER_REAL, *before[1])


class GivenUp(Exception):
    """What an alarm raises."""
