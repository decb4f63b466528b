"""Executes statements, each its own transaction: DATABASE STATEMENTS.json [BLOCK_SIZE] [explicit].

`explicit` says `begin` and `commit` around each, which costs two statements more than letting each commit by itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def main(database: str, statements: str, block_size: str = "", transactions: str = "") -> None:
    connection = duckdb.connect(database, config={"default_block_size": block_size} if block_size else {})
    before, after = (["begin"], ["commit"]) if transactions else ([], [])
    for statement in json.loads(Path(statements).read_bytes()):
        for each in (*before, statement, *after):
            connection.execute(each)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
