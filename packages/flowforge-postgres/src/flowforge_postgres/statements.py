"""Statements that are run for what they do: each to its end, and no row of theirs is kept."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.generators import copy_end, copy_from, fetch, send
from psycopg.pq import ExecStatus

from flowforge_domain.errors import EngineError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.pq.abc import PGconn, PGresult
    from psycopg.waiting import Ready, Wait


def run_out(connection: psycopg.Connection[Any], sql: str) -> int | None:
    """Run a statement, or several, and return how many rows the last one wrote or gave, None where it says nothing.

    The driver would fetch all rows of a query, and hold them. Raises `EngineError` for a copy from or to the client.
    """
    encoding = connection.info.encoding
    return connection.wait(_run(connection.pgconn, sql.encode(encoding), encoding))


def _run(connection: PGconn, sql: bytes, encoding: str) -> Generator[Wait, Ready | int, int | None]:
    """Let each row go as it comes, and raise the first error once the server has told all."""
    connection.send_query(sql)
    connection.set_single_row_mode()
    yield from send(connection)
    failed: PGresult | None = None
    rows: int | None = None
    while result := (yield from _next(connection, failed)):
        if result.status in {ExecStatus.COPY_IN, ExecStatus.COPY_OUT}:
            yield from _end_copy(connection, result.status)
        rows = result.command_tuples
        failed = failed or (result if result.status == ExecStatus.FATAL_ERROR else None)
    if failed is not None:
        raise error_from_result(failed, encoding)
    return rows


def _next(connection: PGconn, failed: PGresult | None) -> Generator[Wait, Ready | int, PGresult | None]:
    try:
        result: PGresult | None = yield from fetch(connection)
    except psycopg.DatabaseError:
        # A server that ends the connection has said why before.
        if failed is None:
            raise
        return None
    return result


def _end_copy(connection: PGconn, status: int) -> Generator[Wait, Ready | int, None]:
    """End a copy, without which the connection takes no more statements, and refuse it."""
    with suppress(psycopg.Error, ValueError):
        if status == ExecStatus.COPY_IN:
            yield from copy_end(connection, b"nobody gives rows")
        while isinstance((yield from copy_from(connection)), memoryview):
            continue
    way = "from stdin" if status == ExecStatus.COPY_IN else "to stdout"
    hint = "Name a file on the server, or load the rows as a seed."
    raise EngineError(f"`copy {way}` has nobody to give or take its rows.", kind=ErrorKind.SYNTAX, hint=hint)
