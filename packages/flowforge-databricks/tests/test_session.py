"""What a session of Spark tells of a statement that ends before its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

from pyspark import SparkContext

from flowforge_domain.errors import ErrorKind
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
