"""`sync_all_columns` follows the types of the query, and never by rounding or cutting a value that stands."""

from __future__ import annotations

import re

import postgres_server
import pytest

INCREMENTAL = "{{ config(materialized='incremental', on_schema_change='sync_all_columns') }}\nselect "
DUCKDB = "default: {engine: duckdb, duckdb: {path: a.duckdb}}\n"
POSTGRES = "default: {engine: postgres, postgres: {dsn: \"{{ env_var('FF_PG_DSN') }}\"}}\n"


@pytest.fixture(params=["duckdb", "postgres"])
def grow(request, in_shell, new_project):
    dsn = postgres_server.new_database() if request.param == "postgres" else ""
    root = new_project({"profiles.yml": POSTGRES if dsn else DUCKDB, "models/m.ff.sql": ""})

    def run(value, code=0):
        (root / "models/m.ff.sql").write_text(f"{INCREMENTAL}{value} as x\n", encoding="utf-8")
        done = in_shell("flowforge run", root, FF_PG_DSN=dsn, NO_COLOR="1")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr + in_shell("flowforge show m --log-format json", root, FF_PG_DSN=dsn).stdout

    yield run
    if dsn:
        postgres_server.drop_database(dsn)


@pytest.mark.parametrize(
    ("old", "new", "stands"),
    [
        ("cast(19.75 as double precision)", "cast(20 as bigint)", '"x": 19.75'),
        ("cast(1.55 as decimal(3, 2))", "1", '"x": "1.55"'),
        ("'007'", "1", '"x": "007"'),
    ],
)
def test_a_value_that_would_change_is_refused(grow, old, new, stands):
    grow(old)
    said = grow(new, code=1)
    assert "x is now" in said
    assert "would change by it; nothing was written" in said
    assert "m.ff.sql:1" in said
    assert stands in said


def test_a_type_that_every_value_fits_is_followed(grow):
    grow("'7'")
    said = grow("8")
    assert '"x": 7' in said
    assert '"x": 8' in said


@pytest.mark.parametrize("grow", ["postgres"], indirect=True)
def test_bits_of_another_length_are_refused(grow):
    grow("cast('101' as bit(3))")
    said = grow("cast('10101' as bit(5))", code=1)
    assert "x is now bit(5), and values that stand, which are bit(3), would change by it" in said
    assert '"x": "101"' in said


@pytest.mark.parametrize("grow", ["postgres"], indirect=True)
def test_types_without_an_equality_are_compared_as_texts(grow):
    grow("""cast('{"a": 1}' as json)""")
    said = grow("""cast('{"a": 2}' as jsonb)""")
    assert [len(re.findall(rf"\ba\W+{n}\b", said)) for n in (1, 2)] == [1, 1]
