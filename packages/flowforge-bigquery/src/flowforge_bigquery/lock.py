"""Keeps runs on one dataset apart, by a table that only one of them can make.

BigQuery knows no connection whose end would free a lock. The table expires by itself; who holds it puts that off from
time to time, so that the lock of a run that died is free after `lock_lease` seconds, and not before. A holder that
cannot put it off in time, such as a process that was suspended, learns so at the end of its run only, when another may
have begun.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound, PreconditionFailed
from google.cloud import bigquery

from flowforge_bigquery.errors import translated
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.holder import Claim, taken

LOCK_TABLE = "_flowforge_lock"
_PAUSE = 0.2
_NONCE = " #"


@dataclass(frozen=True)
class BigQueryLock:
    """The lock of one dataset."""

    session: BigQuerySession
    target: str

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        holder = f"{claim.holder}{_NONCE}{uuid4().hex}"
        self._take(holder, time.monotonic() + claim.wait, claim.wait)
        over = Event()
        Thread(target=self._renew, args=(holder, over), daemon=True).start()
        try:
            yield
        finally:
            over.set()
            kept = self._free(holder)
        if not kept:
            message = f"The lock on {self.target} was lost during the run; another may have written too."
            raise EngineError(message, kind=ErrorKind.CONFLICT, hint="Check what was built, and run again.")

    def _take(self, holder: str, ends: float, waited: float) -> None:
        while True:
            with translated():
                if self._made(holder) or self._taken_over(holder):
                    return
                other = self._holder()
            if time.monotonic() >= ends:
                raise self._taken(other, waited)
            time.sleep(_PAUSE)

    def _made(self, holder: str) -> bool:
        table = bigquery.Table(self._reference())
        table.description, table.expires = holder, self._expiry()
        try:
            # Not repeated: a first try that got through would look like another's lock.
            once = self.session.source.request | {"retry": None}
            self.session.client.create_table(table, **once)
        except Conflict:
            return False
        return True

    def _taken_over(self, holder: str) -> bool:
        """Take a lock that has expired and is still there; one that another was quicker to take is left."""
        found = self._found()
        if found is None or found.expires is None or found.expires >= datetime.now(UTC):
            return False
        found.description = holder
        return self._put_off(found, "description")

    def _holder(self) -> str:
        """Return who holds the lock, "" when nobody does any more."""
        found = self._found()
        return (found.description or "").partition(_NONCE)[0] if found else ""

    def _renew(self, holder: str, over: Event) -> None:
        while not over.wait(self.session.source.settings.lock_lease / 3):
            # The next round tries again; a lock that is lost all the same is another run's after its lease.
            with suppress(GoogleAPICallError, EngineError, OSError):
                found = self._found()
                if found is None or found.description != holder:
                    return
                self._put_off(found)

    def _free(self, holder: str) -> bool:
        """Give the lock back and tell whether it was still held; what cannot be freed expires."""
        with suppress(GoogleAPICallError, EngineError, OSError):
            found = self._found()
            if found is not None and found.description == holder:
                self.session.client.delete_table(found, not_found_ok=True, **self.session.source.request)
                return True
        return False

    def _found(self) -> bigquery.Table | None:
        try:
            return self.session.client.get_table(self._reference(), **self.session.source.request)
        except NotFound:
            return None

    def _put_off(self, found: bigquery.Table, *more: str) -> bool:
        """Write when the lock ends, if nobody wrote to it since it was found; tell whether that was so."""
        found.expires = self._expiry()
        try:
            self.session.client.update_table(found, ["expires", *more], **self.session.source.request)
        except (NotFound, PreconditionFailed):
            return False
        return True

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.session.source.settings.lock_lease)

    def _reference(self) -> bigquery.TableReference:
        dataset = bigquery.DatasetReference(self.session.client.project, self.session.source.settings.dataset)
        return dataset.table(LOCK_TABLE)

    def _taken(self, other: str, waited: float) -> EngineError:
        error, lease = taken(self.target, other, waited), self.session.source.settings.lock_lease
        error.hint = f"If it died, its lock ends within {lease} s: drop {LOCK_TABLE} to end it now."
        return error
