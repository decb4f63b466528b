"""A sqlite target: session, catalog and lock, and how they are opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.ddl import find_target
from flowforge_domain.dialect import quote_relation, quote_text
from flowforge_domain.errors import EngineError, ErrorKind, TemplateError, UnsupportedByEngineError
from flowforge_domain.holder import Claim, holder_text, read_holder, taken
from flowforge_domain.relation import relation_name, relation_parts, same_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine
from flowforge_testkit.sqlite.dependents import SqliteLateViews
from flowforge_testkit.sqlite.dialect import CAPABILITIES, DIALECT
from flowforge_testkit.sqlite.errors import translated
from flowforge_testkit.sqlite.frames import SqliteFrames
from flowforge_testkit.sqlite.seeds import SqliteSeeds
from flowforge_testkit.sqlite.settings import SqliteProfile, SqliteSettings

MEMORY = ":memory:"


def open_engine(profile: SqliteProfile, root: Path, claim: Claim) -> Engine:
    """Open the target of a profile; a relative path is relative to `root`.

    Raises `EngineError` of kind UNREACHABLE.
    """
    settings = profile.sqlite
    if settings.path == MEMORY:
        return _in_memory(_open(MEMORY, settings))
    path = root / settings.path
    with _unreachable():
        path.parent.mkdir(parents=True, exist_ok=True)
    return _open(str(path), settings)


@dataclass(frozen=True)
class SqliteSession:
    """One connection; the transactions are those it is told to open, never the driver's own."""

    connection: sqlite3.Connection

    def execute(self, sql: str) -> int | None:
        """Run one statement; count what `create table … as` wrote, which sqlite does not tell."""
        with translated(sql), closing(self.connection.execute(sql)) as cursor:
            # A query is worked out only as far as its rows are taken, and the last one may fail.
            for _ in cursor:
                pass
            rows = cursor.rowcount
        return rows if rows >= 0 else self._created(sql)

    def query(self, sql: str) -> Rows:
        """Run one query and fetch it all, so that no cursor keeps a table busy."""
        with translated(sql), closing(self.connection.execute(sql)) as cursor:
            rows = cursor.fetchall()
            return Rows(tuple(column[0] for column in cursor.description or ()), rows)

    def begin(self) -> None:
        """Open a transaction as a writer, so that two of them wait instead of failing at commit."""
        self.execute("begin immediate")

    def commit(self) -> None:
        """Commit."""
        self.execute("commit")

    def rollback(self) -> None:
        """Roll back if a transaction is open."""
        with translated():
            self.connection.rollback()

    def interrupt(self) -> None:
        """Cancel the statement another thread runs."""
        with translated():
            self.connection.interrupt()

    def label(self, labels: Mapping[str, str]) -> None:
        """Do nothing: sqlite keeps no log."""

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _created(self, sql: str) -> int | None:
        try:
            target = find_target(sql, dialect=DIALECT)
        except TemplateError:
            return None
        if target is None or target.kind == "view":
            return None
        counted = self.query(f"select count(*) from {quote_relation(target.relation, DIALECT)}")
        return int(counted.rows[0][0])


@dataclass(frozen=True)
class SqliteCatalog:
    """The tables and views of the file."""

    session: SqliteSession

    def relations(self) -> Mapping[str, CatalogEntry]:
        """Return the tables and views of the file."""
        found = self.session.query(
            "select name, type, sql from sqlite_master "
            "where type in ('table', 'view') and substr(name, 1, 7) <> 'sqlite_'"
        )
        return {same_relation(relation_name(name)): CatalogEntry(kind, sql) for name, kind, sql in found.rows}

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        """Return names and declared types; an expression in a view has none."""
        arguments = ", ".join(quote_text(part, DIALECT) for part in reversed(relation_parts(relation)))
        found = self.session.query(f"select name, lower(type) from pragma_table_info({arguments})")
        if not found.rows:
            raise EngineError(f"no such table: {relation}", kind=ErrorKind.MISSING_RELATION)
        return [(name, kind) for name, kind in found.rows]


@dataclass(frozen=True)
class SqliteLock:
    """An exclusive transaction on a file beside the target: held across processes, freed when its holder dies."""

    path: str
    target: str

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        """Hold the side file's exclusive transaction; nobody else can open a target in memory."""
        if self.path == MEMORY:
            yield
            return
        with translated(), closing(_connect(f"{self.path}.lock", claim.wait)) as side:
            self._begin(side, claim.wait)
            self._note.write_text(holder_text(claim.holder), encoding="utf-8")
            with side:
                yield

    @property
    def _note(self) -> Path:
        """Who holds it: what stands in a locked file cannot be read."""
        return Path(f"{self.path}.holder")

    def _begin(self, side: sqlite3.Connection, wait: float) -> None:
        try:
            side.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            found = read_holder(self._note.read_text(encoding="utf-8")) if self._note.exists() else None
            raise taken(self.target, str(found or ""), wait) from error


def _open(path: str, settings: SqliteSettings) -> Engine:
    with translated(), ExitStack() as on_failure:
        connection = on_failure.enter_context(closing(_connect(path, settings.timeout)))
        # Readers go on seeing the last commit while one writer works.
        connection.execute("pragma journal_mode = wal")
        on_failure.pop_all()
    session = SqliteSession(connection)
    catalog = SqliteCatalog(session)
    return Engine(
        name=DIALECT.name,
        target=settings.path,
        dialect=DIALECT,
        capabilities=CAPABILITIES,
        session=session,
        catalog=catalog,
        lock=SqliteLock(path, settings.path),
        fork=lambda: _open(path, settings),
        frames=SqliteFrames(session, catalog),
        seeds=SqliteSeeds(session, catalog),
        late_views=SqliteLateViews(session),
    )


def _connect(path: str, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


def _in_memory(engine: Engine) -> Engine:
    """A target in memory belongs to one connection and ends with it."""
    missing = Capability.CONCURRENT_SESSIONS

    def fork() -> Engine:
        raise UnsupportedByEngineError(engine.name, missing.value)

    return replace(engine, fork=fork, keeps=False, capabilities=engine.capabilities - {missing})


@contextmanager
def _unreachable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"unable to open the target: {error}", kind=ErrorKind.UNREACHABLE) from error
