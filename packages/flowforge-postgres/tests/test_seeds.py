"""Seed files on PostgreSQL: what the rules of every engine leave to this one's way of reading."""

# ruff: noqa: DTZ001 - timestamps without a zone are meant
from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from flowforge_app.load_sql import load_sql
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_testkit.conformance.ground import build, rows, transaction
from flowforge_testkit.conformance.seeds import load

INFERRED = {
    "integers": (["0", "-7", "9223372036854775807"], [0, -7, 2**63 - 1], "bigint"),
    "too large": (["1", "9223372036854775808"], ["1", "9223372036854775808"], "text"),
    "beyond a double": (["1.5", "9007199254740993"], ["1.5", "9007199254740993"], "text"),
    "plus": (["+49", "1"], ["+49", "1"], "text"),
    "leading zero": (["00712", "1"], ["00712", "1"], "text"),
    "doubles": (["1.5", "-.5", "1e+3", "2."], [1.5, -0.5, 1000.0, 2.0], "double precision"),
    "comma": (['"1,5"'], ["1,5"], "text"),
    "booleans": (["true", "FALSE", ""], [True, False, None], "boolean"),
    "days": (["2024-02-29", "1900-01-01"], [date(2024, 2, 29), date(1900, 1, 1)], "date"),
    "no day": (["2023-02-29"], ["2023-02-29"], "text"),
    "no order": (["29.02.2024"], ["29.02.2024"], "text"),
    "moments": (
        ["2024-02-29 23:59:59.5", "2024-02-29"],
        [datetime(2024, 2, 29, 23, 59, 59, 500000), datetime(2024, 2, 29)],
        "timestamp without time zone",
    ),
    "midnight of the next day": (["2024-02-29 24:00:00"], ["2024-02-29 24:00:00"], "text"),
    "zoned": (["2024-02-29T12:00:00+02:00"], [datetime(2024, 2, 29, 10, tzinfo=UTC)], "timestamp with time zone"),
    "times": (["12:30", "23:59:59.999999"], [time(12, 30), time(23, 59, 59, 999999)], "time without time zone"),
    "spaces": ([" 1", "2"], [" 1", "2"], "text"),
    "nothing": (["", ""], [None, None], "text"),
    "words of postgres": (["now", "infinity", "today"], ["now", "infinity", "today"], "text"),
    "injection": (["'); drop table ff_t; --"], ["'); drop table ff_t; --"], "text"),
    "backslashes": (["\\N", "\\.", "\\x00"], ["\\N", "\\.", "\\x00"], "text"),
}


@pytest.mark.parametrize(("texts", "values", "kind"), INFERRED.values(), ids=INFERRED)
def test_type_is_the_first_that_loses_nothing(engine, tmp_path, texts, values, kind):
    lines = ["place,found", *(f"{i},{text}" for i, text in enumerate(texts))]
    assert load(engine, tmp_path, "\n".join(lines)) == len(texts)
    assert [value for _, value in rows(engine, "select place, found from ff_seed")] == values
    assert engine.catalog.columns("ff_seed")[1] == ("found", kind)


def test_wrong_guess_is_found_however_late_it_comes(engine, tmp_path):
    lines = ["a,b", *("1,2024-01-01" for _ in range(5_000)), "1.5,2024-01-01 12:00", "x,"]
    load(engine, tmp_path, "\n".join(lines))
    assert [kind for _, kind in engine.catalog.columns("ff_seed")] == ["text", "timestamp without time zone"]


def test_file_wider_than_one_select(engine, tmp_path):
    names = [f"c{i}" for i in range(400)]
    values = ["x" if i % 100 == 99 else str(i) for i in range(400)]
    load(engine, tmp_path, f"{','.join(names)}\n{','.join(values)}\n")
    assert [kind for _, kind in engine.catalog.columns("ff_seed")] == (["bigint"] * 99 + ["text"]) * 4


def test_blank_lines_are_no_rows(engine, tmp_path):
    assert load(engine, tmp_path, '\nid,name\n\n1,"two\n\nlines"\n\n2,b\n\n\n') == 2
    assert rows(engine, "select id, name from ff_seed") == [(1, "two\n\nlines"), (2, "b")]


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"id,name\n1,ann\n2,b\0b\n", 3, "NUL"),
        (b"id,name\n1,ann\n2,\xe9\n", 3, "UTF-8"),
        ("id,name\n1,ann\n".encode("utf-16"), 1, "UTF-16"),
        (b'id,name\n1,"ann"x\n', 2, "more text"),
        (b'id,name\n1,ann\n2,"bob\n', 3, "never ends"),
        (b"id,name\r\n1,ann\r\n2,bob\n3,eve\r\n", 3, "another way"),
        (b"id,name\n1,ann\n2,bob,\n", 3, "Expected 2"),
        (b"id,\n1,ann\n", 1, "no name"),
        (b"   \n", 1, "no name"),
        (b"\n\n", 0, "empty"),
    ],
)
def test_broken_file_is_refused_with_its_line(engine, tmp_path, content, line, said):
    (tmp_path / "seed.csv").write_bytes(content)
    with pytest.raises(SeedError, match=said) as caught, transaction(engine):
        engine.seeds.load(seed(tmp_path), "ff_seed")
    assert caught.value.where.line == line or not line, str(caught.value)
    assert engine.catalog.relations() == {}


