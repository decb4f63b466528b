"""A DuckDB file, or memory, as an engine: what the core asks for, said in DuckDB's words.

All sessions of one engine are cursors of one database: they see each other's commits and nothing unfinished.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from flowforge_domain.dialect import RelationKind, quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, same_relation
from flowforge_domain.results import Rows
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.errors import refusal, translated
from flowforge_duckdb.frames import DuckDBFrames
from flowforge_duckdb.plugin import SPEC
from flowforge_duckdb.seeds import DuckDBSeeds
from flowforge_duckdb.settings import DuckDBProfile, DuckDBSettings
from flowforge_ports.engine import Engine

_RELATIONS = """
select schema_name, table_name, 'table', schema_name = current_schema()
from duckdb_tables() where not internal and database_name = current_database()
union all
select schema_name, view_name, 'view', schema_name = current_schema()
from duckdb_views() where not internal and database_name = current_database()
"""


def open_engine(profile: DuckDBProfile, root: Path) -> Engine:
    """Open the profile's database; a new file and its folders are created.

    Raises `EngineError` of kind UNREACHABLE when the file cannot be opened.
    """
    settings = profile.duckdb
    if settings.path == ":memory:":
        return _engine(_session(_connect(":memory:", settings)), DuckDBLock(None, ":memory:"))
    path = root / Path(settings.path).expanduser()
    target = str(path.relative_to(root) if path.is_relative_to(root) else path)
    _create(path, target)
    try:
        connection = _connect(str(path), settings)
    except duckdb.Error as error:
        raise refusal(error, target) from error
    return _engine(_session(connection), DuckDBLock(path, target))


def engine_on(connection: duckdb.DuckDBPyConnection) -> Engine:
    """Return an engine on the database of a user's own connection, which keeps its settings and transaction.

    Raises `EngineError` of kind UNREACHABLE for a closed connection.
    """
    with translated():
        session = _session(connection.cursor())
    found = session.query("select path from duckdb_databases() where database_name = current_database()").rows
    path = found[0][0]
    return _engine(session, DuckDBLock(Path(path) if path else None, path or ":memory:"))


@dataclass(frozen=True)
class DuckDBSession:
    """A connection, or a cursor of one; closing it closes its forks."""

    connection: duckdb.DuckDBPyConnection
    forks: list[DuckDBSession] = field(default_factory=list)

    def execute(self, sql: str) -> int | None:
        with translated(sql):
            result = self.connection.execute(sql)
            counted = bool(result.description) and result.description[0][0] == "Count"
            row = result.fetchone() if counted else None
        return row[0] if row else None

    def query(self, sql: str) -> Rows:
        with translated(sql):
            result = self.connection.execute(sql)
            return Rows(tuple(column[0] for column in result.description), result.fetchall())

    def begin(self) -> None:
        self.execute("begin")

    def commit(self) -> None:
        self.execute("commit")

    def rollback(self) -> None:
        # DuckDB's only complaint here is that no transaction is open.
        with translated(), suppress(duckdb.TransactionException):
            self.connection.execute("rollback")

    def interrupt(self) -> None:
        self.connection.interrupt()

    def close(self) -> None:
        for fork in self.forks:
            fork.close()
        self.connection.close()


@dataclass(frozen=True)
class DuckDBCatalog:
    """What the session's database holds, from DuckDB's own lists."""

    session: DuckDBSession

    def relations(self) -> Mapping[str, RelationKind]:
        return {
            same_relation(relation_name(name) if here else relation_name(schema, name)): kind
            for schema, name, kind, here in self.session.query(_RELATIONS).rows
        }

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        described = self.session.query(f"describe {quote_relation(relation, DUCKDB)}")
        return [(row[0], row[1]) for row in described.rows]


@dataclass(frozen=True)
class DuckDBLock:
    """A lock file beside the database: DuckDB keeps processes apart, this keeps runs apart."""

    path: Path | None
    target: str

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        if self.path is None:
            yield
            return
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self.path}.lock", thread_local=False, is_singleton=False)
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            message = f"Another run is writing to {self.target}; waited {timeout:g} s."
            raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Wait for it to end, then run again.") from error
        try:
            yield
        finally:
            lock.release()


def _engine(session: DuckDBSession, lock: DuckDBLock) -> Engine:
    return Engine(
        name=SPEC.name,
        target=lock.target,
        dialect=SPEC.dialect,
        capabilities=SPEC.capabilities,
        session=session,
        catalog=DuckDBCatalog(session),
        lock=lock,
        fork=partial(_fork, session, lock),
        frames=DuckDBFrames(session.connection),
        seeds=DuckDBSeeds(session.connection),
        keeps=lock.path is not None,
    )


def _fork(session: DuckDBSession, lock: DuckDBLock) -> Engine:
    with translated():
        fork = _session(session.connection.cursor())
    session.forks.append(fork)
    return _engine(fork, lock)


def _session(connection: duckdb.DuckDBPyConnection) -> DuckDBSession:
    # Only for this session: a user's own connection to the same database keeps DuckDB's plain errors.
    connection.execute("set session errors_as_json = true")
    return DuckDBSession(connection)


def _create(path: Path, target: str) -> None:
    """Make a new file with blocks of 16 KB, which suit many small tables; DuckDB's own are 256 KB.

    It is made aside and linked into place, so that two sessions that start together get one file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(error, target) from error
    if path.exists():
        return
    # Where that does not work, DuckDB makes the file itself, or says why it cannot.
    with suppress(OSError, duckdb.Error), tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        new = Path(folder) / "database"
        duckdb.connect(str(new), config={"default_block_size": "16384"}).close()
        os.link(new, path)


def _connect(path: str, settings: DuckDBSettings) -> duckdb.DuckDBPyConnection:
    # Set here and not given to connect(), which refuses a second connection whose configuration differs.
    connection = duckdb.connect(path)
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    if settings.threads is not None:
        connection.execute(f"set threads = {settings.threads}")
    if settings.memory_limit is not None:
        connection.execute(f"set memory_limit = {quote_text(settings.memory_limit)}")
    return connection
