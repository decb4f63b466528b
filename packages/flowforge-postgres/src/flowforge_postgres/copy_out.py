"""Reads what COPY sends, faster than the driver's loop, which takes several steps of Python for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.waiting import Ready, Wait

from flowforge_postgres.errors import translated
from flowforge_postgres.session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.pq.abc import PGconn


def copy_out(session: PostgresSession, query: str, write: Callable[[memoryview], Any]) -> None:
    """Give `write` each row of a `copy … to stdout`, as text; raise `EngineError`."""
    with session.reading() as cursor, translated(), cursor.copy(query):
        connection = session.connection
        connection.wait(_rows(connection.pgconn, write))
        # Only now the server says whether there was an error; all it says must be taken.
        results = list(iter(connection.pgconn.get_result, None))
        failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            raise error_from_result(failed)


def _rows(connection: PGconn, write: Callable[[memoryview], Any]) -> Generator[Wait, Ready | int, None]:
    while True:
        length, data = connection.get_copy_data(1)
        if length > 0:
            write(data)
        elif length < 0:
            return
        else:
            while not (yield Wait.R):
                continue
            connection.consume_input()
