"""One Spark for all tests, and a database of its own for each."""

from __future__ import annotations

import os

import pytest
import spark_local

from flowforge_databricks.engine import open_engine
from flowforge_databricks.settings import DatabricksSparkProfile
from flowforge_testkit.fakes import claim


@pytest.fixture
def settings():
    with spark_local.new_database() as made:
        yield {**made, "conf": {**made["conf"], **spark_local.quick_files()}}


@pytest.fixture
def engine(settings, tmp_path):
    profile = {"engine": "databricks_spark", "databricks_spark": settings}
    opened = open_engine(DatabricksSparkProfile.model_validate(profile), tmp_path, claim())
    yield opened
    opened.session.close()


# By night only: each starts a Spark of its own beside that of the tests, and the suite of Iceberg takes many minutes.
_NIGHTLY = [] if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else ["test_connect.py", "test_iceberg.py"]
# Iceberg's own suite runs in another process, on another Spark: see test_iceberg.py.
collect_ignore = [*_NIGHTLY, "iceberg"]
