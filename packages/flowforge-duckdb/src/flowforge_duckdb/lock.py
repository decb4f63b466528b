"""One run at a time on a database: a file beside it names who holds it, and is locked while they write.

DuckDB itself lets only one process open a database, so that others wait before they have a session to lock it with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, Holder, holder_text, read_holder, taken

if TYPE_CHECKING:
    from filelock import FileLock


@dataclass(frozen=True)
class DuckDBLock:
    """Keeps runs apart, those of one process too; the system frees the lock of a process that dies.

    `inside` is who holds it in this process: a database in memory has no file that could tell. One that is `read_only`
    is nobody's to hold.
    """

    path: Path | None
    target: str
    read_only: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)
    inside: list[Holder] = field(default_factory=list)

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        if self.read_only:
            hint = "Check who may write there, or give another `path`; `show` and `test` only read."
            raise EngineError(f"{self.target} may not be written.", kind=ErrorKind.PERMISSION, hint=hint)
        lock = _lock_of(self.path) if self.path else self.guard
        try:
            if not _acquired(lock, claim.wait):
                raise taken(self.target, self._holder(), claim.wait)
            if self.path:
                _lock_file(self.path).write_text(holder_text(claim.holder), encoding="utf-8")
        except OSError as error:
            message = f"The lock file of {self.target} cannot be made: {error.strerror}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Check who may write there.") from error
        self.inside.append(claim.holder)
        try:
            yield
        finally:
            self.inside.clear()
            lock.release()

    def _holder(self) -> str:
        return str(holder_of(self.path) or next(iter(self.inside), ""))


@contextmanager
def opening(path: Path, wait: float = -1) -> Iterator[None]:
    """Keep other processes of FlowForge from opening and closing the database meanwhile; they take turns.

    DuckDB 2.0 reads where its data are before it locks the file: if another process writes to it and closes it between
    the two, what that wrote is lost with the next commit. Raises `TimeoutError` after `wait` seconds; waits for good if
    that is negative. Where no file can be made beside the database, nobody waits.
    """
    from filelock import FileLock

    file = path.with_name(f"{path.name}.open")
    turn = FileLock(file, thread_local=False, is_singleton=False)
    try:
        # Made before: filelock would wait for a file that can never be made, as below /proc.
        if not file.exists():
            file.touch()
        turn.acquire(timeout=wait)
    except TimeoutError:
        raise
    except OSError:
        pass
    try:
        yield
    finally:
        turn.release()


def name_holder(path: Path, holder: Holder) -> None:
    """Tell other processes who has the database open, unless a run of this process has said so already."""
    lock = _lock_of(path)
    # Only words depend on it: what cannot be written is told when the lock is held.
    with suppress(OSError):
        if _acquired(lock, 0):
            _lock_file(path).write_text(holder_text(holder), encoding="utf-8")
    lock.release()


def holder_of(path: Path | None) -> Holder | None:
    """Return who was the last to open or hold the database, as far as the file says."""
    with suppress(OSError, UnicodeError):
        return read_holder(_lock_file(path).read_text(encoding="utf-8")) if path else None
    return None


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _lock_of(path: Path) -> FileLock:
    from filelock import FileLock

    # Its own lock object each time, or two threads of one process would share the lock they mean to contend for.
    return FileLock(_lock_file(path), thread_local=False, is_singleton=False)


def _acquired(lock: FileLock | threading.Lock, wait: float) -> bool:
    """Acquire a lock within `wait` seconds, or return False."""
    with suppress(TimeoutError):
        return bool(lock.acquire(timeout=wait))
    return False
