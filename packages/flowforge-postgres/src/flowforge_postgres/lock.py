"""Keeps runs on one schema apart, by advisory locks that the server frees when their holder is gone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from flowforge_domain.errors import EngineError
from flowforge_domain.holder import Claim, Holder, taken
from flowforge_postgres.catalog import require_own_schema
from flowforge_postgres.run_lock import RunLock
from flowforge_postgres.session import PostgresSession, holds

_PAUSE = 0.05
_RUN_OF = re.compile(r"(\S+) (\d+)@(\S+)$")


@dataclass(frozen=True)
class PostgresLock:
    """The lock of one schema."""

    session: PostgresSession
    target: str
    schema: str

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        lock, ends = RunLock(self.schema, _short(claim.holder)), time.monotonic() + claim.wait
        while not holds(self.session, lock.begin()):
            if time.monotonic() >= ends:
                raise taken(f"Schema {self.schema} of {self.target}", self._holder(lock), claim.wait)
            time.sleep(_PAUSE)
        self.session.lock = lock
        try:
            self.session.execute(lock.named())
            require_own_schema(self.session, self.schema)
            yield
        finally:
            self.session.lock, self.session.name = None, ""
            # A lost connection has given it back.
            with suppress(EngineError):
                self.session.execute(lock.end())

    def _holder(self, lock: RunLock) -> str:
        found = self.session.query(lock.holders()).rows
        if not found:
            return ""
        pid, name = found[0]
        run = _RUN_OF.search(name)
        return f"run {run[1]}, process {run[2]} on {run[3]}" if run else f"{name}, server process {pid}"


def _short(holder: Holder) -> str:
    """Return a holder in the few bytes that other sessions see."""
    return f"{holder.run[:16]} {holder.pid}@{holder.host.partition('.')[0][:20]}"
