"""Keeps runs on one dataset apart by a lease, which is a table that only one of them can make and that expires.

BigQuery knows no connection whose end would free a lock.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery

from flowforge_bigquery.errors import translated
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.holder import Claim
from flowforge_ports.lease import LEASE_TABLE, leased


@dataclass(frozen=True)
class BigQueryLock:
    """The lock of one dataset, and its lease: the description of a table says who holds it."""

    session: BigQuerySession
    target: str

    def hold(self, claim: Claim) -> AbstractContextManager[None]:
        way_out = f"If it died, its lock ends within {self.seconds} s: drop {LEASE_TABLE} to end it now."
        return leased(self, claim, way_out)

    @property
    def seconds(self) -> int:
        return self.session.source.settings.lock_lease

    def take(self, holder: str) -> bool:
        with translated():
            return self._made(holder) or self._taken_over(holder)

    def holder(self) -> str:
        with translated():
            found = self._found()
        return (found.description or "") if found else ""

    def renew(self, holder: str) -> None:
        with translated():
            found = self._found()
            if found is not None and found.description == holder:
                self._put_off(found)

    def free(self, holder: str) -> bool:
        with translated():
            found = self._found()
            if found is None or found.description != holder:
                return False
            self.session.client.delete_table(found, not_found_ok=True, **self.session.source.request)
            return True

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
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def _reference(self) -> bigquery.TableReference:
        dataset = bigquery.DatasetReference(self.session.client.project, self.session.source.settings.dataset)
        return dataset.table(LEASE_TABLE)
