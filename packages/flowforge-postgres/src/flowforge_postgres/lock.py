"""Keeps runs on one schema apart, by an advisory lock that the server frees when its holder is gone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256

from flowforge_domain.errors import EngineError
from flowforge_domain.holder import Claim, Holder, taken
from flowforge_postgres.session import PostgresSession, renamed, try_lock

_PAUSE = 0.05
_RUN_OF = re.compile(r"(\S+) (\d+)@(\S+)$")
_HOLDER = """
select pid, application_name from pg_stat_activity where pid in (
  select pid from pg_locks where locktype = 'advisory' and granted
  and ((classid::bigint << 32) | objid::bigint) = {key} and objsubid = 1
)
"""


@dataclass(frozen=True)
class PostgresLock:
    """The lock of one schema."""

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
        while not try_lock(self.session, self.key):
            if time.monotonic() >= ends:
                raise taken(f"Schema {self.schema} of {self.target}", self._holder(), claim.wait)
            time.sleep(_PAUSE)
        self.session.keys.add(self.key)
        self.session.holder = _short(claim.holder)
        try:
            self.session.execute(renamed(self.session.holder))
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
