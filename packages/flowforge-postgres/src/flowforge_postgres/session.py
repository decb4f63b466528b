"""Sessions: each holds one connection of the pool, taken when it is first needed.

Statements go to psycopg as they are, without parameters, so that no `%` or `:` of a user's SQL means anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.pq import TransactionStatus

from flowforge_domain.dialect import quote_text
from flowforge_domain.errors import EngineError, ErrorKind, closed_session, ours_if_interrupted
from flowforge_domain.results import Rows
from flowforge_domain.state import STATE_TABLE
from flowforge_ports.failpoint import failpoint
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.errors import NO_STATE_RIGHTS, translated
from flowforge_postgres.run_lock import RunLock, application_name
from flowforge_postgres.statements import run_out

if TYPE_CHECKING:
    import sqlalchemy

_PAUSE = 0.05
_LONGEST_END = 10.0


@dataclass
class PostgresSession:
    """One connection of the pool, taken when it is first needed; `main` is the session that this one is a fork of.

    A connection that broke is replaced outside of transactions only, when its server process has ended, and not without
    its part in the `lock` that the run holds. The main session closes the pool with itself.
    """

    pool: sqlalchemy.Engine
    main: PostgresSession | None = None
    lock: RunLock | None = None
    closed: bool = False
    working: bool = False
    held: Any = None
    due: str = ""
    name: str = ""
    process: int = 0
    lost: int = 0
    interrupted: bool = False

    @property
    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The driver's own connection; raises `EngineError` of kind UNREACHABLE."""
        if self.closed:
            raise closed_session()
        if self.held is not None and self.held.driver_connection.closed:
            if self.working:
                raise EngineError("The connection is lost.", kind=ErrorKind.TRANSIENT, hint="Run again.")
            self._let_go()
        if self.held is None:
            _take(self)
        return cast("psycopg.Connection[tuple[Any, ...]]", self.held.driver_connection)

    def execute(self, sql: str) -> int | None:
        with self._sending(sql) as text:
            return run_out(self.connection, text)

    def query(self, sql: str) -> Rows:
        """Run one query, or several statements of which one gives rows."""
        found = Rows((), [])
        with self._sending(sql) as text, self.connection.execute(_text(text)) as cursor:
            while True:
                if cursor.rownumber is not None:
                    found = Rows(tuple(column.name for column in cursor.description or ()), cursor.fetchall())
                if not cursor.nextset():
                    return found

    @contextmanager
    def reading(self) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        """Give the driver's cursor, its errors translated."""
        if self.due:
            self.execute("select")
        with ours_if_interrupted(self), translated(), self.connection.cursor() as cursor:
            yield cursor

    def begin(self) -> None:
        if self.held is not None and self.held.driver_connection.closed:
            self._let_go()
        # Sent together with the first statement: of a small model's time, most is waiting for answers.
        name = f"set local application_name = {quote_text(self.name, POSTGRES)}; " if self.name else ""
        self.working, self.due = True, f"begin; {name}"

    def commit(self) -> None:
        if self.due:
            self.working, self.due = False, ""
            return
        failpoint("statement")
        with ours_if_interrupted(self), translated():
            done = self.connection.execute("commit").statusmessage
        self.working = False
        if done == "ROLLBACK":
            raise EngineError("A statement of the transaction had failed; nothing was kept.", kind=ErrorKind.CONFLICT)

    def rollback(self) -> None:
        self.working, self.due = False, ""
        if self.held is None:
            return
        with suppress(psycopg.OperationalError):
            self.held.driver_connection.execute("rollback")
        if self.held.driver_connection.closed:
            self._let_go()

    def interrupt(self) -> None:
        # For good: whoever interrupts a session wants no more of it.
        self.interrupted = True
        if self.held is not None:
            with translated():
                self.held.driver_connection.cancel_safe(timeout=5)

    def label(self, labels: Mapping[str, str]) -> None:
        # The server cuts it after 63 bytes, so the model, which tells most, stands before the run. Where the run holds
        # the lock, what others wait for to end stands behind it, whole.
        lock = self.lock or (self.main and self.main.lock)
        words = (labels.get(key, "") for key in ("project", "model", *(() if lock else ("run",))))
        said = " ".join(filter(None, words)).replace("\0", "")
        self.name = application_name(said, lock.holder if lock else "")

    def close(self) -> None:
        self.closed = True
        if self.main is None:
            self._let_go()
            self.pool.dispose()
        elif self.held is not None:
            # Not given back to the pool: what was set in it would be for whoever is next. It ends a while after this.
            with suppress(psycopg.Error):
                self.held.driver_connection.execute("select pg_advisory_unlock_all()")
            self.held.invalidate()
            self.held = None

    @contextmanager
    def _sending(self, sql: str) -> Iterator[str]:
        """Give the text of a statement, or several, with the `begin` that is due; what the driver raises is translated.

        A statement that cannot be parsed takes the `begin` before it with it.
        """
        failpoint("statement")
        connection, due = self.connection, self.due
        with ours_if_interrupted(self), _state_rights_told(self), translated(sql, len(due)):
            try:
                yield due + sql
            finally:
                begun = connection.closed or connection.info.transaction_status != TransactionStatus.IDLE
                self.due = "" if begun else due

    def _let_go(self) -> None:
        held, self.held = self.held, None
        if held is not None:
            lost = held.driver_connection.closed
            self.lost = self.process if lost else 0
            with suppress(psycopg.Error):
                held.invalidate() if lost else held.close()


