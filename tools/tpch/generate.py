"""Write the eight tables of TPC-H as Parquet, and the published answers of its 22 queries as text.

    uv run --project tools/tpch python tools/tpch/generate.py examples/tpch/seeds

Both come from DuckDB's TPC-H extension, which has dbgen inside. It knows answers at scales 0.01, 0.1 and 1; those at
scale 1 are the ones that the TPC publishes.
"""

from __future__ import annotations

import argparse
from importlib.resources import as_file, files
from pathlib import Path

import duckdb

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def main() -> None:
    asked = argparse.ArgumentParser(description="Write TPC-H's tables as Parquet.")
    asked.add_argument("seeds", type=Path, help="where the tables go")
    asked.add_argument("--answers", type=Path, help="where the answers go: q01.txt to q22.txt, fields parted by |")
    asked.add_argument("--scale", default="0.01", help="1 is about a gigabyte of text (default: 0.01)")
    given = asked.parse_args()
    connection = generator()
    write_tables(connection, float(given.scale), given.seeds)
    if given.answers:
        write_answers(connection, float(given.scale), given.answers)


def generator() -> duckdb.DuckDBPyConnection:
    """Return a connection that can make the data, its extension loaded from its wheel and not from the network."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    name = f"extensions/v{duckdb.__version__}/tpch.duckdb_extension"
    with as_file(files("duckdb_extension_tpch").joinpath(name)) as extension:
        connection.load_extension(str(extension))
    return connection


def write_tables(connection: duckdb.DuckDBPyConnection, scale: float, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute("call dbgen(sf = ?)", [scale])
    for table in TABLES:
        connection.table(table).write_parquet(str(folder / f"{table}.parquet"))


def write_answers(connection: duckdb.DuckDBPyConnection, scale: float, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    query = "select query_nr, answer from tpch_answers() where scale_factor = ?"
    for number, answer in connection.execute(query, [scale]).fetchall():
        (folder / f"q{number:02}.txt").write_text(answer, encoding="utf-8")


if __name__ == "__main__":
    main()
