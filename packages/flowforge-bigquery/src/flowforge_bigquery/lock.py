"""Keeps runs on one dataset apart, by a table that only one of them can make.

BigQuery knows no connection whose end would free a lock. The table expires by itself; who holds it puts that off from
time to time, so that the lock of a run that died is free after `lock_lease` seconds, and not before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery

from flowforge_bigquery.errors import translated
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.errors import EngineError
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
        Thread(target=self._renew, args=(over,), daemon=True).start()
        try:
            yield
        finally:
            over.set()
            self._free(holder)

    def _take(self, holder: str, ends: float, waited: float) -> None:
        while True:
            with translated():
                if self._made(holder):
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

    def _holder(self) -> str:
        """Return who holds the lock, "" when nobody does any more; one that has expired is removed."""
        try:
            found = self.session.client.get_table(self._reference(), **self.session.source.request)
            if found.expires is not None and found.expires < datetime.now(UTC):
                self.session.client.delete_table(found, not_found_ok=True, **self.session.source.request)
                return ""
        except NotFound:
            return ""
        return (found.description or "").partition(_NONCE)[0]

    def _renew(self, over: Event) -> None:
        while not over.wait(self.session.source.settings.lock_lease / 3):
            table = bigquery.Table(self._reference())
            table.expires = self._expiry()
            # The next round tries again; a lock that is lost all the same is another run's after its lease.
            with suppress(GoogleAPICallError, EngineError, OSError):
                self.session.client.update_table(table, ["expires"], **self.session.source.request)

    def _free(self, holder: str) -> None:
        # What cannot be freed expires.
        with suppress(GoogleAPICallError, EngineError, OSError):
            client, request = self.session.client, self.session.source.request
            if client.get_table(self._reference(), **request).description == holder:
                client.delete_table(self._reference(), not_found_ok=True, **request)

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.session.source.settings.lock_lease)

    def _reference(self) -> bigquery.TableReference:
        dataset = bigquery.DatasetReference(self.session.client.project, self.session.source.settings.dataset)
        return dataset.table(LOCK_TABLE)

    def _taken(self, other: str, waited: float) -> EngineError:
        error, lease = taken(self.target, other, waited), self.session.source.settings.lock_lease
        error.hint = f"If it died, its lock ends within {lease} s: drop {LOCK_TABLE} to end it now."
        return error
