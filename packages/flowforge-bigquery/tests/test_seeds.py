"""Seeds: what the rules make of a CSV file, and what they refuse; the rest is the conformance suite's."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from flowforge_bigquery.csv_types import declared_fit, found_fits, misfit
from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed, SeedOptions


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["true", "FALSE"], "bool"),
        (["1", "-2", "0"], "int64"),
        (["9223372036854775808"], "string"),
        (["+49", "1"], "string"),
        (["007"], "string"),
        (["1", "2.5", "1e+9", ".5", "NaN"], "double"),
        (["1", "1e9"], "string"),
        (["9007199254740993", "0.5"], "string"),
        (["2024-02-29"], "date32[day]"),
        (["2023-02-29"], "string"),
        (["2024-02-29", "2024-02-29 10:11"], "timestamp[us]"),
        (["2024-02-29T10:11:12.123456Z", "2024-02-29 10:11+02:00"], "timestamp[us, tz=UTC]"),
        (["10:11", "10:11:12"], "time64[us]"),
        (["10:11", "25:00"], "string"),
        ([None, None], "string"),
        (["1", None], "int64"),
    ],
)
def test_types_are_found_from_every_value(texts, kind):
    halves = [pa.record_batch([pa.array(part, pa.string())], ["c0"]) for part in (texts[:1], texts[1:])]
    assert [str(fit.type) for fit in found_fits(halves, 1)] == [kind]


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ("varchar", "string"),
        ("BIGINT", "int64"),
        ("double precision", "double"),
        ("numeric(18, 2)", "decimal128(18, 2)"),
        ("bignumeric", "decimal256(76, 38)"),
        ("datetime", "timestamp[us]"),
        ("timestamp", "timestamp[us, tz=UTC]"),
        ("geography", None),
        ("numeric(99, 2)", None),
    ],
)
def test_declared_types_are_those_of_bigquery(wanted, kind):
    fit = declared_fit(wanted)
    assert (fit and str(fit.type)) == kind


def test_the_first_value_that_does_not_fit_is_named():
    assert misfit(pa.array(["1", None, "many", "more"]), declared_fit("int64")) == "many"
    assert misfit(pa.array([" 1 ", None]), declared_fit("int64")) is None


def test_compressed_csv_with_blank_lines_and_quotes(engine, tmp_path):
    text = 'id,name\n\n1,"a ""b""\nc"\n2,\n'
    (tmp_path / "seed.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert engine.seeds.load(seed(tmp_path, "seed.csv.gz"), "ff_seed") == 2
    assert sorted(engine.session.query("select id, name from ff_seed").rows) == [(1, 'a "b"\nc'), (2, None)]


def test_a_text_of_megabytes_arrives_whole(engine, tmp_path):
    long = "é\n" * 1_500_000
    (tmp_path / "seed.csv").write_text(f'id,name\n0,"é"\n1,"{long}"\n2,x\n', "utf-8")
    assert engine.seeds.load(seed(tmp_path), "ff_seed") == 3
    found = engine.session.query("select id, length(name) from ff_seed").rows
    assert sorted(found) == [(0, 1), (1, 3_000_000), (2, 1)]


def test_declared_values_arrive_in_their_types(engine, tmp_path):
    kinds = {"n": "numeric(10, 2)", "z": "timestamp", "t": "time", "s": "string"}
    (tmp_path / "seed.csv").write_text("n,z,t,s\n1.5,2024-01-01 00:00:00Z,10:11,007\n")
    engine.seeds.load(seed(tmp_path, options=SeedOptions(column_types=kinds)), "ff_seed")
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert engine.session.query("select * from ff_seed").rows == [(Decimal("1.50"), at, time(10, 11), "007")]


def test_types_nobody_knows_are_refused(engine, tmp_path):
    (tmp_path / "seed.csv").write_text("a\n1\n")
    with pytest.raises(SeedError, match="hugeint"):
        engine.seeds.load(seed(tmp_path, options=SeedOptions(column_types={"a": "hugeint"})), "ff_seed")


def test_parquet_takes_declared_types(engine, tmp_path):
    parquet.write_table(pa.table({"a": [1, 2], "b": [Decimal("1.10"), None]}), tmp_path / "seed.parquet")
    options = SeedOptions(column_types={"a": "string"})
    assert engine.seeds.load(seed(tmp_path, "seed.parquet", "parquet", options), "ff_seed") == 2
    assert engine.catalog.columns("ff_seed") == [("a", "STRING"), ("b", "NUMERIC")]


def seed(folder, name="seed.csv", kind="csv", options=None):
    return Seed("ff_seed", kind, folder / name, "ff_seed", f"seeds/{name}", options or SeedOptions())
