"""Spark passes the conformance suite with tables of parquet; what only it does stands behind, to share one Spark."""

from __future__ import annotations

import pytest

from flowforge_databricks.dialect import SPARK
from flowforge_databricks.engine import open_engine
from flowforge_databricks.java import require_java
from flowforge_databricks.plugin import DELTA, ICEBERG, SPEC
from flowforge_databricks.settings import DatabricksSparkProfile
from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance import EngineConformance, PluginConformance
from flowforge_testkit.fakes import claim


class TestSparkPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return SPEC


class TestDeltaPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return DELTA


class TestIcebergPlugin(PluginConformance):
    @pytest.fixture
    def spec(self):
        return ICEBERG


class TestSpark(EngineConformance):
    # Each is a table or two, written by jobs of Spark.
    names_sample = 12

    @pytest.fixture
    def spec(self):
        return SPEC

    @pytest.fixture
    def profile(self, settings):
        return {"engine": "databricks_spark", "databricks_spark": settings}


@pytest.mark.parametrize(
    ("sql", "kind", "place"),
    [
        ("select\n  nope from ff_t", "MISSING_COLUMN", (2, 3)),
        ("select a from nowhere", "MISSING_RELATION", (1, 15)),
        ("create table nowhere.t as select 1 as a", "MISSING_RELATION", (0, 0)),
        ("selec a from ff_t", "SYNTAX", (1, 1)),
        ("select cast('x' as int)", "DATA", (1, 8)),
        ("select raise_error('boo')", "DATA", (0, 0)),
        ("create table ff_t as select 1 as a", "CONFLICT", (0, 0)),
        ("delete from ff_t where a = 1", "SYNTAX", (0, 0)),
    ],
)
def test_errors_tell_what_they_are_and_where(engine, sql, kind, place):
    engine.session.execute("create table ff_t as select 1 as a")
    with pytest.raises(EngineError) as caught:
        engine.session.query(sql)
    assert (caught.value.kind.name, (caught.value.line, caught.value.column)) == (kind, place)
    assert "SQLSTATE" not in str(caught.value)
    assert "\tat " not in str(caught.value)


def test_table_may_read_itself_and_its_views_go_on(engine):
    for sql in ("select 1 as a", "select a + 1 as a from ff_t"):
        with engine.replacer.replacing("ff_t", "table") as into:
            engine.session.execute(f"create table {into} as {sql}")
        engine.session.execute("create or replace view ff_v as select a from ff_t")
    assert engine.session.query("select a from ff_v").rows == [(2,)]


def test_build_that_fails_while_it_runs_leaves_the_old_table_and_nothing_beside_it(engine):
    failing = "select if(id > 500, raise_error('boo'), id) as a from range(900)"
    engine.session.execute("create table ff_t as select 1 as a")
    for _ in range(2):
        with pytest.raises(EngineError), engine.replacer.replacing("ff_t", "table") as into:
            engine.session.execute(f"create table {into} as {failing}")
        assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    assert engine.session.query("select a from ff_t").rows == [(1,)]


def test_text_is_text_whatever_it_looks_like(engine):
    for text in ("${env:HOME}", "a\\n'b", 'say "so"', "{x}", ":y ?", "two\nlines"):
        assert engine.session.query(f"select {quote_text(text, SPARK)} as a").rows == [(text,)]


def test_lock_keeps_a_second_run_out(engine):
    second = engine.fork()
    with (
        engine.lock.hold(claim(run="1f57")),
        pytest.raises(EngineError, match="run 1f57, process") as caught,
        second.lock.hold(claim(0.1)),
    ):
        pytest.fail("two runs hold the lock at once")
    assert caught.value.kind is ErrorKind.CONFLICT
    with second.lock.hold(claim(1.0)):
        pass


def test_spark_with_another_warehouse_is_refused(engine, settings, tmp_path):
    other = DatabricksSparkProfile.model_validate(
        {"engine": "databricks_spark", "databricks_spark": {**settings, "warehouse": str(tmp_path)}}
    )
    with pytest.raises(EngineError, match="another warehouse"):
        open_engine(other, tmp_path, claim())


def test_closing_leaves_spark_to_others(engine, settings, tmp_path):
    engine.fork().session.close()
    assert engine.session.query("select 1 as a").rows == [(1,)]


@pytest.mark.parametrize("home", ["/nowhere", "old"])
def test_missing_or_old_java_is_told_with_a_fix(home, tmp_path, monkeypatch):
    if home == "old":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/java").write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
        (tmp_path / "bin/java").chmod(0o755)
        home = str(tmp_path)
    monkeypatch.setenv("JAVA_HOME", home)
    with pytest.raises(EngineError, match="Spark needs Java 17 or newer") as caught:
        require_java()
    assert "JAVA_HOME" in caught.value.hint


def test_settings_hide_the_token():
    profile = DatabricksSparkProfile.model_validate(
        {
            "engine": "databricks_spark",
            "databricks_spark": {"remote": "sc://host/;token=hunter22", "conf": {"k": "hunter22"}},
        }
    )
    assert "hunter22" not in repr(profile)
    with pytest.raises(ValueError, match="sc://") as caught:
        DatabricksSparkProfile.model_validate(
            {"engine": "databricks_spark", "databricks_spark": {"remote": "https://host?token=hunter22"}}
        )
    assert "hunter22" not in str(caught.value)


def test_executor_of_the_original_design(settings, tmp_path, monkeypatch):
    from flowforge.executors.databricks_spark_exec import DatabricksSparkExecutor
    from flowforge.settings import DatabricksSparkProfile as Public
    from flowforge.testing import unique

    monkeypatch.chdir(tmp_path)
    executor = DatabricksSparkExecutor(**settings)
    executor.engine.session.execute("create table ff_t as select 1 as a")
    unique(executor, "ff_t", "a")
    executor.close()
    assert Public is DatabricksSparkProfile
