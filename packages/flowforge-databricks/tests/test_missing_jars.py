"""A profile whose format, or catalog, has no jar: the message names it, and how `conf` gives it to Spark."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from flowforge_cli.main import main

_LAKE = {"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog"}
_ICEBERG = "`spark.jars.packages: org.apache.iceberg:iceberg-spark-runtime-"


@pytest.fixture
def project(settings, tmp_path):
    """Write a project whose profile has more settings, and return its folder."""

    def written(**more):
        (tmp_path / "models").mkdir()
        (tmp_path / "project.yml").write_text("name: shop\n")
        (tmp_path / "models/n.ff.sql").write_text("select 1 as a")
        profile = {**settings, **more, "conf": {**settings["conf"], **_LAKE}}
        shown = {"default": {"engine": "databricks_spark", "databricks_spark": profile}}
        (tmp_path / "profiles.yml").write_text(json.dumps(shown))
        return tmp_path

    return written


@pytest.mark.parametrize(
    ("form", "fix"), [("iceberg", _ICEBERG), ("delta", "`spark.jars.packages: io.delta:delta-spark_")]
)
def test_the_jar_of_a_format_is_named(project, monkeypatch, capsys, form, fix):
    monkeypatch.chdir(project(format=form))
    assert main(["run"]) == 1
    assert_told(capsys.readouterr().err, f"Failed to find the data source: {form}", fix)


def test_the_jar_of_a_catalog_is_named(project):
    # A process of its own: a Spark that runs already knows the catalogs that it was started with.
    command = [sys.executable, "-m", "flowforge", "run"]
    done = subprocess.run(command, cwd=project(format="iceberg", catalog="lake"), capture_output=True, text=True)
    assert done.returncode == 1
    assert_told(done.stderr, "cannot find the plugin class", _ICEBERG)


def assert_told(told, said, fix):
    assert "✗ profiles.yml:1: " in told
    assert said in told
    assert fix in told
    assert "or the file of its jar in `spark.jars`." in told
