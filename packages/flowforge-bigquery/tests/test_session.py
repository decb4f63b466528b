"""Jobs: how they are marked and bounded, and what opens and closes with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from google.api_core.exceptions import BadRequest, Forbidden
from google.cloud import bigquery

from flowforge_bigquery.connection import Connection
from flowforge_bigquery.engine import open_engine
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.swap import aside
from flowforge_testkit.conformance.ground import build, count, fails, forked, rows
from flowforge_testkit.fakes import claim


def test_jobs_carry_the_labels_of_the_profile_and_of_what_runs(settings, tmp_path):
    engine = opened(
        {**settings, "labels": {"team": "Data"}, "maximum_bytes_billed": 10**9, "priority": "batch"}, tmp_path
    )
    engine.session.label({"project": "Shop", "run": "r1", "model": "users"})
    with engine.session.job("select 1 as a") as (job, _):
        assert job.labels == {
            "team": "data",
            "flowforge_project": "shop",
            "flowforge_run": "r1",
            "flowforge_model": "users",
        }
        assert (job.maximum_bytes_billed, job.priority) == (10**9, "BATCH")
    engine.session.close()


@pytest.mark.parametrize(("given", "zone"), [({}, "UTC"), ({"time_zone": "Asia/Tokyo"}, "Asia/Tokyo")])
def test_queries_run_in_the_time_zone_of_the_profile(settings, tmp_path, given, zone):
    engine = opened({**settings, **given}, tmp_path)
    with engine.session.job("select 1 as a") as (job, _):
        assert [(each.key, each.value) for each in job.connection_properties] == [("time_zone", zone)]
    assert engine.formats() == {"time_zone": zone}
    engine.session.close()


def test_loads_and_copies_are_marked_and_bounded_as_queries_are(settings, tmp_path, monkeypatch):
    engine = opened({**settings, "labels": {"team": "data"}, "job_timeout": 30}, tmp_path)
    engine.session.label({"model": "users"})
    given = []
    for name in ("query", "load_table_from_file", "copy_table"):
        asked = getattr(bigquery.Client, name)

        def spied(client, *values, asked=asked, **named):
            given.extend(one for one in (*values, *named.values()) if isinstance(one, JOBS))
            return asked(client, *values, **named)

        monkeypatch.setattr(bigquery.Client, name, spied)
    build(engine, "ff_t", "select 1 as a", "view")
    engine.frames.write("ff_t", pd.DataFrame({"a": [1]}))
    assert {type(config) for config in given} == set(JOBS)
    labels = {"team": "data", "flowforge_model": "users"}
    assert [(config.labels, config.job_timeout_ms) for config in given] == [(labels, "30000")] * len(given)
    engine.session.close()


def test_the_dataset_is_made_where_it_is_missing(engine):
    assert rows(engine, "select 1 as a") == [(1,)]
    made = engine.session.client.get_dataset("tests")
    assert made.location == "US"
    with forked(engine) as second:
        assert rows(second, "select 1 as a") == [(1,)]


def test_nothing_is_opened_before_it_is_needed(settings, tmp_path):
    engine = opened({**settings, "endpoint": "http://127.0.0.1:1", "retry_deadline": 0}, tmp_path)
    assert engine.target.endswith(".tests")
    engine.session.rollback()
    engine.session.interrupt()
    engine.session.close()


def test_a_client_whose_dataset_cannot_be_had_is_closed(settings, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(bigquery.Client, "close", lambda client: closed.append(client))
    with pytest.raises(EngineError):
        opened({**settings, "endpoint": "http://127.0.0.1:1", "retry_deadline": 0}, tmp_path).session.query("select 1")
    assert len(closed) == 1


def test_the_client_is_closed_though_something_else_cannot_be(engine):
    def fail():
        raise ConnectionError

    engine.session.query("select 1")
    engine.session.ends.callback(fail)
    with pytest.raises(ConnectionError):
        engine.session.close()
    assert engine.session.source._client is None


def test_sessions_that_read_at_once_share_one_storage_client(settings):
    source = Connection(BigQueryProfile.model_validate({"engine": "bigquery", "bigquery": settings}).bigquery)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: source.storage, range(4)))
    source.close()
    assert len(made) == 1


def test_a_fork_ends_with_the_first_session(engine):
    fork = engine.fork()
    assert fork.session.query("select 1 as a").rows == [(1,)]
    engine.session.close()
    for use in (lambda: fork.session.query("select 1 as a"), lambda: fork.session.source.storage):
        with pytest.raises(EngineError, match="The session is closed"):
            use()


def test_relation_of_four_parts_is_refused(engine):
    with pytest.raises(EngineError, match="project, dataset and table"):
        engine.catalog.columns("a.b.c.d")


def test_relation_may_name_its_project(engine, settings):
    build(engine, "ff_t", "select 1 as a")
    assert [name for name, _ in engine.catalog.columns(f'"{settings["project"]}".tests.ff_t')] == ["a"]


@pytest.mark.parametrize("name", ["with space", "日本語", "a-b", "1st", "select", "Mixed", "e\u0301", "x" * 300])
def test_names_of_tables_come_back(engine, name):
    build(engine, relation_name(name), "select 1 as a union all select 2")
    assert list(engine.catalog.relations()) == [same_relation(relation_name(name))]
    assert count(engine, relation_name(name)) == 2


def test_types_are_told_as_sql_writes_them(engine):
    build(engine, "ff_t", "select 1 as a, [1.5] as b, struct('x' as c, true as d) as e, date '2024-01-01' as f")
    assert engine.catalog.columns("ff_t") == [
        ("a", "INT64"),
        ("b", "ARRAY<FLOAT64>"),
        ("e", "STRUCT<c STRING, d BOOL>"),
        ("f", "DATE"),
    ]


@pytest.mark.parametrize(("reason", "stops"), [("accessDenied", False), ("quotaExceeded", True)])
def test_a_dataset_of_others_that_may_not_be_listed_stops_nothing(engine, monkeypatch, reason, stops):
    build(engine, "ff_t", "select 1 as a")
    build(engine, "theirs.ff_t", "select 1 as a")
    listed = bigquery.Client.list_tables

    def refused(client, dataset, **more):
        if dataset == closed:
            raise Forbidden("No.", errors=[{"reason": reason, "message": "No."}])
        return listed(client, dataset, **more)

    monkeypatch.setattr(bigquery.Client, "list_tables", refused)
    closed = "theirs"
    if stops:
        with fails(ErrorKind.SPACE):
            engine.catalog.relations()
    else:
        assert kinds(engine.catalog.relations()) == {"ff_t": "table"}
    closed = "tests"
    with pytest.raises(EngineError, match="No"):
        engine.catalog.relations()


@pytest.mark.parametrize("wrong", [False, True])
def test_a_table_with_other_partitions_is_built_beside_the_old_one(engine, monkeypatch, wrong):
    build(engine, "ff_t", "select 1 as a")
    query, sent = bigquery.Client.query, []

    def refused(client, sql, *given, **more):
        sent.append(sql)
        # The emulator replaces them.
        if sql.startswith("create or replace table `tests`.`ff_t`"):
            said = "Cannot replace a table with a different partitioning spec. Instead, DROP the table."
            raise BadRequest(said, errors=[{"reason": "invalid", "message": said}])
        return query(client, sql, *given, **more)

    monkeypatch.setattr(bigquery.Client, "query", refused)
    statement = f"create or replace table `tests`.`ff_t` cluster by a as\nselect {'missing' if wrong else 2} as a"
    if wrong:
        with pytest.raises(EngineError, match="missing"):
            engine.session.execute(statement)
    else:
        assert engine.session.execute(statement) == 1
        assert f"create or replace table `tests`.`{aside('ff_t')}` cluster by a as\nselect 2 as a" in sent
    assert rows(engine, "select a from ff_t") == [(1 if wrong else 2,)]
    assert kinds(engine.catalog.relations()) == {"ff_t": "table"}


@pytest.mark.parametrize(
    ("told", "dropped"),
    [("VIEW", "drop VIEW"), ("MATERIALIZED_VIEW", "drop materialized view"), ("EXTERNAL", "drop external table")],
)
def test_what_stands_is_dropped_by_its_own_word(engine, monkeypatch, told, dropped):
    new = "view" if told == "EXTERNAL" else "table"
    build(engine, "ff_t", "select 1 as a", "table" if told == "EXTERNAL" else "view")
    get, query, sent = bigquery.Client.get_table, bigquery.Client.query, []

    def found(client, table, **more):
        known = get(client, table, **more)
        if known.table_id == "ff_t":
            known._properties["type"] = told
        return known

    def queried(client, sql, *given, **more):
        sent.append(sql)
        # The emulator has neither, and knows tables and views.
        return query(client, sql.replace("materialized ", "").replace("external ", ""), *given, **more)

    monkeypatch.setattr(bigquery.Client, "get_table", found)
    monkeypatch.setattr(bigquery.Client, "query", queried)
    build(engine, "ff_t", "select 2 as a", new)
    assert rows(engine, "select a from ff_t") == [(2,)]
    assert f"{dropped} if exists `tests`.`ff_t`" in sent


@pytest.mark.parametrize("left", ["table", "view"])
def test_what_a_crash_left_of_a_change_of_kind_is_no_obstacle(engine, left):
    for kind in ("table", "view", "table"):
        build(engine, aside("ff_t"), "select 0 as b", left)
        build(engine, "ff_t", f"select '{kind}' as a", kind)
        assert rows(engine, "select a from ff_t") == [(kind,)]
        assert kinds(engine.catalog.relations())["ff_t"] == kind
    assert list(engine.catalog.relations()) == ["ff_t"]


JOBS = (bigquery.QueryJobConfig, bigquery.LoadJobConfig, bigquery.CopyJobConfig)


def opened(settings, root):
    return open_engine(BigQueryProfile.model_validate({"engine": "bigquery", "bigquery": settings}), root, claim())
