"""Settings of every test of this repository: Hypothesis repeats its examples by day and looks for new ones at night.

No test depends on what another one imported, nor on those before it: the longest files come first, so that none of them
is left over when every other has ended.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("nightly", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("nightly" if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else "repeatable")

# Every worker holds nine thousand tests and all of FlowForge: to look through them every 700 objects finds nothing, and
# takes a twentieth of the whole.
gc.set_threshold(10_000)

# A shell starts what runs in its background deaf to Ctrl-C, which would last: tests of Ctrl-C would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A Java, or an emulator with the client that talks to it, costs as much as many tests: the files, or folders, of one
# worker, which starts it once.
SHARING = {
    "Spark": ("packages/flowforge-databricks/", "tests/e2e/test_tpch.py", "tests/e2e/test_examples_everywhere.py"),
    "BigQuery": (
        "packages/flowforge-bigquery/",
        "packages/flowforge-bigframes/",
        "tests/e2e/test_bigquery_example.py",
    ),
    "Snowflake": ("packages/flowforge-snowflake/", "tests/e2e/test_snowflake_example.py"),
}

# Of a quarter of a minute and more, the longest first; what shares a server counts together.
LONGEST = (
    *SHARING["Spark"],
    *SHARING["BigQuery"],
    *SHARING["Snowflake"],
    "tests/reliability/test_fuzz.py",
    "tests/reliability/test_kills.py",
    "tests/reliability/test_secrets.py",
    "packages/flowforge-duckdb/tests/test_conformance.py",
    "tests/browser/test_hostile_texts.py",
    "tests/e2e/test_databricks_example.py",
    "tests/browser/test_site.py",
    "tests/reliability/test_stale_projects.py",
    "tests/packaging/test_third_party.py",
    "tests/packaging/test_engines.py",
    "packages/flowforge-postgres/tests/test_conformance.py",
    "tests/reliability/test_determinism.py",
    "tests/reliability/test_names.py",
    "tests/reliability/test_postgres_kills.py",
    "tests/reliability/test_stale.py",
    "packages/flowforge-testkit/tests/test_report.py",
    "tests/packaging/test_wheels.py",
    "tests/e2e/test_streaming.py",
    "tests/reliability/test_resource_bombs.py",
    "tests/reliability/test_duckdb_runs.py",
    "tests/reliability/test_postgres_runs.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files, as `--dist loadfile` does, and together those that share a server."""
    from xdist.scheduler import LoadFileScheduling

    class Sharing(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            together = (server for server, places in SHARING.items() if nodeid.startswith(places))
            return next(together, nodeid.partition("::")[0])

    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; every other keeps its place."""

    def place(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def usual_recursion_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the limit as it is at first: importing BigQuery DataFrames raises it to ten million."""
    before = sys.getrecursionlimit()
    if "bigframes" not in request.path.as_posix():
        sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)
