"""The three calls of a Python model by hand: DATABASE."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import pandas as pd


def enriched(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(total=frame["price"] * frame["quantity"])


def main(database: str) -> None:
    connection = duckdb.connect(database)
    result = enriched(connection.table("events").df())  # noqa: F841 - DuckDB finds it by its name
    connection.execute("create or replace table enriched as select * from result")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
