"""Seeds: files that become tables, by the same rules on every engine."""

from __future__ import annotations

from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pytest

from flowforge_app.load_seeds import LoadSeeds
from flowforge_app.load_sql import load_sql
from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import FlowForgeError, SeedError, UnsupportedByEngineError
from flowforge_domain.model import Seed, SeedOptions
from flowforge_ports.engine import Engine
from flowforge_testkit.conformance.ground import build, claims, clear, existing, needs, rows, seeds_of, transaction
from flowforge_testkit.fakes import Recorder, claim, memory_project

csv_seeds = needs(Capability.CSV_SEEDS)
sql_seeds = needs(Capability.SQL_SEEDS)

_AS_IT_IS = SeedOptions()


@csv_seeds
def test_csv_becomes_a_table(engine: Engine, tmp_path: Path) -> None:
    assert load(engine, tmp_path, "id,name\n1,ann\n2,bob\n") == 2
    assert rows(engine, "select id, name from ff_seed") == [(1, "ann"), (2, "bob")]


@csv_seeds
@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2", "9223372036854775807"], [1, -2, 2**63 - 1]),
        (["1.5", "2", "-0.25"], [1.5, 2.0, -0.25]),
        (["true", "false"], [True, False]),
        (["x", "1"], ["x", "1"]),
        (["007", "12"], ["007", "12"]),
        (["0", "10"], [0, 10]),
        (["0.5", "0"], [0.5, 0.0]),
        (["1", ""], [1, None]),
        (["12345678901234567.25", "0.5"], ["12345678901234567.25", "0.5"]),
        (["0.30000000000000004", "0.12345678901234567890"], ["0.30000000000000004", "0.12345678901234567890"]),
        (["0.30000000000000004", "2.500000000000000000000"], [0.30000000000000004, 2.5]),
        (["1201", "12e5", "1E9"], ["1201", "12e5", "1E9"]),
        (["1e-05", "1E+5", "1.5E9", "2"], [0.00001, 100_000.0, 1.5e9, 2.0]),
    ],
    ids=[
        "integers",
        "decimals",
        "booleans",
        "mixed-is-text",
        "leading-zeros",
        "plain-zero",
        "below-one",
        "empty-is-null",
        "too-large-for-a-double",
        "too-fine-for-a-double",
        "as-a-double-is-written",
        "a-code-with-an-e",
        "as-programs-write-an-exponent",
    ],
)
def test_csv_types_are_found(engine: Engine, tmp_path: Path, texts: list[str], values: list[Any]) -> None:
    load(engine, tmp_path, "\n".join(["place,found", *(f"{i},{text}" for i, text in enumerate(texts)), ""]))
    found = [value for _, value in rows(engine, "select place, found from ff_seed")]
    assert found == values
    assert [isinstance(v, str) for v in found] == [isinstance(v, str) for v in values]


@csv_seeds
def test_csv_dates_and_timestamps_are_found(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, "day,moment\n2024-02-29,2024-02-29 10:11:12\n2024-03-01,2024-03-01 00:00:00\n")
    found = rows(engine, "select day, moment from ff_seed")
    assert [(as_date(d), as_timestamp(at)) for d, at in found] == [
        (date(2024, 2, 29), datetime.fromisoformat("2024-02-29T10:11:12")),
        (date(2024, 3, 1), datetime.fromisoformat("2024-03-01T00:00:00")),
    ]


@csv_seeds
def test_csv_leading_zero_is_kept_however_late_it_comes(engine: Engine, tmp_path: Path) -> None:
    lines = ["id,code", *(f"{i},{i % 900 + 100}" for i in range(60_000)), "60000,00712", ""]
    assert load(engine, tmp_path, "\n".join(lines)) == 60_001
    assert rows(engine, "select code from ff_seed where id >= 59999") == [("00712",), ("699",)]


@csv_seeds
def test_csv_text_is_kept_whatever_it_holds(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, 'id,text\n1,"a,b"\n2,"say ""so"""\n3,"two\nlines"\n4,🦆 it\'s;--\n5, padded \n')
    found = [text for _, text in rows(engine, "select id, text from ff_seed")]
    assert found == ["a,b", 'say "so"', "two\nlines", "🦆 it's;--", " padded "]


@csv_seeds
def test_csv_quote_in_a_value_without_quotes_is_kept(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, 'id,text\n1,5" pipe 3"\n2,a""b\n3,x"\n4,"a,b"\n')
    found = [text for _, text in rows(engine, "select id, text from ff_seed")]
    assert found == ['5" pipe 3"', 'a""b', 'x"', "a,b"]


