"""A DuckDB file, or memory, as an engine: what the core asks for, said in DuckDB's words.

All sessions of one engine are cursors of one database: they see each other's commits and nothing unfinished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import duckdb

from flowforge_domain.catalog import CatalogEntry, listed
from flowforge_domain.dialect import quote_relation
from flowforge_domain.holder import Claim
from flowforge_domain.results import Rows
from flowforge_duckdb.connection import MEMORY, connect, formats_of
from flowforge_duckdb.dependents import DuckDBLateViews
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import translated
from flowforge_duckdb.frames import DuckDBFrames
from flowforge_duckdb.lock import DuckDBLock
from flowforge_duckdb.plugin import SPEC
from flowforge_duckdb.seal import FileSeal, file_seal
from flowforge_duckdb.seeds import DuckDBSeeds
from flowforge_duckdb.settings import DuckDBProfile
from flowforge_duckdb.statements import columns_of, run_out
from flowforge_ports.engine import Engine
from flowforge_ports.failpoint import failpoint

_RELATIONS = """
select schema_name, table_name, 'table', schema_name = current_schema(), md5(sql), estimated_size
from duckdb_tables() where not internal and database_name = current_database()
union all
select schema_name, view_name, 'view', schema_name = current_schema(), md5(sql), null
from duckdb_views() where not internal and database_name = current_database()
"""


def open_engine(profile: DuckDBProfile, root: Path, claim: Claim) -> Engine:
    """Open the profile's database; a new file and its folders are created, and what may not be written is only read.

    Raises `EngineError` of kind CONFLICT when another process has it open for longer than `claim` waits, UNREACHABLE
    when the file cannot be opened.
    """
    connection, lock = connect(profile.duckdb, root, claim)
    seal = file_seal(lock.path) if lock.path else None
    return replace(_engine(_session(connection, seal), lock), sources=seal, seal=seal)


def engine_on(connection: duckdb.DuckDBPyConnection) -> Engine:
    """Return an engine on the database of a user's own connection, which keeps its settings and its transaction.

    Raises `EngineError` of kind UNREACHABLE for a closed connection.
    """
    with translated():
        session = _session(connection.cursor())
    path = session.query("select path from duckdb_databases() where database_name = current_database()").rows[0][0]
    return _engine(session, DuckDBLock(Path(path) if path else None, path or MEMORY))


@dataclass(frozen=True)
class DuckDBSession:
    """A connection, or a cursor of one; closing it closes its forks."""

    connection: duckdb.DuckDBPyConnection
    seal: FileSeal | None = None
    forks: list[DuckDBSession] = field(default_factory=list)

    def execute(self, sql: str) -> int | None:
        failpoint("statement")
        return run_out(self.connection, sql)

    def query(self, sql: str) -> Rows:
        with translated(sql):
            result = self.connection.execute(sql)
            columns = columns_of(result)
            return Rows(columns, result.fetchall() if columns else [])

    def begin(self) -> None:
        self.execute("begin")

    def commit(self) -> None:
        self.execute("commit")

    def rollback(self) -> None:
        # DuckDB complains that no transaction, or no connection, is open.
        with translated(), suppress(duckdb.TransactionException, duckdb.ConnectionException):
            self.connection.execute("rollback")

    def interrupt(self) -> None:
        with suppress(duckdb.ConnectionException):
            self.connection.interrupt()

    def label(self, labels: Mapping[str, str]) -> None:
        """Do nothing: DuckDB keeps no log of its own."""

    def close(self) -> None:
        for fork in self.forks:
            fork.close()
        if self.seal is None:
            self.connection.close()
        else:
            self.seal.closing(self.connection)


@dataclass(frozen=True)
class DuckDBCatalog:
    """What the session's database holds, from DuckDB's own lists."""

    session: DuckDBSession

    def relations(self) -> Mapping[str, CatalogEntry]:
        return listed(self.session.query(_RELATIONS).rows)

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        described = self.session.query(f"describe {quote_relation(relation, DUCKDB)}").rows
        return [(name, kind) for name, kind, *_ in described]


def _engine(session: DuckDBSession, lock: DuckDBLock) -> Engine:
    (database,) = session.connection.execute("select lower(current_database())").fetchall()[0]
    return Engine(
        name=SPEC.name,
        target=lock.target,
        dialect=replace(SPEC.dialect, taken_schemas=SPEC.dialect.taken_schemas | {database}),
        capabilities=SPEC.capabilities,
        session=session,
        catalog=DuckDBCatalog(session),
        lock=lock,
        fork=partial(_fork, session, lock),
        frames=DuckDBFrames(session.connection),
        seeds=DuckDBSeeds(session.connection),
        late_views=DuckDBLateViews(session.connection),
        keeps=lock.path is not None,
        version=duckdb.__version__,
        formats=partial(formats_of, session.connection),
    )


def _fork(session: DuckDBSession, lock: DuckDBLock) -> Engine:
    with translated():
        fork = _session(session.connection.cursor())
    session.forks.append(fork)
    return _engine(fork, lock)


def _session(connection: duckdb.DuckDBPyConnection, seal: FileSeal | None = None) -> DuckDBSession:
    # Only for this session: a user's own connection to the same database keeps DuckDB's plain errors.
    connection.execute("set session errors_as_json = true; set session enable_progress_bar = false")
    return DuckDBSession(connection, seal)
