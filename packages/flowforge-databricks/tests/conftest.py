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
        yield made


@pytest.fixture
def engine(settings, tmp_path):
    profile = {"engine": "databricks_spark", "databricks_spark": settings}
    opened = open_engine(DatabricksSparkProfile.model_validate(profile), tmp_path, claim())
    yield opened
    opened.session.close()


# Spark Connect's server is not steady enough on every machine to hold up a change: by night only.
collect_ignore = [] if os.environ.get("FLOWFORGE_NIGHTLY") == "1" else ["test_connect.py"]