@csv_seeds
def test_csv_declared_types_win(engine: Engine, tmp_path: Path) -> None:
    options = SeedOptions(column_types={"code": "varchar", "share": "double"})
    load(engine, tmp_path, "id,code,share\n1,12,1\n", options)
    assert rows(engine, "select id, code, share from ff_seed") == [(1, "12", 1.0)]


@csv_seeds
def test_csv_declared_type_of_no_column_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="nope"):
        load(engine, tmp_path, "id\n1\n", SeedOptions(column_types={"nope": "varchar"}))


@csv_seeds
def test_csv_value_against_its_declared_type_names_row_and_column(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="count") as caught:
        load(engine, tmp_path, "id,count\n1,1\n2,many\n", SeedOptions(column_types={"count": "bigint"}))
    assert_names(caught.value, 3)


@csv_seeds
def test_csv_delimiter_and_quote_are_options(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, "id;text\n1;'a;b'\n", SeedOptions(delimiter=";", quote="'"))
    assert rows(engine, "select id, text from ff_seed") == [(1, "a;b")]


@csv_seeds
def test_csv_null_is_an_option(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, "id,count\n1,NA\n2,5\n", SeedOptions(null="NA"))
    assert rows(engine, "select id, count from ff_seed") == [(1, None), (2, 5)]


@csv_seeds
def test_csv_encoding_is_an_option(engine: Engine, tmp_path: Path) -> None:
    write_bytes(tmp_path, "id,name\n1,Zoë\n".encode("latin-1"))
    with transaction(engine):
        seeds_of(engine).load(seed(tmp_path, options=SeedOptions(encoding="latin-1")), "ff_seed")
    assert rows(engine, "select name from ff_seed") == [("Zoë",)]


@csv_seeds
def test_csv_in_another_encoding_than_said_is_refused(engine: Engine, tmp_path: Path) -> None:
    write_bytes(tmp_path, "id,name\n1,Zoë\n".encode("latin-1"))
    with pytest.raises(SeedError) as caught, transaction(engine):
        seeds_of(engine).load(seed(tmp_path), "ff_seed")
    assert_names(caught.value, 0)


@csv_seeds
def test_csv_byte_order_mark_is_no_part_of_a_name(engine: Engine, tmp_path: Path) -> None:
    write_bytes(tmp_path, b"\xef\xbb\xbfid,name\r\n1,ann\r\n")
    with transaction(engine):
        seeds_of(engine).load(seed(tmp_path), "ff_seed")
    assert [name for name, _ in engine.catalog.columns("ff_seed")] == ["id", "name"]
    assert rows(engine, "select id, name from ff_seed") == [(1, "ann")]


@csv_seeds
def test_csv_with_a_header_only_is_an_empty_table(engine: Engine, tmp_path: Path) -> None:
    assert load(engine, tmp_path, "id,name\n") == 0
    assert [name for name, _ in engine.catalog.columns("ff_seed")] == ["id", "name"]


@csv_seeds
@pytest.mark.parametrize(
    "text",
    ["", "id,name\n1,ann\n2\n", "id,name\n1,ann\n2,bob,extra\n", "id,id\n1,2\n"],
    ids=["empty", "short-row", "long-row", "twice-the-name"],
)
def test_bad_csv_is_refused_and_leaves_the_old_table(engine: Engine, tmp_path: Path, text: str) -> None:
    load(engine, tmp_path, "id,name\n1,old\n")
    with pytest.raises(SeedError) as caught:
        load(engine, tmp_path, text)
    assert_names(caught.value, 3 if "ann" in text else 0)
    assert rows(engine, "select name from ff_seed") == [("old",)]


@csv_seeds
def test_missing_file_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SeedError) as caught, transaction(engine):
        seeds_of(engine).load(seed(tmp_path), "ff_seed")
    assert_names(caught.value, 0)


@needs(Capability.CSV_SEEDS)
@claims(Capability.VIEWS)
def test_csv_replaces_a_view(engine: Engine, tmp_path: Path) -> None:
    build(engine, "ff_seed", "select 1 as a", "view")
    load(engine, tmp_path, "id\n1\n")
    assert kinds(engine.catalog.relations()) == {"ff_seed": "table"}


@needs(Capability.CSV_SEEDS)
@claims(Capability.TRANSACTIONAL_SEEDS)
def test_bad_seed_leaves_every_earlier_table_of_the_command(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, "id\n1\n")
    (tmp_path / "good.csv").write_text("id\n2\n", encoding="utf-8")
    (tmp_path / "bad.csv").write_text("id,name\n2\n", encoding="utf-8")
    with pytest.raises(SeedError), transaction(engine):
        seeds_of(engine).load(seed(tmp_path, "good.csv"), "ff_seed")
        seeds_of(engine).load(seed(tmp_path, "bad.csv"), "ff_other")
    assert kinds(engine.catalog.relations()) == {"ff_seed": "table"}
    assert rows(engine, "select id from ff_seed") == [(1,)]


