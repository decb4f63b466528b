"""A frame into PostgreSQL and back, by hand: DSN ROWS copy_in|copy_out|to_sql."""

from __future__ import annotations

import sys
from io import BytesIO

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
from pyarrow import csv

_PART = 65_536
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
    options = csv.WriteOptions(include_header=False)
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists bare_in")
        cursor.execute(f"create table bare_in ({_COLUMNS})")
        with cursor.copy("copy bare_in from stdin (format csv)") as copy:
            # A part is sent, and taken in by the server, while the next one is written.
            for part in pa.Table.from_pandas(frame, preserve_index=False).to_batches(_PART):
                sink = pa.BufferOutputStream()
                csv.write_csv(part, sink, options)
                copy.write(memoryview(sink.getvalue()))


def copy_out(dsn: str) -> pd.DataFrame:
    sink = BytesIO()
    with psycopg.connect(dsn) as connection:
        # libpq's own calls: psycopg's loop over a COPY takes twice the time.
        raw = connection.pgconn
        raw.exec_(b"copy made to stdout (format csv)")
        while (taken := raw.get_copy_data(0))[0] > 0:
            sink.write(taken[1])
        while raw.get_result():
            pass
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
