"""Spark passes the conformance suite with tables of Iceberg; started by `tools/spark_iceberg.py`, on Spark 3.5."""

from __future__ import annotations

import shutil
from typing import ClassVar

import pytest
import spark_iceberg
import spark_local

from flowforge_databricks.plugin import ICEBERG
from flowforge_testkit.conformance import EngineConformance

UNPROVED: dict[str, str] = {}


class TestSparkIceberg(EngineConformance):
    names_sample = 10
    unproved: ClassVar = UNPROVED

    @pytest.fixture
    def spec(self):
        return ICEBERG

    @pytest.fixture
    def profile(self):
        lake = spark_local.warehouse() / "lake"
        with spark_local.new_database() as settings:
            conf = {**settings["conf"], **spark_iceberg.conf(lake)}
            made = {**settings, "catalog": "lake", "format": "iceberg", "conf": conf}
            yield {"engine": "databricks_spark", "databricks_spark": made}
        # The catalog is its folder, and drops no database with tables in it.
        shutil.rmtree(lake, ignore_errors=True)