@contextmanager
def _state_rights_told(session: PostgresSession) -> Iterator[None]:
    """Say of a table of states that the role has no right to which statement gives it one."""
    try:
        yield
    except EngineError as error:
        if error.kind is ErrorKind.PERMISSION and STATE_TABLE in error.message:
            refusal: EngineError = session.held.info[NO_STATE_RIGHTS]()
            raise refusal from error
        raise


@contextmanager
def atomic(session: PostgresSession) -> Iterator[None]:
    """Give the block a transaction of its own where none is open."""
    if session.working or session.connection.info.transaction_status != TransactionStatus.IDLE:
        yield
        return
    session.begin()
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    session.commit()


def holds(session: PostgresSession, query: str) -> bool:
    """Run a query of `RunLock`, and return what it tells."""
    return bool(session.query(query).rows[0][0])


def _take(session: PostgresSession) -> None:
    with translated():
        session.held = session.pool.raw_connection()
    connection = session.held.driver_connection
    session.process = connection.info.backend_pid
    if session.lost:
        _await_end_of(session.lost, connection)
        session.lost = 0
    # Outside of the transaction that may be due: what it undoes is not the lock, nor the name.
    due, session.due = session.due, ""
    try:
        _take_part(session)
    except EngineError:
        session.held.invalidate()
        session.held = None
        raise
    finally:
        session.due = due


def _take_part(session: PostgresSession) -> None:
    """Have a new connection hold its part in the lock of the run, and raise where another run has it."""
    lock, main = session.lock, session.main
    part = lock.retake() if lock else main.lock.join() if main and main.lock else ""
    if part and not holds(session, part):
        message = "The connection was lost, and another run has begun meanwhile."
        raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Wait for it to end, then run again.")


def _await_end_of(process: int, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """End the server process of a lost connection: it may be committing still, or wait for its client with locks."""
    alive = f"from pg_stat_activity where pid = {process:d} and application_name like 'flowforge%'"
    ends = time.monotonic() + _LONGEST_END
    with translated():
        while connection.execute(_text(f"select pg_terminate_backend(pid) {alive}")).fetchone():
            if time.monotonic() >= ends:
                raise EngineError(f"The lost connection's server process {process} goes on.", kind=ErrorKind.TRANSIENT)
            time.sleep(_PAUSE)


def _text(sql: str) -> Any:
    """Let the driver take SQL that is no literal of this program: it is what the user wrote."""
    return sql