def test_gzip_bom_and_long_values(engine, tmp_path):
    value = "x" * 1_000_000
    (tmp_path / "seed.csv.gz").write_bytes(gzip.compress(f"\ufeffid,name\r\n1,{value}\r\n".encode()))
    with transaction(engine):
        assert engine.seeds.load(seed(tmp_path, "seed.csv.gz"), "ff_seed") == 1
    assert rows(engine, "select id, length(name) from ff_seed") == [(1, 1_000_000)]
    (tmp_path / "seed.csv.gz").write_bytes(gzip.compress(b"id\n1\n")[:-6])
    with pytest.raises(SeedError, match="cut off"), transaction(engine):
        engine.seeds.load(seed(tmp_path, "seed.csv.gz"), "ff_seed")


def test_declared_types(engine, tmp_path):
    declared = {"a": "decimal(18, 2)", "b": "varchar(3)", "c": "double", "d": "Timestamp with time zone", "e": "text"}
    load(engine, tmp_path, "a,b,c,d,e\n1.5,xyz,1,2024-01-01 12:00+00,007\n", SeedOptions(column_types=declared))
    assert rows(engine, "select a, b, c, e from ff_seed") == [(Decimal("1.50"), "xyz", 1.0, "007")]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("decimal(18, 2)", "1.555"),
        ("varchar(3)", "wxyz"),
        ("int", "1.5"),
        ("date", "2024-01-01 12:00"),
        ("smallint", "70000"),
    ],
)
def test_value_that_a_declared_type_would_change_is_refused(engine, tmp_path, kind, value):
    with pytest.raises(SeedError, match="'a' holds") as caught:
        load(engine, tmp_path, f"a\n\n{value}\n", SeedOptions(column_types={"a": kind}))
    assert caught.value.where.line == 3


@pytest.mark.parametrize(
    "kind", ["nosuch", "int) from pg_class; --", "int; drop table ff_t", '"int"', "text as x, 1", ""]
)
def test_declared_type_that_is_none_is_refused(engine, tmp_path, kind):
    with pytest.raises(SeedError, match="no type of PostgreSQL"):
        load(engine, tmp_path, "a\n1\n", SeedOptions(column_types={"a": kind}))


def test_quoted_nothing_is_null_too(engine, tmp_path):
    load(engine, tmp_path, 'id,name\n1,""\n2,\n')
    assert rows(engine, "select id, name from ff_seed") == [(1, None), (2, None)]


def test_tab_and_bar_are_found_in_the_header(engine, tmp_path):
    for sign in "\t|;":
        load(engine, tmp_path, f'id{sign}"a,b"\n1{sign}x\n')
        assert [name for name, _ in engine.catalog.columns("ff_seed")] == ["id", "a,b"]


def test_view_on_a_seed_outlives_its_loading(engine, tmp_path):
    load(engine, tmp_path, "id\n1\n")
    build(engine, "ff_v", "select id from ff_seed", "view")
    load(engine, tmp_path, "id\n2\n")
    assert rows(engine, "select id from ff_v") == [(2,)]


def test_older_servers_try_casts_themselves(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("flowforge_postgres.seeds._INPUT_IS_VALID", 10**9)
    load(engine, tmp_path, "a,b\n1,2023-02-29\n2,2024-02-29\n")
    assert [kind for _, kind in engine.catalog.columns("ff_seed")] == ["bigint", "text"]


def test_parquet_keeps_types_and_takes_declared_ones(engine, tmp_path):
    table = pa.table({"a": pa.array([1, 2]), "b": pa.array([Decimal("1.10"), None]), "c": pa.array([["x"], None])})
    parquet.write_table(table, tmp_path / "seed.parquet")
    options = SeedOptions(column_types={"a": "text"})
    with transaction(engine):
        assert engine.seeds.load(seed(tmp_path, "seed.parquet", "parquet", options), "ff_seed") == 2
    assert engine.catalog.columns("ff_seed") == [("a", "text"), ("b", "numeric(3,2)"), ("c", "text[]")]
    options = SeedOptions(column_types={"c": "bigint"})
    with pytest.raises(SeedError), transaction(engine):
        engine.seeds.load(seed(tmp_path, "seed.parquet", "parquet", options), "ff_seed")
    assert rows(engine, "select a from ff_seed") == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([1]).view(pa.timestamp("ns")), "Column 'a' holds nanoseconds"),
        (pa.array([-(2**31)], pa.int32()).view(pa.date32()), "Column 'a' cannot be stored: overflow."),
    ],
    ids=["nanoseconds", "a day too far"],
)
def test_parquet_that_cannot_be_stored_is_refused_as_a_file(engine, tmp_path, column, said):
    parquet.write_table(pa.table({"a": column}), tmp_path / "seed.parquet")
    with pytest.raises(SeedError) as caught, transaction(engine):
        engine.seeds.load(seed(tmp_path, "seed.parquet", "parquet"), "ff_seed")
    assert caught.value.message.startswith(said)
    assert "frame" not in f"{caught.value}"


def test_sql_seed_points_into_its_file(engine, tmp_path):
    (tmp_path / "seed.sql").write_text("create table ff_seed as\nselect 1 as a,\n  nosuch as b\n")
    with pytest.raises(SeedError) as caught, transaction(engine):
        load_sql(seed(tmp_path, "seed.sql", "sql"), None, engine)
    assert (caught.value.where.line, "nosuch as b" in caught.value.snippet) == (3, True)


def seed(folder, name="seed.csv", kind="csv", options=None):
    return Seed("ff_seed", kind, folder / name, "ff_seed", f"seeds/{name}", options or SeedOptions())
