"""Keeps runs on one schema apart: a lease, which is a row that its holder renews.

Snowflake has no lock that dies with its session. Whoever is killed keeps others waiting until the lease has run out;
and a holder that cannot renew it in time learns so at the end of its run only, when another may have begun.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, taken
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.session import SnowflakeSession
from flowforge_snowflake.settings import SnowflakeSettings

LOCK_TABLE = "_flowforge_lock"
LEASE = 60
_PAUSE = 0.5
_NONCE = " #"
_TABLE, _HOLDER, _ENDS = (quote_name(name, SNOWFLAKE) for name in (LOCK_TABLE, "holder", "ends"))
_NOW = "sysdate()"
_CREATE = f"create table if not exists {_TABLE} ({_HOLDER} varchar, {_ENDS} timestamp_ntz)"
# Two first runs at once may make two rows: every statement treats them alike.
_FIRST = f"insert into {_TABLE} select '', {_NOW} where not exists (select 1 from {_TABLE})"


@dataclass(frozen=True)
class SnowflakeLock:
    """The lease on a schema, held over a connection of its own: its rows must not wait for the run's transactions."""

    settings: SnowflakeSettings
    root: Path
    target: str
    lease: float = LEASE

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        session = SnowflakeSession(self.settings, self.root)
        me = f"{claim.holder}{_NONCE}{uuid.uuid4().hex[:8]}"
        try:
            self._take(session, me, claim.wait)
            ended = threading.Event()
            renewing = threading.Thread(target=self._renew, args=(session, me, ended), daemon=True)
            renewing.start()
            try:
                yield
            finally:
                ended.set()
                renewing.join()
                kept = self._give_back(session, me)
            if not kept:
                raise _conflict(f"The lease on {self.target} was lost during the run; another may have written too.")
        finally:
            session.close()

    def _take(self, session: SnowflakeSession, me: str, wait: float) -> None:
        ends = time.monotonic() + wait
        session.execute(_CREATE)
        session.execute(_FIRST)
        mine = f"set {_HOLDER} = {_text(me)}, {_ENDS} = {self._later()}"
        while not _write(session, f"{mine} where {_HOLDER} = '' or {_ENDS} < {_NOW}"):
            if time.monotonic() >= ends:
                raise self._taken(session, wait)
            time.sleep(_PAUSE)

    def _give_back(self, session: SnowflakeSession, me: str) -> bool:
        with suppress(EngineError):
            return _write(session, f"set {_HOLDER} = '', {_ENDS} = {_NOW} where {_HOLDER} = {_text(me)}") > 0
        return False

    def _renew(self, session: SnowflakeSession, me: str, ended: threading.Event) -> None:
        while not ended.wait(self.lease / 3):
            # What fails now is tried again; whether the lease was lost shows when it is given back.
            with suppress(EngineError):
                _write(session, f"set {_ENDS} = {self._later()} where {_HOLDER} = {_text(me)}")

    def _later(self) -> str:
        return f"dateadd('second', {self.lease:g}, {_NOW})"

    def _taken(self, session: SnowflakeSession, waited: float) -> EngineError:
        found = session.query(f"select {_HOLDER} from {_TABLE}").rows
        error = taken(self.target, str(found[0][0]).partition(_NONCE)[0] if found else "", waited)
        error.hint = f"The lease of one that was killed ends within {self.lease:g} s."
        return error


def _write(session: SnowflakeSession, change: str) -> int:
    """Change the lease and return how many rows it had; 0 where another session was changing it."""
    try:
        return session.execute(f"update {_TABLE} {change}") or 0
    except EngineError as error:
        if error.kind is not ErrorKind.CONFLICT:
            raise
        return 0


def _text(value: str) -> str:
    return quote_text(value, SNOWFLAKE)


def _conflict(message: str) -> EngineError:
    return EngineError(message, kind=ErrorKind.CONFLICT, hint="Check what was built, and run again.")