@sql_seeds
@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as id union all select 2",
        "create table ff_seed as select 1 as id union all select 2;",
        "-- two rows\ncreate or replace table ff_seed as\nselect 1 as id union all select 2\n",
    ],
    ids=["select", "create-as", "create-or-replace"],
)
def test_sql_seed_is_a_select_or_a_create_as(engine: Engine, tmp_path: Path, sql: str) -> None:
    for _ in range(2):
        assert load_query(engine, tmp_path, sql) == 2
    assert rows(engine, "select id from ff_seed") == [(1,), (2,)]


@sql_seeds
@pytest.mark.parametrize(
    "sql",
    ["", "select 1 as id; drop table ff_old", "drop table ff_old", "delete from ff_old", "select id from ff_nowhere"],
    ids=["empty", "two-statements", "drop", "delete", "missing-table"],
)
def test_sql_seed_that_is_anything_else_is_refused(engine: Engine, tmp_path: Path, sql: str) -> None:
    build(engine, "ff_old", "select 1 as a")
    with pytest.raises(FlowForgeError) as caught:
        load_query(engine, tmp_path, sql)
    if isinstance(caught.value, UnsupportedByEngineError):
        raise caught.value
    assert_names(caught.value, 0)
    assert kinds(engine.catalog.relations()) == {"ff_old": "table"}
    assert rows(engine, "select a from ff_old") == [(1,)]


@needs(Capability.PARQUET_SEEDS)
def test_parquet_becomes_a_table(engine: Engine, tmp_path: Path) -> None:
    """The file holds 64-bit integers, text, floats and text of digits, some of them NULL."""
    content = resources.files("flowforge_testkit.conformance").joinpath("people.parquet").read_bytes()
    write_bytes(tmp_path, content, "seed.parquet")
    with transaction(engine):
        assert seeds_of(engine).load(seed(tmp_path, "seed.parquet", "parquet"), "ff_seed") == 3
    assert rows(engine, "select id, name, share, code from ff_seed") == [
        (1, "ann", 0.5, "007"),
        (2, None, 1.0, "12"),
        (2**53 + 1, "it's 🦆", None, "0"),
    ]


@needs(Capability.PARQUET_SEEDS)
def test_parquet_that_is_none_is_refused_by_name(engine: Engine, tmp_path: Path) -> None:
    write_bytes(tmp_path, b"PAR1 this is no parquet PAR1", "seed.parquet")
    with pytest.raises(SeedError) as caught, transaction(engine):
        seeds_of(engine).load(seed(tmp_path, "seed.parquet", "parquet"), "ff_seed")
    assert_names(caught.value, 0)


def load(engine: Engine, folder: Path, text: str, options: SeedOptions = _AS_IT_IS) -> int:
    """Load text as the seed `ff_seed`, in a transaction as the use case does."""
    write_bytes(folder, text.encode())
    with transaction(engine):
        clear(engine, "ff_seed")
        return seeds_of(engine).load(seed(folder, options=options), "ff_seed")


def load_query(engine: Engine, folder: Path, sql: str) -> int:
    """Load SQL as the seed `ff_seed`, which the use case does itself, if the engine claims it can."""
    write_bytes(folder, sql.encode(), "seed.sql")
    given = seed(folder, "seed.sql", "sql")
    LoadSeeds(memory_project({}).reader.manifest(), engine, Recorder(), claim()).require_able([given])
    with transaction(engine):
        return load_sql(given, existing(engine, "ff_seed"), engine)


def seed(
    folder: Path,
    name: str = "seed.csv",
    kind: Literal["csv", "parquet", "sql"] = "csv",
    options: SeedOptions = _AS_IT_IS,
) -> Seed:
    return Seed("ff_seed", kind, folder / name, "ff_seed", f"seeds/{name}", options)


def write_bytes(folder: Path, content: bytes, name: str = "seed.csv") -> None:
    (folder / name).write_bytes(content)


def assert_names(error: FlowForgeError, line: int) -> None:
    """Check that an error names the seed's file, and the line if one is given."""
    assert error.where is not None, f"no place: {error}"
    assert error.where.path.startswith("seeds/seed."), error.where
    assert error.where.line == line or not line, f"expected line {line}: {error}"


def as_date(value: Any) -> date:
    return date.fromisoformat(value[:10]) if isinstance(value, str) else date(value.year, value.month, value.day)


def as_timestamp(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
