"""DuckDB changes no column of a table that has an index: what is in the way is named, with what helps."""

from __future__ import annotations

import duckdb
import pytest

from flowforge_cli.main import main

MODEL = """{{{{ config(materialized='incremental', unique_key='id', on_schema_change='sync_all_columns',
    post_hook='create index if not exists "by id" on {{{{ this }}}} (id)') }}}}
select {} as id, {}"""


@pytest.fixture
def flowforge(capsys, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "project.yml").write_text("name: shop\n", encoding="utf-8")
    profile = "default: {engine: duckdb, duckdb: {path: shop.duckdb}}\n"
    (tmp_path / "profiles.yml").write_text(profile, encoding="utf-8")

    def run(number, columns, code=0):
        (tmp_path / "models" / "i.ff.sql").write_text(MODEL.format(number, columns), encoding="utf-8")
        ended = main(["run", str(tmp_path)])
        said = "".join(capsys.readouterr())
        assert ended == code, said
        return said

    return run


@pytest.mark.parametrize("columns", ["1.2345::decimal(14, 4) as v, 1 as w", "2.5::decimal(10, 2) as v"])
def test_an_index_in_the_way_is_named_with_what_helps(flowforge, tmp_path, columns):
    flowforge(1, "1.5::decimal(10, 2) as v, 2 as w")
    said = flowforge(2, columns, code=1)
    assert "Index of i: by id." in said
    fix = said.partition("Drop it for this run: ")[2].partition("\n")[0]
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(fix)
    flowforge(2, columns)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        assert connection.execute("select count(*) from i").fetchall() == [(2,)]
        assert connection.execute("select index_name from duckdb_indexes()").fetchall() == [("by id",)]
