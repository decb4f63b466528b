"""One run at a time on a database, also from other processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flowforge_domain.errors import EngineError, ErrorKind


@dataclass(frozen=True)
class DuckDBLock:
    """Keeps runs apart, by a file beside the database: DuckDB itself only keeps processes apart."""

    path: Path | None
    target: str
    guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        from filelock import FileLock, Timeout

        # Its own lock object each time, or two threads of one process would share the lock they mean to contend for.
        lock = FileLock(f"{self.path}.lock", thread_local=False, is_singleton=False) if self.path else self.guard
        try:
            if not lock.acquire(timeout=timeout):
                raise TimeoutError
        except (Timeout, TimeoutError) as error:
            message = f"Another run is writing to {self.target}; waited {timeout:g} s."
            raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Wait for it to end, then run again.") from error
        except OSError as error:
            message = f"The lock file of {self.target} cannot be made: {error.strerror}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Check who may write there.") from error
        try:
            yield
        finally:
            lock.release()
