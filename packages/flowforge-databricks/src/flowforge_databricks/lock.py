"""A lock file: beside a local warehouse, else in the project, where it keeps only this machine's runs apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, holder_text, read_holder, taken


@dataclass(frozen=True)
class SparkLock:
    """Keeps runs on one database apart."""

    path: Path
    target: str

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        # Its own lock object each time, or two threads of one process would share the lock they mean to contend for.
        lock = FileLock(self.path, thread_local=False, is_singleton=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=claim.wait)
            self.path.write_text(holder_text(claim.holder), encoding="utf-8")
        except Timeout as error:
            raise taken(self.target, self._holder(), claim.wait) from error
        except OSError as error:
            message = f"The lock file {self.path} cannot be made: {error.strerror}"
            raise EngineError(message, kind=ErrorKind.UNREACHABLE, hint="Check who may write there.") from error
        try:
            yield
        finally:
            lock.release()

    def _holder(self) -> str:
        with suppress(OSError, UnicodeError):
            return str(read_holder(self.path.read_text(encoding="utf-8")) or "")
        return ""
