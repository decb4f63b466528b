"""PostgreSQL's errors in FlowForge's words: one table by SQLSTATE, one context manager that translates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from flowforge_domain.dialect import quote_name
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.sqlstate import SQLSTATES, kind_of_state
from flowforge_domain.text import place_of
from flowforge_postgres.dialect import POSTGRES

# The longest prefix of an SQLSTATE counts (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_STATES = {
    **SQLSTATES,
    "08003": ErrorKind.TRANSIENT,
    "08006": ErrorKind.TRANSIENT,
    "25006": ErrorKind.PERMISSION,
    "25P03": ErrorKind.TRANSIENT,
    "25P04": ErrorKind.STOPPED,
    "2BP01": ErrorKind.DEPENDENTS,
    "3D": ErrorKind.UNREACHABLE,
    "3F": ErrorKind.MISSING_RELATION,
    "40002": ErrorKind.DATA,
    "53100": ErrorKind.SPACE,
    "53200": ErrorKind.SPACE,
    "53300": ErrorKind.TRANSIENT,
    "53400": ErrorKind.SPACE,
    "54": ErrorKind.DATA,
    "55P03": ErrorKind.TRANSIENT,
    "57014": ErrorKind.STOPPED,
    "57P": ErrorKind.TRANSIENT,
    "57P04": ErrorKind.UNREACHABLE,
}
_BROKE_OFF = (
    r"closed the connection|connection (is |was |has been )?(lost|closed|reset)|terminat|reset by peer|broken pipe"
    r"|no connection to the server|consuming input failed|EOF detected|SSL SYSCALL"
)
# Where libpq gives no SQLSTATE: while connecting, and when the connection is gone.
_WORDS = (
    (psycopg.OperationalError, "too many (clients|connections)|connection slots are reserved", "53300"),
    (psycopg.OperationalError, "starting up|shutting down|recovery mode|not yet accepting connections", "57P03"),
    (psycopg.OperationalError, _BROKE_OFF, "08006"),
    (psycopg.OperationalError, r"authentication failed|no password|role .* does not exist|pg_hba", "28"),
    (psycopg.OperationalError, "permission denied", "42501"),
    (psycopg.OperationalError, "", "08"),
    (psycopg.InterfaceError, "", "08"),
    (psycopg.DataError, "", "22"),
)
_FIXES = {
    ErrorKind.CREDENTIALS: "Check user and password in the dsn.",
    ErrorKind.PERMISSION: "Ask the owner to grant it, or use another user in the dsn.",
    ErrorKind.SPACE: "Free space on the server.",
    ErrorKind.CONFLICT: "Run again: another session was in the way.",
    ErrorKind.DEPENDENTS: "Drop them first, or let the model write another relation.",
    ErrorKind.UNREACHABLE: "Check host, port and database in the dsn, and that the server runs.",
    ErrorKind.TRANSIENT: "Run again.",
    ErrorKind.STOPPED: "Another session cancelled it: run again.",
}
# Where the SQLSTATE knows a better one than the kind.
_OWN_FIXES = {
    "25006": "Name the primary server in the dsn, or turn `default_transaction_read_only` off for this role.",
    "25P04": "Give it more time in the server's `transaction_timeout`, or make the query lighter.",
    "53400": "Raise the limit that it names, such as `temp_file_limit`, or make the query lighter.",
}
# What the server says of two sessions that change its catalog at once, where the SQLSTATE says less.
_COLLISION = re.compile(r'^tuple concurrently (updated|deleted)|unique constraint "pg_')
_TLS = re.compile(r"\bSSL\b|certificate")
_LIBPQ = re.compile(r"^connection (?:failed|is bad): |FATAL:\s+")


NO_STATE_RIGHTS = "no state rights"
"""What the pool notes of a connection: what makes the error of a role that may not use the table of states."""


def may_not(role: str, do: str, rights: str) -> EngineError:
    """Return the error of a role that may not do something, with the statement that grants it the rights."""
    hint = f"Let its owner run: grant {rights} to {quote_name(role, POSTGRES)}"
    return EngineError(f"The role {role!r} has no right to {do}.", kind=ErrorKind.PERMISSION, hint=hint)


@contextmanager
def translated(sql: str = "", skipped: int = 0) -> Iterator[None]:
    """Raise what the driver raises as `EngineError`; `sql` is the statement that line and column point into.

    `skipped` characters were sent before it.
    """
    try:
        yield
    except DBAPIError as error:
        raise _engine_error(error.orig or error, sql, skipped) from error
    except (psycopg.Error, UnicodeError) as error:
        raise _engine_error(error, sql, skipped) from error


def kind_of(state: str) -> ErrorKind:
    """Return what an SQLSTATE means."""
    return kind_of_state(state, _STATES) or ErrorKind.UNKNOWN


def _engine_error(error: BaseException, sql: str, skipped: int) -> EngineError:
    if isinstance(error, UnicodeError):
        return EngineError("The text holds characters that are no Unicode.", kind=ErrorKind.DATA)
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return _without_state(error)
    said, kind = error.diag, kind_of(error.sqlstate)
    if _COLLISION.search(said.message_primary or ""):
        kind = ErrorKind.TRANSIENT
    line, column = _place(sql, int(said.statement_position or 0) - skipped)
    message = "\n".join(part for part in (said.message_primary, said.message_detail) if part)
    hint = _OWN_FIXES.get(error.sqlstate) or _FIXES.get(kind, said.message_hint or "")
    if error.sqlstate == "57014" and "timeout" in message:
        hint = "Give it more time in `statement_timeout`, or make the query lighter."
    return EngineError(message, kind=kind, line=line, column=column, hint=hint)


def _without_state(error: BaseException) -> EngineError:
    said = str(error)
    fitting = (
        state for meant, words, state in _WORDS if isinstance(error, meant) and re.search(words, said, re.IGNORECASE)
    )
    kind = kind_of(next(fitting, ""))
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    message = _LIBPQ.sub("", lines[-1] if kind is ErrorKind.CREDENTIALS else lines[0]) if lines else "No reason given."
    hint = "Check `sslmode` and `sslrootcert` in the profile." if _TLS.search(message) else _FIXES.get(kind, "")
    return EngineError(message, kind=kind, hint=hint)


def _place(sql: str, position: int) -> tuple[int, int]:
    """Return line and column of a character of the statement, zeros where it is unknown or lies elsewhere."""
    return place_of(sql, position - 1) if 1 <= position <= len(sql) + 1 else (0, 0)
