"""Keeps runs on one schema apart by a lease, which is a row: Snowflake has no lock that dies with its session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.dialect import quote_name, quote_text
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim
from flowforge_ports.lease import LEASE_TABLE, leased
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.session import SnowflakeSession
from flowforge_snowflake.settings import SnowflakeSettings

LEASE = 60
_TABLE, _HOLDER, _ENDS = (quote_name(name, SNOWFLAKE) for name in (LEASE_TABLE, "holder", "ends"))
_NOW = "sysdate()"
_CREATE = f"create table if not exists {_TABLE} ({_HOLDER} varchar, {_ENDS} timestamp_ntz)"
# Two first runs at once may make two rows: every statement treats them alike.
_FIRST = f"insert into {_TABLE} select '', {_NOW} where not exists (select 1 from {_TABLE})"


@dataclass(frozen=True)
class SnowflakeLock:
    """The lock of a schema, held over a connection of its own: its rows must not wait for the run's transactions."""

    settings: SnowflakeSettings
    root: Path
    target: str
    lease: float = LEASE

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        session = SnowflakeSession(self.settings, self.root)
        try:
            session.execute(_CREATE)
            session.execute(_FIRST)
            way_out = f"The lease of one that was killed ends within {self.lease:g} s."
            with leased(SnowflakeLease(session, self.target, self.lease), claim, way_out):
                yield
        finally:
            session.close()


@dataclass(frozen=True)
class SnowflakeLease:
    """The row that says who holds the schema."""

    session: SnowflakeSession
    target: str
    seconds: float

    def take(self, holder: str) -> bool:
        mine = f"{_HOLDER} = {_text(holder)}, {_ENDS} = {self._later()}"
        return self._changed(f"{mine} where {_HOLDER} = '' or {_ENDS} < {_NOW}")

    def holder(self) -> str:
        found = self.session.query(f"select {_HOLDER} from {_TABLE}").rows
        return str(found[0][0]) if found else ""

    def renew(self, holder: str) -> None:
        self._changed(f"{_ENDS} = {self._later()} where {_HOLDER} = {_text(holder)}")

    def free(self, holder: str) -> bool:
        return self._changed(f"{_HOLDER} = '', {_ENDS} = {_NOW} where {_HOLDER} = {_text(holder)}")

    def _later(self) -> str:
        return f"dateadd('second', {self.seconds:g}, {_NOW})"

    def _changed(self, change: str) -> bool:
        """Change the row, and tell whether it was there; False where another session was changing it."""
        try:
            return bool(self.session.execute(f"update {_TABLE} set {change}"))
        except EngineError as error:
            if error.kind is not ErrorKind.CONFLICT:
                raise
            return False


def _text(value: str) -> str:
    return quote_text(value, SNOWFLAKE)
