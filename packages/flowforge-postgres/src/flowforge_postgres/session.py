"""Connections: a pool that opens one when it is first needed, and a session that holds one of them.

Statements go to psycopg as they are, without parameters, so that no `%` or `:` of a user's SQL means anything.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

import psycopg
import sqlalchemy
import sqlalchemy.event
import sqlalchemy.exc
from psycopg.pq import Conninfo, TransactionStatus

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, ours_if_interrupted
from flowforge_domain.holder import Claim, Holder, taken
from flowforge_domain.results import Rows
from flowforge_ports.failpoint import failpoint
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.errors import translated
from flowforge_postgres.settings import PostgresSettings
from flowforge_postgres.statements import run_out

_PAUSE = 0.05
_LONGEST_END = 10.0
# Nothing is prepared behind our back: a plan of `select *` would not survive its table's replacement.
_NEVER = 2**31 - 1
# Otherwise the lock of a run that was killed is held for as long as its statement takes. Servers before version 14, and
# those on some systems, cannot do so.
_WATCH = """do $$ begin set client_connection_check_interval = 500; exception when others then null; end $$"""
_MAY_USE = """
select has_schema_privilege(oid, 'usage'), current_user
from pg_catalog.pg_namespace where oid = to_regnamespace({schema})
"""
_LONGEST_NAME = 63
_RUN_OF = re.compile(r"(\S+) (\d+)@(\S+)$")
_HOLDER = """
select pid, application_name from pg_stat_activity where pid in (
  select pid from pg_locks where locktype = 'advisory' and granted
  and ((classid::bigint << 32) | objid::bigint) = {key} and objsubid = 1
)
"""


def pool_of(settings: PostgresSettings) -> sqlalchemy.Engine:
    """Return a pool of connections, none of them open yet; raise `EngineError` for a dsn that cannot be read."""
    url = _url(settings.dsn.get_secret_value())
    asked = {
        "application_name": "flowforge",
        "connect_timeout": settings.connect_timeout,
        "sslmode": settings.sslmode,
        "sslrootcert": settings.sslrootcert,
    }
    arguments = {key: value for key, value in asked.items() if value is not None and key not in url.query}
    arguments |= {"autocommit": True, "prepare_threshold": _NEVER}
    pool = sqlalchemy.create_engine(
        url, connect_args=arguments, pool_pre_ping=True, max_overflow=-1, use_native_hstore=False
    )
    sqlalchemy.event.listen(pool, "connect", lambda connection, _: _set_up(connection, settings))
    return pool


def _url(dsn: str) -> sqlalchemy.URL:
    """Return what a dsn says; what may be the end of a password is no host, database or setting that an error names."""
    try:
        url = sqlalchemy.make_url(dsn).set(drivername="postgresql+psycopg")
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # Not chained: the parser's own words may hold the password.
        url = None
    if url is None or dsn.partition("?")[0].count("@") > 1:
        message, hint = "The dsn cannot be read.", "Write its password percent-encoded, as in p%40ss for p@ss."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)
    if url.query.keys() - {setting.keyword.decode() for setting in Conninfo.get_defaults()}:
        message = "The dsn has a setting behind its ? that PostgreSQL does not know."
        hint = "Mend its name; where it is part of a password, write & as %26 and = as %3D."
        raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)
    return url


@dataclass
class PostgresSession:
    """One connection of the pool, taken when it is first needed; the first session closes the pool with itself.

    A connection that broke is replaced outside of transactions only, when its server process has ended, and not without
    the locks it held.
    """

    pool: sqlalchemy.Engine
    first: bool = True
    keys: set[int] = field(default_factory=set)
    closed: bool = False
    working: bool = False
    held: Any = None
    due: str = ""
    name: str = ""
    holder: str = ""
    process: int = 0
    lost: int = 0
    interrupted: bool = False

    @property
    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The driver's own connection; raises `EngineError` of kind UNREACHABLE."""
        if self.closed:
            raise EngineError("The session is closed.", kind=ErrorKind.UNREACHABLE, hint="Open the engine again.")
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
        with self._sending(sql) as text, self.connection.execute(_text(text)) as cursor:
            while cursor.nextset():
                pass
            columns = tuple(column.name for column in cursor.description or ())
            return Rows(columns, cursor.fetchall() if columns else [])

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
        # The server cuts it after 63 bytes, so the model, which tells most, stands before the run. On the session that
        # holds the lock, what others wait for to end stands behind it, whole.
        words = (labels.get(key, "") for key in ("project", "model", *(() if self.holder else ("run",))))
        self.name = _application_name(" ".join(filter(None, words)).replace("\0", ""), self.holder)

    def close(self) -> None:
        self.closed = True
        self._let_go()
        if self.first:
            self.pool.dispose()

    @contextmanager
    def _sending(self, sql: str) -> Iterator[str]:
        """Give the text of a statement, or several, with the `begin` that is due; what the driver raises is translated.

        A statement that cannot be parsed takes the `begin` before it with it.
        """
        failpoint("statement")
        connection, due = self.connection, self.due
        with ours_if_interrupted(self), translated(sql, len(due)):
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


