"""Executes lists of statements on PostgreSQL, each list one transaction: DSN TRANSACTIONS.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg


def main(dsn: str, transactions: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statements in json.loads(Path(transactions).read_bytes()):
            for statement in ("begin", *statements, "commit"):
                connection.execute(statement)


if __name__ == "__main__":
    main(*sys.argv[1:])
