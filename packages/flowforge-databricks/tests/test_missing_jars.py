"""A profile whose format, or catalog, has no jar: the message names it, and how `conf` gives it to Spark."""

from __future__ import annotations

import json

import pytest

from flowforge_cli.main import main

_LAKE = {"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog"}
_ICEBERG = "`spark.jars.packages: org.apache.iceberg:iceberg-spark-runtime-"


@pytest.mark.parametrize(
    ("more", "said", "fix"),
    [
        ({"format": "iceberg", "catalog": "lake"}, "cannot find the plugin class", _ICEBERG),
        ({"format": "iceberg"}, "Failed to find the data source: iceberg", _ICEBERG),
        ({"format": "delta"}, "Failed to find the data source: delta", "`spark.jars.packages: io.delta:delta-spark_"),
    ],
)
def test_the_jar_is_named(settings, tmp_path, monkeypatch, capsys, more, said, fix):
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n")
    (tmp_path / "models/n.ff.sql").write_text("select 1 as a")
    profile = {**settings, **more, "conf": {**settings["conf"], **_LAKE}}
    shown = {"default": {"engine": "databricks_spark", "databricks_spark": profile}}
    (tmp_path / "profiles.yml").write_text(json.dumps(shown))
    monkeypatch.chdir(tmp_path)
    assert main(["run"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("✗ profiles.yml:1: ")
    assert said in told
    assert fix in told
    assert "or the file of its jar in `spark.jars`." in told