def _take(session: PostgresSession) -> None:
    with translated():
        session.held = session.pool.raw_connection()
    connection = session.held.driver_connection
    session.process = connection.info.backend_pid
    if session.lost:
        _await_end_of(session.lost, connection)
        session.lost = 0
    if session.holder:
        session.execute(_renamed(session.holder))
    for key in session.keys:
        if not _try_lock(session, key):
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


@dataclass(frozen=True)
class PostgresLock:
    """Keeps runs on one schema apart, by an advisory lock that the server frees when its holder is gone."""

    session: PostgresSession
    target: str
    schema: str

    @property
    def key(self) -> int:
        """The lock's number; PostgreSQL itself keeps databases apart."""
        return int.from_bytes(sha256(f"flowforge {self.schema}".encode()).digest()[:8], "big", signed=True)

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        ends = time.monotonic() + claim.wait
        while not _try_lock(self.session, self.key):
            if time.monotonic() >= ends:
                raise taken(f"Schema {self.schema} of {self.target}", self._holder(), claim.wait)
            time.sleep(_PAUSE)
        self.session.keys.add(self.key)
        self.session.holder = _short(claim.holder)
        try:
            self.session.execute(_renamed(self.session.holder))
            yield
        finally:
            self.session.keys.discard(self.key)
            self.session.holder = self.session.name = ""
            # A lost connection has given it back.
            with suppress(EngineError):
                self.session.execute(f"reset application_name; select pg_advisory_unlock({self.key:d})")

    def _holder(self) -> str:
        found = self.session.query(_HOLDER.format(key=self.key)).rows
        if not found:
            return ""
        pid, name = found[0]
        run = _RUN_OF.search(name)
        return f"run {run[1]}, process {run[2]} on {run[3]}" if run else f"{name}, server process {pid}"


def _short(holder: Holder) -> str:
    """Return a holder in the few bytes that other sessions see."""
    return f"{holder.run[:16]} {holder.pid}@{holder.host.partition('.')[0][:20]}"


def _application_name(words: str, holder: str) -> str:
    """Return a session's name as others see it; what there is no room for is cut from `words`."""
    room = _LONGEST_NAME - len(f"flowforge  {holder}".encode())
    cut = words.encode()[:room].decode("utf-8", "ignore") if holder else words
    return " ".join(filter(None, ("flowforge", cut, holder)))


def _renamed(holder: str) -> str:
    return f"set application_name = {quote_text(_application_name('', holder), POSTGRES)}"


def _try_lock(session: PostgresSession, key: int) -> bool:
    return bool(session.query(f"select pg_try_advisory_lock({key:d})").rows[0][0])


def _set_up(connection: psycopg.Connection[tuple[Any, ...]], settings: PostgresSettings) -> None:
    """Make the schema if it is missing, for which even `if not exists` asks more rights, and look only there.

    One that the role may not use would be left out of the search path in silence, as if it were not there.
    """
    schema = quote_name(settings.db_schema, POSTGRES)
    found = connection.execute(_MAY_USE.format(schema=quote_text(schema, POSTGRES))).fetchone()
    if found is None:
        make_schema(connection, schema)
    elif not found[0]:
        connection.close()
        raise _may_not_use(settings.db_schema, found[1])
    ours = [f"set search_path = {schema}", "set datestyle = iso"]
    # What the dsn says of it wins, and where the profile says nothing, what the role or the database has.
    if settings.statement_timeout and "statement_timeout" not in connection.info.options:
        ours.append(f"set statement_timeout = {round(settings.statement_timeout * 1000)}")
    connection.execute("; ".join([*ours, _WATCH]))


def _may_not_use(schema: str, role: str) -> EngineError:
    granted = f"grant usage, create on schema {quote_name(schema, POSTGRES)} to {quote_name(role, POSTGRES)}"
    return EngineError(
        f"The role {role!r} has no right to use the schema {schema!r}.",
        kind=ErrorKind.PERMISSION,
        hint=f"Let its owner run: {granted}",
    )


def make_schema(connection: psycopg.Connection[tuple[Any, ...]], schema: str) -> None:
    """Create a schema, given quoted; another session may be doing the same."""
    with suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateSchema):
        connection.execute(f"create schema {schema}")


def _text(sql: str) -> Any:
    """Let the driver take SQL that is no literal of this program: it is what the user wrote."""
    return sql
