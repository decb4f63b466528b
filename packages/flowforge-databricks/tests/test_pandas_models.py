"""Models that are written for pandas: Spark gives them a frame of its own, which can be converted both ways."""

from __future__ import annotations

import json

import pytest

from flowforge import Project

HEAD = "from flowforge import model\n\n\n@model(deps=['users'])\ndef {}(df):\n    return {}\n"
BODIES = {
    "assigned": "df.assign(b=1)",
    "called": "df.select(df['email'].str.lower())",
    "converted": "df.sparkSession.createDataFrame(df.toPandas().assign(b=1))",
}


@pytest.fixture
def report(settings, tmp_path):
    profile = {"default": {"engine": "databricks_spark", "databricks_spark": settings}}
    models = {f"models/{name}.ff.py": HEAD.format(name, body) for name, body in BODIES.items()}
    sql = {"models/users.ff.sql": "select 'A@x' as email"}
    for name, text in {"profiles.yml": json.dumps(profile, default=str), **models, **sql}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with Project.load(tmp_path) as project:
        yield project.run()


def test_what_pandas_has_and_sparks_frame_has_not_is_told_with_that_frame_and_the_way_out(report):
    errors = {result.name: str(result.error) for result in report.results if result.error}
    assert errors.keys() == {"assigned", "called"}
    assert "models/assigned.ff.py:6" in errors["assigned"]
    for said in errors.values():
        last = said.splitlines()[-1]
        assert "given, pyspark.sql." in last
        assert ".DataFrame." in last
        assert "docs/guide/models.md" in last
