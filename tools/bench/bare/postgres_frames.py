"""A frame into PostgreSQL and back, by hand: DSN ROWS copy_in|copy_out|to_sql."""

from __future__ import annotations

import sys
from io import BytesIO

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
from pyarrow import csv

_COLUMNS = "id bigint, price double precision, word text, at timestamp, even boolean"
_TYPES = {
    "id": pa.int64(),
    "price": pa.float64(),
    "word": pa.string(),
    "at": pa.timestamp("us"),
    "even": pa.bool_(),
}


def made(rows: int) -> pd.DataFrame:
    ids = np.arange(rows)
    words = np.array([f"word {i}" for i in range(1000)], dtype=object)
    at = np.datetime64("2024-01-01", "us") + ids * np.timedelta64(1, "s")
    return pd.DataFrame({"id": ids, "price": ids / 8, "word": words[ids % 1000], "at": at, "even": ids % 2 == 0})


def copy_in(dsn: str, frame: pd.DataFrame) -> None:
    sink = BytesIO()
    csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), sink, csv.WriteOptions(include_header=False))
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists bare_in")
        cursor.execute(f"create table bare_in ({_COLUMNS})")
        with cursor.copy("copy bare_in from stdin (format csv)") as copy:
            copy.write(sink.getbuffer())


def copy_out(dsn: str) -> pd.DataFrame:
    sink = BytesIO()
    with psycopg.connect(dsn) as connection, connection.cursor().copy("copy made to stdout (format csv)") as copy:
        for row in copy:
            sink.write(row)
    options = csv.ConvertOptions(column_types=_TYPES, true_values=["t"], false_values=["f"])
    read = csv.ReadOptions(column_names=list(_TYPES))
    frame: pd.DataFrame = csv.read_csv(pa.py_buffer(sink.getbuffer()), read, convert_options=options).to_pandas()
    return frame


def to_sql(dsn: str, frame: pd.DataFrame) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
    frame.to_sql("bare_to_sql", engine, if_exists="replace", index=False)


def main(dsn: str, rows: str, way: str) -> None:
    if way == "copy_out":
        assert len(copy_out(dsn)) == int(rows)
    else:
        {"copy_in": copy_in, "to_sql": to_sql}[way](dsn, made(int(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
