"""Statements of a session that end before their time, or at their last row."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest
from pyspark import SparkContext

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_testkit.conformance.ground import fails

ENDLESS = "select count(*) from range(100000) a, range(100000) b, range(100000) c where a.id * b.id < c.id + a.id"


def test_job_that_somebody_else_cancels_has_failed(engine):
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(engine.session.query, ENDLESS)
        # Again and again: there is nothing to cancel before the job has begun.
        while not wait([running], timeout=0.1).done:
            SparkContext.getOrCreate().cancelAllJobs()
    with fails(ErrorKind.STOPPED):
        running.result()


def test_query_that_is_executed_is_worked_out_to_its_last_row(engine):
    engine.session.execute("select id from range(2)")
    with pytest.raises(EngineError, match="the last one"):
        engine.session.execute("-- a hook\nselect if(id = 1, raise_error('the last one'), id) as a from range(2)")


def test_moment_inside_a_struct_or_an_array_has_its_zone(engine):
    moment = "timestamp '2024-02-29 10:00:00+02:00'"
    found = engine.session.query(f"select array(named_struct('at', {moment}, 'n', null)) as a, array({moment}) as b")
    at = datetime(2024, 2, 29, 8, tzinfo=UTC)
    assert found.rows == [([{"at": at, "n": None}], [at])]


def test_what_a_cluster_says_of_casts_is_part_of_the_proof(engine):
    assert engine.formats()["spark.sql.session.timeZone"] == "UTC"
    for said in ("true", "false"):
        engine.session.spark.conf.set("spark.sql.ansi.enabled", said)
        assert engine.formats()["spark.sql.ansi.enabled"] == said


def test_labels_are_the_tags_of_each_job_until_there_are_others(engine):
    told = []
    for labels in ({"project": "a, b", "run": "r", "model": "m"}, {"run": "r"}, {}):
        engine.session.label(labels)
        engine.session.query("select count(*) from range(3)")
        told.append(tags_of_the_last_job())
    assert told == [{"project=a  b", "run=r", "model=m"}, {"run=r"}, set()]


def tags_of_the_last_job():
    """Return what Spark's own list of jobs, which its UI shows, says of the last one, without what Spark adds."""
    store = SparkContext.getOrCreate()._jsc.sc().statusStore()
    tags = store.jobsList(None).apply(0).jobTags().mkString("\n").splitlines()
    return {re.sub(r"^spark-session-[0-9a-f-]+-thread-[0-9a-f-]{36}-", "", tag) for tag in tags if "=" in tag}
