"""examples/tpch as a user runs it: the 22 queries of TPC-H, written once, give the published answers on every engine.

The answers at scale 0.01 come with the data; those at scale 1 are the TPC's own:
`FLOWFORGE_TPCH_SCALE=1 pytest tests/e2e/test_tpch.py -k duckdb_gives`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import postgres_server
import psycopg
import pytest
import spark_local
import tpch_data

EXAMPLE = Path(__file__).parents[2] / "examples/tpch"
SCALE = os.environ.get("FLOWFORGE_TPCH_SCALE", "0.01")
TABLES = {"customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"}
QUERIES = [f"q{number:02}" for number in range(1, 23)]
EXACT = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with `seeds` and `answers`."""
    folder = tmp_path_factory.mktemp("tpch")
    tpch_data.make(folder / "seeds", folder / "answers", SCALE)
    return folder


@pytest.fixture(scope="module")
def dsn():
    made = postgres_server.new_database()
    yield made
    postgres_server.drop_database(made)


@pytest.fixture(scope="module")
def build(data, tmp_path_factory):
    """Return a function that seeds, runs and tests a copy of the example on one engine."""

    def built(profile, commands=("seed", "run", "test"), **variables):
        project = tmp_path_factory.mktemp(profile) / "tpch"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".flowforge", ".local", "seeds"))
        shutil.copytree(data / "seeds", project / "seeds")
        said = "".join(flowforge(command, project, profile, variables) for command in commands)
        assert all(part in said for part in ("seeded: 8", "built: 22", "failed: 0"))
        return project

    return built


@pytest.fixture(scope="module")
def duckdb_rows(build):
    with duckdb.connect(build("default") / ".local/tpch.duckdb", read_only=True) as connection:
        return {query: rows_of(connection.execute(f"from {query}")) for query in QUERIES}


@pytest.fixture(scope="module")
def postgres_rows(build, dsn):
    build("postgres", FF_PG_DSN=dsn)
    with psycopg.connect(dsn) as connection:
        return {query: rows_of(connection.execute(f"select * from tpch.{query}")) for query in QUERIES}


@pytest.fixture(scope="module")
def spark_rows(build):
    # In one process: each starts a Java.
    folder = build("spark", ["build"], **spark_local.quick_commands()) / ".local/warehouse/tpch.db"
    # Spark numbers the files of a sorted table in the order of its rows.
    files = "read_parquet('{}/*.parquet', filename = true, file_row_number = true)"
    stored = f"select * exclude (filename, file_row_number) from {files} order by filename, file_row_number"
    with duckdb.connect() as connection:
        return {query: rows_of(connection.execute(stored.format(folder / query))) for query in QUERIES}


@pytest.mark.parametrize("query", QUERIES)
def test_duckdb_gives_the_published_answer(query, duckdb_rows, data):
    assert differences(duckdb_rows[query], answer(data, query)) == []


@pytest.mark.parametrize("query", QUERIES)
def test_postgres_gives_the_published_answer(query, postgres_rows, data):
    assert differences(postgres_rows[query], answer(data, query)) == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("query", QUERIES)
def test_spark_gives_the_published_answer(query, spark_rows, data):
    assert differences(spark_rows[query], answer(data, query)) == []


def test_every_query_is_written_once_for_all_engines():
    texts = {path.name.removesuffix(".ff.sql"): path.read_text() for path in (EXAMPLE / "models").iterdir()}
    assert sorted(texts) == QUERIES
    templates = [tag for text in texts.values() for tag in re.findall(r"\{[{%].*?[}%]\}", text)]
    assert set(templates) == {f"{{{{ source('tpch', '{table}') }}}}" for table in TABLES}


@pytest.mark.parametrize(
    ("query", "published", "altered"),
    [
        ("q01", "sum_charge", "sum_charges"),
        ("q01", "|14876\n", "|14877\n"),
        ("q01", "526165934.000839", "526165934.000838"),
        ("q01", "25.57515461145", "25.57515461146"),
        ("q03", "1995-01-29", "1995-01-30"),
        ("q03", "22276|266351.5562|1995-01-29|0\n32965|263768.3414|1995-02-25|0", "32965|0|0|0\n22276|0|0|0"),
        ("q05", "VIETNAM", "VIETNAM "),
        ("q12", "SHIP|61|96\n", ""),
        ("q17", "avg_yearly\n", "avg_yearly\n0.0"),
        ("q20", "s_name|s_address\n", "s_name|s_address\nSupplier#000000001|here\n"),
    ],
)
def test_a_wrong_answer_is_found(query, published, altered, duckdb_rows, data):
    text = (data / "answers" / f"{query}.txt").read_text()
    assert text.count(published) == 1
    assert differences(duckdb_rows[query], parsed(text)) == []
    assert differences(duckdb_rows[query], parsed(text.replace(published, altered))) != []


@pytest.mark.parametrize(
    ("value", "text", "same"),
    [
        (1995, "1995", True),
        (Decimal("1995.00"), "1995", True),
        (Decimal("1.25"), "1.26", False),
        (None, "", True),
        (None, "0", False),
        ("", "", False),
        ("13", "13", True),
        ("13", "13.0", False),
        (date(1995, 3, 5), "1995-03-05", True),
        (25.575154611454693, "25.575154611454693", True),
        (25.57515461145468, "25.575154611454693", True),
        (25.5751546115, "25.575154611454693", False),
        (Decimal("25.575155"), "25.575154611454693", True),
        (Decimal("25.575154"), "25.575154611454693", False),
        (Decimal("25.58"), "25.575154611454693", False),
    ],
)
def test_what_counts_as_the_same(value, text, same):
    assert agrees(value, text) is same


def flowforge(command, project, profile, variables):
    """Run one command and return what it says."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "flowforge", command, project, "--env", profile],
        env={**os.environ, "NO_COLOR": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows_of(cursor):
    """Return the columns' names, and the rows as the engine stores them: in the order of the query that made them."""
    rows = cursor.fetchall()
    return [column[0] for column in cursor.description], rows


def answer(data, query):
    return parsed((data / "answers" / f"{query}.txt").read_text())


def parsed(text):
    head, *rows = text.rstrip("\n").split("\n")
    # A row of one NULL is an empty line.
    return head.split("|"), [row.split("|") for row in rows or [""]]


def differences(found, published):
    (columns, rows), (expected_columns, expected) = found, published
    if columns != expected_columns:
        return [f"columns {columns}, not {expected_columns}"]
    if len(rows) != len(expected):
        return [f"{len(rows)} rows, not {len(expected)}"]
    pairs = enumerate(zip(rows, expected, strict=True), start=1)
    return [f"row {at}: {row}, not {wanted}" for at, (row, wanted) in pairs if not same_row(row, wanted)]


def same_row(row: Sequence[object], texts: Sequence[str]) -> bool:
    return all(agrees(value, text) for value, text in zip(row, texts, strict=True))


def agrees(value, text):
    """Tell whether a value is the published one: exactly, but for quotients, which no type holds exactly."""
    if value is None or isinstance(value, str):
        return value == (text or None)
    if isinstance(value, date):
        return value.isoformat() == text
    found, published = Decimal(str(value)), Decimal(text)
    if decimals(published) <= EXACT:
        return found == published
    # They are published as doubles, which are good for 15 digits; a decimal has rounded to the digits of its type.
    rounded = Decimal(1).scaleb(-decimals(found)) / 2 if isinstance(value, Decimal) else Decimal(0)
    return decimals(found) >= EXACT and abs(found - published) <= max(rounded, abs(published).scaleb(-15))


def decimals(number):
    return max(0, -number.as_tuple().exponent)
