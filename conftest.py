"""Settings of every test of this repository: Hypothesis repeats its examples by day and looks for new ones at night.

No test depends on what another one imported, nor on those before it: the longest files come first, so that none of them
is left over when every other has ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("nightly" if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else "repeatable")

# A shell starts what runs in its background deaf to Ctrl-C, which would last: tests of Ctrl-C would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Of a quarter of a minute and more, the longest first.
LONGEST = (
    "packages/flowforge-databricks/tests/test_conformance.py",
    "tests/reliability/test_fuzz.py",
    "packages/flowforge-snowflake/tests/test_conformance.py",
    "tests/reliability/test_kills.py",
    "packages/flowforge-duckdb/tests/test_conformance.py",
    "tests/browser/test_hostile_texts.py",
    "tests/e2e/test_databricks_example.py",
    "tests/browser/test_site.py",
    "packages/flowforge-bigquery/tests/test_conformance.py",
    "tests/e2e/test_tpch.py",
    "tests/packaging/test_third_party.py",
    "tests/reliability/test_secrets.py",
    "packages/flowforge-postgres/tests/test_conformance.py",
    "tests/reliability/test_determinism.py",
    "packages/flowforge-bigframes/tests/test_conformance.py",
    "tests/reliability/test_names.py",
    "tests/reliability/test_postgres_kills.py",
    "tests/reliability/test_stale.py",
    "packages/flowforge-testkit/tests/test_report.py",
    "tests/e2e/test_bigquery_example.py",
    "tests/e2e/test_snowflake_example.py",
    "tests/packaging/test_engines.py",
    "tests/packaging/test_wheels.py",
    "tests/e2e/test_streaming.py",
    "tests/reliability/test_duckdb_runs.py",
    "tests/reliability/test_postgres_runs.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; every other keeps its place."""
    place = {file: number for number, file in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(autouse=True)
def usual_recursion_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the limit as it is at first: importing BigQuery DataFrames raises it to ten million."""
    before = sys.getrecursionlimit()
    if "bigframes" not in request.path.as_posix():
        sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)
