"""Models run on classic Spark where pandas cannot be imported, and on the Java of a package from PyPI."""

from __future__ import annotations

import os
import subprocess
import sys

import spark_local

_SCRIPT = """
import sys
for name in ("pandas", "numpy", "pyarrow"):
    sys.modules[name] = None
from flowforge import Project
project = Project.load(".")
assert project.seed().results[0].rows == 2
report = project.run()
assert report.ok, report
assert project.show("doubled").rows == [("007", 2.0), ("012", 4.0)]
print("whole")
"""
_MODEL = """
from flowforge import model

@model(deps=["numbers"], requires={"numbers": {"code", "amount"}})
def doubled(df):
    return df.withColumn("amount", df["amount"] * 2).orderBy("code")
"""
_PROFILE = """
default:
  engine: databricks_spark
  databricks_spark:
    master: local[2]
    metastore: memory
    database: shop
    conf: {spark.ui.enabled: false, spark.sql.shuffle.partitions: 1}
"""


def test_models_run_without_pandas_on_packaged_java(tmp_path):
    project = tmp_path / "project"
    for folder in ("models", "seeds"):
        (project / folder).mkdir(parents=True)
    (project / "project.yml").write_text("name: shop\n")
    (project / "profiles.yml").write_text(_PROFILE)
    (project / "seeds/prices.csv").write_text("code,amount\n007,1\n012,2\n")
    (project / "models/numbers.ff.sql").write_text(
        "select code, cast(amount as double) as amount from {{ ref('prices') }}"
    )
    (project / "models/doubled.ff.py").write_text(_MODEL)
    java = spark_local.packaged_java(tmp_path / "java")
    environment = {**os.environ, **spark_local.quick_commands(), "JAVA_HOME": str(java)}
    command = [sys.executable, "-c", _SCRIPT]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=280)
    assert done.stdout.strip().endswith("whole"), done.stdout[-2000:] + done.stderr[-4000:]
