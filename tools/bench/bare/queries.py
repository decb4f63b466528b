"""Runs queries of one value each: DATABASE QUERIES.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def main(database: str, queries: str) -> None:
    connection = duckdb.connect(database)
    for query in json.loads(Path(queries).read_bytes()):
        connection.execute(query).fetchall()
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
