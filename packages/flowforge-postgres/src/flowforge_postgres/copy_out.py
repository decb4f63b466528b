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
    from collections.abc import Generator, Sequence

    from psycopg.pq.abc import PGconn

_PART = 1 << 22
_HEAD, _END, _BEHIND = 19, 2, 12


def copied(session: PostgresSession, query: str) -> Generator[tuple[memoryview, Sequence[int]]]:
    """Give the rows of a binary `copy … to stdout`, some megabytes at a time, with the size of each.

    Some bytes more follow the last of them, so that short values can be taken by one size. Raises `EngineError`.
    """
    with session.reading() as cursor, translated(), cursor.copy(query):
        connection, more, head = session.connection, True, _HEAD
        while more:
            part, sizes = BytesIO(), list[int]()
            more = connection.wait(_rows(connection.pgconn, part, sizes))
            part.write(bytes(_BEHIND))
            rows = part.getbuffer()[head:]
            if sizes:
                # What stands before the first row comes with it.
                sizes[0], head = sizes[0] - head, 0
            if sizes[-1:] == [_END]:
                sizes.pop()
            if sizes:
                yield rows, sizes
        # Only now the server says whether there was an error; all it says must be taken.
        results = list(iter(connection.pgconn.get_result, None))
        failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            raise error_from_result(failed)


def _rows(connection: PGconn, part: BytesIO, sizes: list[int]) -> Generator[Wait, Ready | int, bool]:
    """Take rows until there are enough for a part, and tell whether more may follow."""
    while True:
        length, data = connection.get_copy_data(1)
        if length > 0:
            part.write(data)
            sizes.append(length)
        elif length < 0:
            return False
        elif part.tell() >= _PART:
            return True
        else:
            while not (yield Wait.R):
                continue
            connection.consume_input()
