"""Tests on tables of Iceberg: a Spark 3.5 before the workspace's Spark 4, since only for it there is a jar on PyPI.

Iceberg comes inside `sagemaker-feature-store-pyspark`, with its classes renamed. Both are a small project of their own
(tools/emulators/spark35), whose packages stand first on the path of a pytest in this interpreter.

python tools/spark_iceberg.py [arguments of pytest]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import spark_local

_ROOT = Path(__file__).parents[1]
_HOME = _ROOT / "tools/emulators/spark35"
_SUITE = "packages/flowforge-databricks/tests/iceberg/test_conformance.py"
_CLASSES = "smfs.shaded.org.apache.iceberg.spark"
_CATALOG = "spark.sql.catalog.lake"


def run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the suite of Iceberg in a process of its own; `options` are those of `subprocess.run`."""
    environment = {**os.environ, "PYTHONPATH": str(_site_packages())}
    # PySpark 3.5 warns of much, and leaves sockets open.
    quiet = ["-p", "no:xdist", "-W", "ignore"]
    command = [sys.executable, "-m", "pytest", *quiet, _SUITE, *arguments]
    return subprocess.run(command, cwd=_ROOT, env=environment, check=False, text=True, **options)


def conf(warehouse: Path) -> Mapping[str, Any]:
    """Return Spark's settings of a catalog `lake` whose tables and views are Iceberg's.

    Hive's metastore, in this process and in memory, knows them: a catalog of type hadoop holds no views.
    """
    (jar,) = _site_packages().glob("feature_store_pyspark/jars/*-3.5.jar")
    metastore = {
        "javax.jdo.option.ConnectionURL": "jdbc:derby:memory:lake;create=true",
        "datanucleus.schema.autoCreateAll": True,
        "hive.metastore.schema.verification": False,
        "hive.metastore.warehouse.dir": str(warehouse),
        # The columns are Iceberg's; Hive's list of them would refuse a wider type.
        "hive.metastore.disallow.incompatible.col.type.changes": False,
        # Nobody else commits here.
        "iceberg.engine.hive.lock-enabled": False,
    }
    options = "spark.driver.extraJavaOptions"
    return {
        # Of one gigabyte, Spark's default, three hundred tests with a metastore in memory leave nothing.
        "spark.driver.memory": "3g",
        options: f"{spark_local.CONF[options]} -Dderby.stream.error.file={warehouse.parent}/derby.log",
        "spark.jars": str(jar),
        "spark.sql.extensions": f"{_CLASSES}.extensions.IcebergSparkSessionExtensions",
        _CATALOG: f"{_CLASSES}.SparkCatalog",
        f"{_CATALOG}.type": "hive",
        f"{_CATALOG}.warehouse": str(warehouse),
        f"{_CATALOG}.cache-enabled": False,
        **{f"{_CATALOG}.hadoop.{key}": value for key, value in metastore.items()},
    }


def _site_packages() -> Path:
    found = list(_HOME.glob(".venv/lib/python*/site-packages/feature_store_pyspark"))
    if not found:
        # Its own environment: `uv sync` would take the workspace's for active.
        outside = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        subprocess.run([_uv(), "sync", "--project", str(_HOME), "--frozen", "--quiet"], check=True, env=outside)
        found = list(_HOME.glob(".venv/lib/python*/site-packages/feature_store_pyspark"))
    return found[0].parent


def _uv() -> str:
    own = _ROOT / ".uv/uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if found is None:
        raise FileNotFoundError("uv is needed to fetch Iceberg: run the tests by `make nightly`.")
    return found


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]).returncode)
