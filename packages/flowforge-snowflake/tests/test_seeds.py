"""Seeds: the types of a column, and what only Snowflake's way of loading could get wrong."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from flowforge_domain.catalog import kinds
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_snowflake.csv_types import Column, declared_fit
from flowforge_snowflake.session import SnowflakeSession
from flowforge_testkit.conformance.ground import build, rows, seeds_of, transaction

TYPES = [
    (["1", "-2", "9223372036854775807"], "number(38, 0)"),
    (["9223372036854775808"], "varchar"),
    (["007"], "varchar"),
    (["+1"], "varchar"),
    (["-0"], "double"),
    (["1", "2.5"], "double"),
    (["1", "2.5", "1", "2.5"], "double"),
    (["1", "x", "1"], "varchar"),
    (["."], "varchar"),
    (["nan", "-inf", "1e300"], "varchar"),
    (["nan", "-inf", "1e+300"], "double"),
    (["9007199254740993", "0.5"], "varchar"),
    (["true", "FALSE"], "boolean"),
    (["t"], "varchar"),
    (["2024-02-29"], "date"),
    (["2023-02-29"], "varchar"),
    (["2024-02-29", "2024-02-29 10:11:12"], "timestamp_ntz"),
    (["2024-02-29 10:11:12.123456"], "timestamp_ntz"),
    (["2024-02-29T10:11:12+02:00", "2024-02-29 10:11Z"], "timestamp_tz"),
    (["2024-02-29 25:00"], "varchar"),
    (["10:11", "23:59:59.5"], "time"),
    (["5", "2024-02-29"], "varchar"),
    ([], "varchar"),
]


@pytest.mark.parametrize(("texts", "wanted"), TYPES, ids=lambda value: str(value))
def test_a_column_gets_the_narrowest_type_that_loses_nothing(texts, wanted):
    column = Column("a")
    assert all(column.take(text) for text in texts)
    assert column.type == wanted


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("BIGINT", "12", "many"),
        ("number(10)", "-3", "1.5"),
        ("decimal(18, 2)", "1.25", "x"),
        ("double", "1e5", "x"),
        ("boolean", "yes", "perhaps"),
        ("date", "2024-02-29", "2023-02-29"),
        ("timestamp_ntz", "2024-02-29 10:11:12", "noon"),
    ],
)
def test_a_declared_type_takes_its_values_only(kind, good, bad):
    fit = declared_fit(kind)
    assert (fit.matches(good), fit.matches(bad)) == (True, False)


@pytest.mark.parametrize("kind", ["varchar(10)", "variant", "timestamp_tz", "double precision"])
def test_any_other_name_of_a_type_is_left_to_snowflake(kind):
    assert declared_fit(kind).type == kind


@pytest.mark.parametrize("kind", ["", "int); drop table x; --", "int, b int", "number(1", 'a"b'])
def test_what_can_be_no_type_is_none(kind):
    assert declared_fit(kind) is None


def test_rows_are_sent_so_that_nobody_guesses(engine, tmp_path):
    assert load(engine, seed(tmp_path, 'id,text\n007,"a ""b"""\n,NULL\n 5,"two\nlines"\n')) == 3
    found = rows(engine, "select id, text from ff_seed")
    assert found == [(" 5", "two\nlines"), ("007", 'a "b"'), (None, "NULL")]


def test_a_value_that_no_text_of_snowflake_holds_is_told(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("flowforge_snowflake.seeds._LONGEST_VALUE", 3)
    with pytest.raises(SeedError, match="16 MB") as caught:
        load(engine, seed(tmp_path, "id\n1\n1234\n"))
    assert caught.value.where.line == 3


def test_one_empty_column_is_null_and_no_line_is_lost(engine, tmp_path):
    assert load(engine, seed(tmp_path, 'a,b\n1,\n2,""\n3,x\n')) == 3
    assert rows(engine, "select count(*), count(b) from ff_seed") == [(3, 1)]


def test_a_compressed_file_is_read(engine, tmp_path):
    (tmp_path / "seed.csv.gz").write_bytes(gzip.compress(b"id\n1\n2\n"))
    assert load(engine, Seed("ff_seed", "csv", tmp_path / "seed.csv.gz", "ff_seed", "seeds/seed.csv.gz")) == 2


def test_a_file_that_is_cut_off_is_told(engine, tmp_path):
    (tmp_path / "seed.csv.gz").write_bytes(gzip.compress(b"id\n1\n2\n")[:-6])
    with pytest.raises(SeedError, match="cut off"):
        load(engine, Seed("ff_seed", "csv", tmp_path / "seed.csv.gz", "ff_seed", "seeds/seed.csv.gz"))


def test_nothing_is_left_behind(engine, tmp_path):
    load(engine, seed(tmp_path, "id\n1\n"))
    assert kinds(engine.catalog.relations()) == {"ff_seed": "table"}


def test_a_seed_goes_into_a_schema_of_its_own(engine, tmp_path):
    made = seed(tmp_path, "id\n1\n")
    with transaction(engine):
        seeds_of(engine).load(made, "ff_raw.ff_seed")
    build(engine, "ff_t", "select id from ff_raw.ff_seed")
    assert kinds(engine.catalog.relations()) == {"ff_raw.ff_seed": "table", "ff_t": "table"}


def test_declared_type_that_snowflake_lacks_names_the_file(engine, tmp_path):
    with pytest.raises(SeedError, match="no type of Snowflake"):
        load(engine, seed(tmp_path, "id\n1\n", SeedOptions(column_types={"id": "int); drop table x; --"})))


def seed(folder, text, options=None):
    (folder / "seed.csv").write_text(text, encoding="utf-8")
    return Seed("ff_seed", "csv", folder / "seed.csv", "ff_seed", "seeds/seed.csv", options or SeedOptions())


def load(engine, made):
    with transaction(engine):
        return seeds_of(engine).load(made, "ff_seed")


def test_parquet_is_read_by_the_types_that_the_file_tells(engine, tmp_path, monkeypatch):
    # The emulator goes by them always; Snowflake only where it is told to.
    held = {"moment": [datetime(1970, 1, 5, tzinfo=UTC)], "raw": [b"ab"]}
    parquet.write_table(pa.table(held), tmp_path / "seed.parquet")
    run, sent = SnowflakeSession.ran, []
    monkeypatch.setattr(SnowflakeSession, "ran", lambda session, sql: sent.append(sql) or run(session, sql))
    assert load(engine, Seed("ff_seed", "parquet", tmp_path / "seed.parquet", "ff_seed")) == 1
    (copied,) = (sql for sql in sent if sql.startswith("copy into"))
    assert "use_logical_type = true binary_as_text = false" in copied
    assert rows(engine, "select moment, raw from ff_seed") == [(held["moment"][0], b"ab")]
