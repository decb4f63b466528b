"""Opening a database: its file is found or made, its limits set, and a refusal says who holds it or what it is."""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from flowforge_domain.dialect import quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, taken
from flowforge_duckdb.dialect import DUCKDB
from flowforge_duckdb.lock import DuckDBLock, holder_of, name_holder, opening
from flowforge_duckdb.settings import DuckDBSettings
from flowforge_ports.failpoint import failpoint

MEMORY = ":memory:"
# Of new files. DuckDB's own 256 KB cost a thousand small tables twice the memory and four times the disk; 16 KB would
# halve that again, but store wide tables in 2.6 times the space.
_BLOCK = "65536"
_NO_DATABASE, _CHOOSE = "is not a DuckDB database.", "Choose another `path`, or move this file away."
_IN_USE, _PAUSE, _MOMENT = ("Could not set lock", "already open"), 0.05, 0.2
_HOLDER = re.compile(r"(?:held in|open in)\s+(.+?) \(PID (\d+)\)", re.DOTALL)


def connect(settings: DuckDBSettings, root: Path, claim: Claim) -> tuple[duckdb.DuckDBPyConnection, DuckDBLock]:
    """Return a connection, and the lock for those who write.

    A new file and its folders are created; one that may not be written is opened to be read, and its lock refuses
    everyone. Waits for another process that has the file open, as `claim` says, then raises `EngineError` of kind
    CONFLICT; for what cannot be opened, of kind UNREACHABLE.
    """
    if settings.path == MEMORY:
        return _limited(duckdb.connect(MEMORY), settings), DuckDBLock(None, MEMORY)
    path = root / Path(settings.path).expanduser()
    target = str(path.relative_to(root) if path.is_relative_to(root) else path)
    try:
        _create(path)
        read_only = not os.access(path, os.W_OK)
        connection = _opened(path, target, claim, read_only)
    except (duckdb.Error, OSError, ValueError) as error:
        raise _refusal(error, target) from error
    return _limited(connection, settings), DuckDBLock(path, target, read_only)


def utf8_path(path: Path) -> str:
    """Return a path as DuckDB takes it, whatever the locale; raise `ValueError` for one that is not UTF-8."""
    try:
        return os.fsencode(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError("the name of a folder on the way is not UTF-8.") from error


def formats_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the time zone, that of the machine where nobody set one; a DuckDB without ICU has none."""
    try:
        return dict(connection.execute("select 'TimeZone', current_setting('TimeZone')").fetchall())
    except duckdb.CatalogException:
        return {}


def _opened(path: Path, target: str, claim: Claim, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Connect as soon as no other process has the file open."""
    ends = time.monotonic() + claim.wait
    while True:
        try:
            with opening(path, max(_MOMENT, ends - time.monotonic())):
                if connection := _connected(path, read_only):
                    _require_stored(connection, target)
                    # In the same turn: who comes next finds the file in use, and is told by whom.
                    if not read_only:
                        name_holder(path, claim.holder)
                    return connection
            continue
        except (duckdb.IOException, TimeoutError) as error:
            if not (isinstance(error, TimeoutError) or _is_in_use(error)):
                raise
            run, process = _holder(str(error), path)
            # One that has only just opened it gets a moment to say who it is.
            if time.monotonic() >= ends + (0 if run else _MOMENT):
                raise taken(target, run or process, claim.wait) from error
        time.sleep(_PAUSE)


def _connected(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection | None:
    """Connect, or return None where the file was written to meanwhile, by whoever does not know of `opening`."""
    before = _stamp(path)
    try:
        connection = duckdb.connect(utf8_path(path), read_only=read_only)
    except duckdb.Error as error:
        if _is_in_use(error) or _stamp(path) == before:
            raise
        return None
    if _stamp(path) == before:
        return connection
    # It may be about to read, and write, by what it read of the file as it was.
    connection.close()
    return None


def _stamp(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return None


def _is_in_use(error: duckdb.Error) -> bool:
    return any(words in str(error) for words in _IN_USE)


def _holder(said: str, path: Path) -> tuple[str, str]:
    """Return the run that has the file open, "" when it is none that its lock file names, and the process."""
    found, written = _HOLDER.search(said), holder_of(path)
    if found is None:
        return str(written or ""), "another process"
    named = written is not None and written.pid == int(found[2])
    return str(written) if named else "", f"process {found[2]} ({found[1]})"


def _create(path: Path) -> None:
    """Make a new file aside and link it into place, so that two sessions that start together get one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    # Where this does not work, DuckDB makes the file itself, or says why it cannot.
    with suppress(OSError, duckdb.Error), tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        made = Path(folder) / "database"
        duckdb.connect(utf8_path(made), config={"default_block_size": _BLOCK}).close()
        failpoint("created")
        os.link(made, path)


def _require_stored(connection: duckdb.DuckDBPyConnection, target: str) -> None:
    """Refuse what DuckDB opens as well as its own files: CSV and JSON, as views in memory, and SQLite's."""
    found = connection.execute(
        "select path is not null and type = 'duckdb' from duckdb_databases() where database_name = current_database()"
    )
    if found.fetchall() != [(True,)]:
        connection.close()
        raise EngineError(f"{target} {_NO_DATABASE}", kind=ErrorKind.UNREACHABLE, hint=_CHOOSE)


def _limited(connection: duckdb.DuckDBPyConnection, settings: DuckDBSettings) -> duckdb.DuckDBPyConnection:
    # Set here and not given to connect(), which refuses a second connection whose configuration differs.
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    if settings.threads is not None:
        connection.execute(f"set threads = {settings.threads}")
    if settings.memory_limit is not None:
        connection.execute(f"set memory_limit = {quote_text(settings.memory_limit, DUCKDB)}")
    return connection


def _refusal(error: Exception, target: str) -> EngineError:
    text = (
        f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error).removeprefix("IO Error: ")
    )
    if "not a valid DuckDB database" in text or "extension" in text:
        message, hint = f"{target} {_NO_DATABASE}", _CHOOSE
    else:
        message, hint = f"{target} cannot be opened: {text}", "Check the `path` and who may write there."
    return EngineError(message, kind=ErrorKind.UNREACHABLE, hint=hint)
