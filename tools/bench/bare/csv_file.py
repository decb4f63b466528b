"""Reads a CSV file into a table: DATABASE FILE [SAMPLE_SIZE]."""

from __future__ import annotations

import sys

import duckdb


def main(database: str, file: str, sample: str = "20480") -> None:
    connection = duckdb.connect(database)
    query = f"create or replace table events as select * from read_csv($file, sample_size = {int(sample)})"
    connection.execute(query, {"file": file})
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
