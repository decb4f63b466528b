"""A lock file: beside a local warehouse, else in the project, where it keeps only this machine's runs apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from flowforge_domain.errors import EngineError, ErrorKind


@dataclass(frozen=True)
class SparkLock:
    """Keeps runs on one database apart."""

    path: Path
    target: str

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        # Its own lock object each time, or two threads of one process would share the lock they mean to contend for.
        lock = FileLock(self.path, thread_local=False, is_singleton=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=timeout)
        except Timeout as error:
            message = f"Another run is writing to {self.target}; waited {timeout:g} s."
            raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Wait for it to end, then run again.") from error
        except OSError as error:
            message = f"The lock file {self.path} cannot be made: {error.strerror}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Check who may write there.") from error
        try:
            yield
        finally:
            lock.release()
