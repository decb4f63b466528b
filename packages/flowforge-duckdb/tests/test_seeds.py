"""Seeds: types lose nothing, what is wrong is named by line and column, memory stays small."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowforge_app.load_sql import load_sql
from flowforge_domain.errors import EngineError, ErrorKind, SeedError
from flowforge_domain.model import Seed, SeedOptions


@pytest.fixture
def load(engine, tmp_path):
    """Load content as a seed and return the rows of its table."""

    def run(content, kind="csv", name=None, **options):
        path = tmp_path / (name or f"s.{kind}")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        seed = Seed("s", kind, path, "s", f"seeds/{path.name}", SeedOptions(**options))
        engine.session.begin()
        try:
            count = load_sql(seed, None, engine) if kind == "sql" else engine.seeds.load(seed, "s")
        except BaseException:
            engine.session.rollback()
            raise
        engine.session.commit()
        rows = engine.session.query("select * from s").rows
        assert count == len(rows)
        return rows

    return run


@pytest.fixture
def refused(load):
    """Load what cannot be loaded and return its error."""

    def run(content, *args, **options):
        with pytest.raises(SeedError) as caught:
            load(content, *args, **options)
        assert caught.value.where.path.startswith("seeds/s")
        assert caught.value.hint
        assert len(str(caught.value).splitlines()) <= 15
        return caught.value

    return run


@pytest.fixture
def types(engine):
    return lambda: [kind for _, kind in engine.catalog.columns("s")]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("1 -2 0 9223372036854775807", "BIGINT"),
        ("1 9223372036854775808", "VARCHAR"),
        ("123456789012345678901 1.5", "VARCHAR"),
        ("1 2.5 -0.5 .5 1e-05 1.5E10 nan -inf", "DOUBLE"),
        ("9007199254740993 1.5", "VARCHAR"),
        ("00712 1", "VARCHAR"),
        ("-01 1", "VARCHAR"),
        ("00.5 1", "VARCHAR"),
        ("+49 1", "VARCHAR"),
        ("12e5 345", "VARCHAR"),
        ("1_000 1", "VARCHAR"),
        ("0x1F 1", "VARCHAR"),
        ("1,5", "VARCHAR"),
        ("true False TRUE", "BOOLEAN"),
        ("true 1", "VARCHAR"),
        ("t f", "VARCHAR"),
        ("2024-02-29 2024-03-01", "DATE"),
        ("2024-02-30 2024-03-01", "VARCHAR"),
        ("01/02/2024", "VARCHAR"),
        ("20240229 20240301", "BIGINT"),
        ("2024-02-29 2024-02-29T10:00:00", "TIMESTAMP"),
        ("2024-02-29T10:00:00.123456", "TIMESTAMP"),
        ("2024-02-29T10:00:00.1234567", "VARCHAR"),
        ("2024-02-29T10:00:00Z 2024-02-29T10:00:00+05:30", "TIMESTAMP WITH TIME ZONE"),
        ("10:00 10:00:01", "TIME"),
        ("today infinity epoch", "VARCHAR"),
    ],
)
def test_type_is_the_narrowest_that_loses_nothing(engine, load, types, values, kind):
    load("\n".join(["k;c", *(f"{i};{value}" for i, value in enumerate(values.split()))]))
    assert types() == ["BIGINT", kind]
    if kind == "VARCHAR":
        assert [value for (value,) in engine.session.query("select c from s order by k").rows] == values.split()


def test_values_are_what_the_text_says(load):
    text = "i,d,b,t,x\n9007199254740993,0.1,true,2024-02-29 10:00:00,007\n,,,,\n"
    (first, second) = load(text)
    assert (first[0], first[1], first[2], first[4]) == (9007199254740993, 0.1, True, "007")
    assert second == (None,) * 5


@pytest.mark.parametrize(
    ("late", "kind"),
    [("00712", "VARCHAR"), ("2.5", "DOUBLE"), ("x", "VARCHAR"), ("9223372036854775808", "VARCHAR"), ("7", "BIGINT")],
)
def test_a_value_beyond_the_sample_decides(engine, load, types, late, kind):
    load("\n".join(["c,k", *(f"{i + 1},{i}" for i in range(60_000)), f"{late},60000", ""]))
    assert types() == [kind, "BIGINT"]
    assert str(engine.session.query("select c from s where k = 60000").rows[0][0]) == late


def test_column_that_is_empty_in_the_sample(load, types):
    load("\n".join(["c,k", *(f",{i}" for i in range(30_000)), "2024-02-29,1", ""]))
    assert types() == ["DATE", "BIGINT"]


def test_column_without_any_value_is_text(load, types):
    assert load("a,b\n,1\n") == [(None, 1)]
    assert types() == ["VARCHAR", "BIGINT"]


def test_header_alone_is_an_empty_table_of_text(load, types):
    assert load("id,name") == []
    assert types() == ["VARCHAR", "VARCHAR"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("varchar", "12", "12"),
        ("bigint", "007", 7),
        ("int", " 7 ", 7),
        ("hugeint", "123456789012345678901", 123456789012345678901),
        ("decimal(10, 2)", "1.50", Decimal("1.50")),
        ("decimal(10, 1)", "1.500", Decimal("1.5")),
        ("double", "12345678901234567890", 12345678901234567890.0),
        ("boolean", "t", True),
        ("enum('x', 'y')", "x", "x"),
        ("varchar[]", "[a]", ["a"]),
    ],
)
def test_declared_type_wins(load, kind, text, value):
    assert load(f"c|d\n{text}|1\n", column_types={"c": kind}) == [(value, 1)]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("bigint", "many", "BIGINT"),
        ("bigint", "1.5", "BIGINT"),
        ("int", "99999999999", "INTEGER"),
        ("decimal(4, 1)", "1.55", "DECIMAL(4,1)"),
        ("decimal(4, 1)", "12345", "DECIMAL(4,1)"),
        ("date", "01/02/2024", "DATE"),
        ("enum('1', 'y')", "z", "ENUM('1', 'y')"),
    ],
)
def test_cell_against_its_declared_type_is_named(refused, kind, value, shown):
    good = "2024-01-01" if kind == "date" else "1"
    error = refused(f'n,c\n"two\nlines",{good}\nx,{value}\ny,{value}\n', column_types={"c": kind})
    assert error.message == f"Column 'c' holds '{value}', which is no {shown}."
    assert error.where.line == 4


def test_long_cell_is_shown_in_part(refused):
    assert len(refused("c\n" + "x" * 5000, column_types={"c": "int"}).message) < 120


@pytest.mark.parametrize("kind", ["doubel", "", "int); drop table s; --", "decimal(99, 2)"])
def test_declared_type_that_does_not_exist(refused, kind):
    error = refused("c\n1\n", column_types={"c": kind})
    assert error.message == f"{kind!r}, declared for column 'c', is no type of DuckDB."


def test_declared_column_that_does_not_exist(refused):
    error = refused("id,amount\n1,2\n", column_types={"amuont": "double"})
    assert "'amuont'" in error.message
    assert error.hint == "Did you mean 'amount'?"


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        ("a;b\n1;2,5\n", {}, [(1, "2,5")]),
        ("a\tb\n1\tx,y\n", {}, [(1, "x,y")]),
        ("a|b\n1|2\n", {}, [(1, 2)]),
        ('"a,b";c\n1;2\n', {}, [(1, 2)]),
        ("a:b\n1:2\n", {"delimiter": ":"}, [(1, 2)]),
        ("a\tb\n1\t2\n", {"delimiter": "\\t"}, [(1, 2)]),
        ("a,b\n1,'x,''y'\n", {"quote": "'"}, [(1, "x,'y")]),
        ('a,b\n1,"x ""y"", z"\n', {}, [(1, 'x "y", z')]),
        ('a,b\n1,"two\nlines"\n', {}, [(1, "two\nlines")]),
        ('a,b\n1,6" pipe\n', {}, [(1, '6" pipe')]),
        ("a,b\n1,NA\nNA,x\n", {"null": "NA"}, [(1, None), (None, "x")]),
        ("a,b\nNA,\n", {"null": "NA"}, [(None, "")]),
        ('a,b\n"",x\n"1",""\n', {}, [(None, "x"), (1, None)]),
        ("a,b\r\n1,2\r\n", {}, [(1, 2)]),
        ("a,b\r1,2\r3,4", {}, [(1, 2), (3, 4)]),
        ("a,b\n1,2\n\n3,4\n", {}, [(1, 2), (3, 4)]),
        ("a,b\n1,2,\n", {}, [(1, 2)]),
        (b"\xef\xbb\xbfa,b\n1,2\n", {}, [(1, 2)]),
        ('\ufeff"a",b\n1,2\n', {}, [(1, 2)]),
        ("a,b\n1,é😀\u2028\n", {}, [(1, "é😀\u2028")]),
        (b"a,b\n1,\xe9\n", {"encoding": "latin-1"}, [(1, "é")]),
        (b"a,b\n1,\x80\n", {"encoding": "cp1252"}, [(1, "€")]),
        ("a,b\n1,é\n".encode("utf-16"), {"encoding": "utf-16"}, [(1, "é")]),
        ("a,b\n1,é\n".encode("utf-16-be"), {"encoding": "utf-16-be"}, [(1, "é")]),
        ("a,b\n1,é\n".encode("utf-8-sig"), {"encoding": "utf-8-sig"}, [(1, "é")]),
    ],
)
def test_dialects_and_encodings(load, content, options, rows):
    assert load(content, **options) == rows


def test_names_of_columns_are_kept_whatever_they_are(engine, load):
    load('"a""); drop table s;--","it\'s","two\nlines",Größe\n1,2,3,4\n')
    names = [name for name, _ in engine.catalog.columns("s")]
    assert names == ['a"); drop table s;--', "it's", "two\nlines", "Größe"]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('a,b\n1,"x\ny"\n3\n', 4, "Expected 2 values, as in the header, found 1."),
        ("a,b\n1,2\n3,4,5\n", 3, "Expected 2 values, as in the header, found 3."),
        ("a,b\r1,2\r3\r", 3, "found 1"),
        ('a,b\n1,2\n3,"4\n5,6\n', 3, "never ends"),
        ('a,b\n1,2\n3,"x"y\n', 3, "followed by more text"),
        (b"a,b\n1,2\n3,\xff\xfe\n", 3, "not UTF-8"),
        (b"a,\xff\n1,2\n", 1, "not UTF-8"),
        (b"a,b\n" + b"1,2\n" * 300_000 + b"3,\xff\n", 300_002, "not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), 1, "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), 1, "NUL character"),
        (b"a,b\n1,2\n3,x\0y\n", 3, "NUL character"),
        ("a,A\n1,2\n", 1, "names 'A' twice"),
        ("a,,c\n1,2,3\n", 1, "Column 2 of the header has no name"),
        ("\na,b\n1,2\n", 1, "Column 1 of the header has no name"),
        ("a,b\n1,2\n3,4\r\n5,6\n", 3, "ends with 'CRLF'"),
        ("a,b\r\n1,2\n3,4\r\n", 2, "ends with 'LF'"),
        ("", 0, "empty"),
        (b"\xef\xbb\xbf \r\n", 0, "empty"),
    ],
)
def test_broken_file_is_refused_at_its_line(engine, load, refused, content, line, words):
    load("old\n1\n")
    error = refused(content)
    assert error.where.line == line
    assert words in error.message
    assert engine.session.query("select old from s").rows == [(1,)]


@pytest.mark.parametrize(
    ("content", "encoding", "line", "words"),
    [
        (b"a,b\n1,2\n3,\x81\n", "cp1252", 3, "not CP1252"),
        ("a,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8\x41\x00", "utf-16-le", 3, "not UTF-16-LE"),
        ("a,b\n1,2\n3,é\n".encode(), "ascii", 3, "not ASCII"),
        ("a,b\n1,2\n".encode("utf-16-le"), "latin-1", 1, "NUL"),
        ("a\n1\n", "utf-9", 0, "'utf-9' is no text encoding"),
        ("a\n1\n", "rot13", 0, "'rot13' is no text encoding"),
        ("a\n1\n", "hex", 0, "'hex' is no text encoding"),
    ],
)
def test_declared_encoding_that_is_not_the_files(refused, content, encoding, line, words):
    error = refused(content, encoding=encoding)
    assert error.where.line == line
    assert words in error.message


@pytest.mark.parametrize("options", [{"delimiter": "||"}, {"quote": "''"}], ids=str)
def test_delimiter_and_quote_are_one_character(refused, options):
    assert "one character" in refused("a||b\n1||2\n", **options).message


def test_value_too_long_for_duckdb_is_refused_in_few_words(refused):
    error = refused("a,b\n1," + "x" * 5_000_000 + "\n")
    assert len(str(error)) < 1000


def test_compressed_file(load, refused):
    assert load(gzip.compress(b"a,b\n1,007\n"), name="s.csv.gz") == [(1, "007")]
    assert load(gzip.compress("a,b\n1,é\n".encode("latin-1")), name="s.csv.gz", encoding="latin-1") == [(1, "é")]
    assert refused(gzip.compress(b"a,b\n1,2\n3\n"), name="s.csv.gz").where.line == 3
    assert "cut off" in refused(gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], name="s.csv.gz").message
    assert "is damaged" in refused(b"a,b\n1,2\n", name="s.csv.gz").message


@pytest.mark.parametrize("name", ["s[1].csv", "s*?.csv", "s's.csv", "s {x} é.csv"])
def test_file_of_any_name(load, name, tmp_path):
    (tmp_path / "s1.csv").write_text("wrong\n", encoding="utf-8")
    assert load("a\n1\n", name=name) == [(1,)]


def test_missing_file(engine, tmp_path):
    with pytest.raises(SeedError, match="does not exist") as caught:
        engine.seeds.load(Seed("s", "csv", tmp_path / "s.csv", "s", "seeds/s.csv"), "s")
    assert str(caught.value.where) == "seeds/s.csv"


def test_place_without_a_file_name_is_the_path(engine, tmp_path):
    with pytest.raises(SeedError) as caught:
        engine.seeds.load(Seed("s", "csv", tmp_path / "s.csv", "s"), "s")
    assert caught.value.where.path == str(tmp_path / "s.csv")


@pytest.fixture
def parquet(engine, tmp_path):
    engine.session.execute(f"copy (select 7 as a, 'x' as b) to '{tmp_path / 'made.parquet'}'")
    return (tmp_path / "made.parquet").read_bytes()


def test_parquet(load, types, parquet):
    assert load(parquet, "parquet") == [(7, "x")]
    assert types() == ["INTEGER", "VARCHAR"]
    assert load(parquet, "parquet", column_types={"a": "varchar"}) == [("7", "x")]


def test_parquet_decimal_that_would_be_rounded(load, refused, tmp_path):
    table = pa.table({"a": pa.array([Decimal("1.10000000000000000001")], pa.decimal256(40, 20))})
    pq.write_table(table, tmp_path / "wide.parquet")
    wide = (tmp_path / "wide.parquet").read_bytes()
    assert refused(wide, "parquet").message == "Column 'a' is decimal(40, 20): DuckDB holds 38 digits."
    assert load(wide, "parquet", column_types={"a": "double"}) == [(1.1,)]


def test_parquet_that_is_wrong(refused, parquet):
    assert "magic bytes" in refused(b"garbage" * 20, "parquet").message
    assert "Parquet" in refused(b"", "parquet").message
    assert "'c'" in refused(parquet, "parquet", column_types={"c": "int"}).message
    assert "column b" in refused(parquet, "parquet", column_types={"b": "int"}).message


@pytest.mark.parametrize(
    "sql",
    [
        "select 7 as a",
        "select 7 as a;\n-- done\n",
        "with x as (select 7 as a) select a from x",
        "-- head\ncreate table s as\nselect 7 as a;",
        "create or replace table S as select 7 as a",
        "values (7)",
    ],
)
def test_sql(load, sql):
    load("old\n1\n")
    assert load(sql, "sql") == [(7,)]


@pytest.mark.parametrize(
    ("sql", "line", "words"),
    [
        ("select 1 as a,\n  b\nfrom (select 1 as c)", 2, '"b"'),
        ("select b from (select 1 as c)", 1, '"b"'),
        ("create table s as select 1 as a,\n  b\nfrom (select 1 as c)", 2, '"b"'),
        ("create table s as select b from (select 1 as c)", 1, '"b"'),
        ("select *\r\nfrom\r\n nowhere", 3, "nowhere"),
        ("create view s as select 1 as a", 1, "creates the view s"),
        ("\ncreate table other as select 1 as a", 2, "creates the table other"),
        ("select 1 as a; drop table s", 1, "statement"),
        (" -- nothing\n", 0, "no SQL"),
        (b"select '\xe9' as a", 0, "not UTF-8"),
    ],
)
def test_sql_that_is_wrong(engine, load, sql, line, words):
    load("old\n1\n")
    with pytest.raises(SeedError) as caught:
        load(sql, "sql")
    assert caught.value.where.line == line
    assert words in caught.value.message
    assert engine.session.query("select old from s").rows == [(1,)]


def test_place_in_sql_has_its_caret(load):
    with pytest.raises(SeedError) as caught:
        load("select 1 as a,\n  b\nfrom (select 1 as c)", "sql")
    assert caught.value.snippet == "    2 |   b\n          ^"


@pytest.mark.parametrize("sql", ["drop table s", "insert into s values (1)", "copy s to 'x.csv'"])
def test_sql_that_is_no_query_changes_nothing(engine, load, sql):
    load("old\n1\n")
    with pytest.raises(SeedError):
        load(sql, "sql")
    assert engine.session.query("select old from s").rows == [(1,)]


def test_limits_of_the_session_are_left_as_they_are(engine, load):
    settings = "select name, value from duckdb_settings() where name in ('memory_limit', 'threads') order by 1"
    before = engine.session.query(settings).rows
    load("a\n1\n")
    assert engine.session.query(settings).rows == before


def test_seed_outside_a_transaction_leaves_no_half_table(engine, tmp_path):
    (tmp_path / "s.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    with pytest.raises(SeedError):
        engine.seeds.load(Seed("s", "csv", tmp_path / "s.csv", "s"), "s")
    with pytest.raises(EngineError):
        engine.session.query("select * from s")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_fault_of_the_target_is_not_blamed_on_the_file(engine, tmp_path, kind, parquet):
    path = tmp_path / f"s.{kind}"
    path.write_bytes(parquet if kind == "parquet" else b"a\n1\n")
    with pytest.raises(EngineError) as caught:
        engine.seeds.load(Seed("s", kind, path, "nowhere.s", "seeds/s"), "nowhere.s")
    assert caught.value.kind is ErrorKind.MISSING_RELATION


def test_interrupted_load_is_cancelled_and_not_the_files_fault(engine, tmp_path):
    (tmp_path / "s.csv").write_bytes(b"a,b,c\n" + b"1,2024-01-01 00:00:00,x\n" * 1_500_000)
    seed = Seed("s", "csv", tmp_path / "s.csv", "s")
    with ThreadPoolExecutor(1) as beside, pytest.raises(EngineError) as caught:
        loading = beside.submit(engine.seeds.load, seed, "s")
        # Again and again: between two statements there is nothing to interrupt.
        while not wait([loading], timeout=0.01).done:
            engine.session.interrupt()
        loading.result()
    assert caught.value.kind is ErrorKind.CANCELLED


def test_wide_file(load, types):
    names, values = ",".join(f"c{i}" for i in range(300)), ",".join(str(i) for i in range(300))
    assert load(f"{names}\n{values}\n") == [tuple(range(300))]
    assert set(types()) == {"BIGINT"}


def test_two_million_rows_take_less_than_300_mb(tmp_path):
    """The whole process counts, DuckDB's import included; the file is made by another.

    Linux counts what `getrusage` tells from the parent's size on, so its own count is read where there is one.
    """
    csv = tmp_path / "big.csv"
    make = f"""
        import duckdb
        duckdb.sql(\"\"\"copy (
            select range as id, 'name ' || range % 100000 as name, range * 0.37 as amount,
                timestamp '2024-01-01' + to_seconds(range) as at, range % 977 as code
            from range(2000000)) to '{csv}'\"\"\")
    """
    load = f"""
        import resource
        from pathlib import Path
        from flowforge_domain.model import Seed
        from flowforge_duckdb.engine import open_engine
        from flowforge_duckdb.settings import DuckDBProfile
        from flowforge_testkit.fakes import claim
        profile = DuckDBProfile.model_validate({{"engine": "duckdb", "duckdb": {{"path": "x.duckdb"}}}})
        engine = open_engine(profile, Path({str(tmp_path)!r}), claim())
        engine.session.begin()
        rows = engine.seeds.load(Seed("s", "csv", Path({str(csv)!r}), "s"), "s")
        engine.session.commit()
        engine.session.close()
        status = Path("/proc/self/status")
        if status.exists():
            peak = int(status.read_text().partition("VmHWM:")[2].split()[0])
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(rows, peak // 1024)
    """
    for script in (make, load):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
        )
    rows, megabytes = (int(word) for word in done.stdout.split())
    assert rows == 2_000_000
    assert megabytes < 300
