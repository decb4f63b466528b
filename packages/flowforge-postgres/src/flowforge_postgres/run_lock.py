"""What a run holds on a schema: two advisory locks, so that losing a session does not let another run in.

The session with which a run begins holds the first, alone; those that work for it hold the second, together. Whoever
begins a run takes the first in a statement that has the second for itself: nobody works for another run then. The
server frees what a lost session held, so one that joins makes sure that no other run has the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from flowforge_domain.dialect import quote_text
from flowforge_postgres.dialect import POSTGRES

_LONGEST_NAME = 63
_KEY = "(classid::bigint << 32 | objid::bigint)"
_HELD = """
select pid, application_name from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and objsubid = 1 and granted
and database = (select oid from pg_database where datname = current_database())
"""


@dataclass(frozen=True)
class RunLock:
    """The locks of one schema in the hands of one run; `holder` names it in the few bytes that other sessions see."""

    schema: str
    holder: str

    @property
    def keys(self) -> tuple[int, int]:
        """The numbers of the run's lock and of its workers'; PostgreSQL itself keeps databases apart."""
        digest = sha256(f"flowforge {self.schema}".encode()).digest()
        run, workers = (int.from_bytes(digest[start : start + 8], "big", signed=True) for start in (0, 8))
        return run, workers

    def begin(self) -> str:
        """Return the query that takes the run's lock for a new run, and tells whether it did."""
        run, workers = self.keys
        # The workers' is given back with the end of the statement.
        alone = f"pg_try_advisory_xact_lock({workers:d})"
        return f"select case when {alone} then pg_try_advisory_lock({run:d}) else false end"

    def retake(self) -> str:
        """Return the query that takes the run's lock on a new connection, and tells whether it did."""
        return f"{self.named()}; select pg_try_advisory_lock({self.keys[0]:d})"

    def join(self) -> str:
        """Return the query that takes a part in the workers' lock, and tells whether no other run has begun."""
        run, workers = self.keys
        other = f"{_HELD} and {_KEY} = {run:d} and strpos(application_name, {_text(self.holder)}) = 0"
        return f"{self.named()}; select pg_advisory_lock_shared({workers:d}); select not exists ({other})"

    def end(self) -> str:
        """Return the statements that give the run's lock back."""
        return f"reset application_name; select pg_advisory_unlock({self.keys[0]:d})"

    def holders(self) -> str:
        """Return the query of the server processes that keep a new run out, and their names; the run's own is first."""
        run, workers = self.keys
        return (
            f"{_HELD} and ({_KEY} = {run:d} or {_KEY} = {workers:d} and mode = 'ShareLock') order by {_KEY} <> {run:d}"
        )

    def named(self) -> str:
        """Return the statement by which others see whose session this is."""
        return f"set application_name = {_text(application_name('', self.holder))}"


def application_name(words: str, holder: str) -> str:
    """Return a session's name as others see it; what there is no room for is cut from `words`."""
    room = _LONGEST_NAME - len(f"flowforge  {holder}".encode())
    cut = words.encode()[:room].decode("utf-8", "ignore") if holder else words
    return " ".join(filter(None, ("flowforge", cut, holder)))


def _text(value: str) -> str:
    return quote_text(value, POSTGRES)
