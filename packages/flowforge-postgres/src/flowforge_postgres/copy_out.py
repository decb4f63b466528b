"""Reads what COPY sends, faster than the driver's loop, which takes several steps of Python for each row."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.waiting import Ready, Wait

from flowforge_postgres.errors import translated
from flowforge_postgres.session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from psycopg.pq.abc import PGconn

_PART = 1 << 22


def copied(session: PostgresSession, query: str) -> Iterator[memoryview]:
    """Give the rows of a `copy … to stdout` as text, some megabytes of whole rows at a time; raise `EngineError`."""
    with session.reading() as cursor, translated(), cursor.copy(query):
        connection, more = session.connection, True
        while more:
            part = BytesIO()
            more = connection.wait(_rows(connection.pgconn, part))
            if part.tell():
                yield part.getbuffer()
        # Only now the server says whether there was an error; all it says must be taken.
        results = list(iter(connection.pgconn.get_result, None))
        failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            raise error_from_result(failed)


def _rows(connection: PGconn, part: BytesIO) -> Generator[Wait, Ready | int, bool]:
    """Take rows until there are enough for a part, and tell whether more may follow."""
    while True:
        length, data = connection.get_copy_data(1)
        if length > 0:
            part.write(data)
        elif length < 0:
            return False
        elif part.tell() >= _PART:
            return True
        else:
            while not (yield Wait.R):
                continue
            connection.consume_input()
