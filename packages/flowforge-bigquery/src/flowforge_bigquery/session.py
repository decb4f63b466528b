"""Sessions: one job per statement. BigQuery commits each by itself, so that a transaction is only a word here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY

from flowforge_bigquery.connection import Connection, labels_of
from flowforge_bigquery.dialect import BIGQUERY
from flowforge_bigquery.errors import is_other_layout, translated
from flowforge_domain.ddl import made_by
from flowforge_domain.dialect import Dialect, quote_relation
from flowforge_domain.errors import EngineError, closed_session, ours_if_interrupted
from flowforge_domain.materialize import built_as
from flowforge_domain.results import Rows
from flowforge_domain.swap import aside

_CREATED = "CREATE_TABLE_AS_SELECT"
_PATIENCE = 5
Config = TypeVar("Config", bigquery.QueryJobConfig, bigquery.LoadJobConfig, bigquery.CopyJobConfig)


@dataclass
class BigQuerySession:
    """Statements as jobs of one client; the first session closes the client with itself.

    `ends` is what else is closed with it.
    """

    source: Connection
    first: bool = True
    closed: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    running: Any = None
    interrupted: bool = False
    ends: ExitStack = field(default_factory=ExitStack)

    @property
    def client(self) -> bigquery.Client:
        """The client; raises `EngineError` of kind UNREACHABLE when the session is closed."""
        if self.closed:
            raise closed_session()
        return self.source.client

    def execute(self, sql: str) -> int | None:
        try:
            return _written(self, sql)
        except EngineError as error:
            made = made_by(sql, BIGQUERY) if is_other_layout(error) else None
            if made is None:
                raise
            return _laid_out_anew(self, made[0], sql)

    def query(self, sql: str) -> Rows:
        with self.job(sql) as (_, found):
            columns = tuple(field.name for field in found.schema or ())
            return Rows(columns, [tuple(row.values()) for row in found] if columns else [])

    @contextmanager
    def job(self, sql: str) -> Iterator[tuple[bigquery.QueryJob, Any]]:
        """Run a statement, and give its job and rows; what the client raises in the block is translated too."""
        client, source = self.client, self.source
        again = DEFAULT_JOB_RETRY.with_timeout(source.settings.retry_deadline)
        waiting: dict[str, Any] = {"retry": source.retry, "job_retry": again, "timeout": source.settings.job_timeout}
        with translated():
            job = client.query(sql, _config(self), **source.request, job_retry=again)
            yield job, self.finished(job, lambda: job.result(**waiting))

    def finished(self, job: Any, result: Any = None) -> Any:
        """Return what a job gives, or `result` of it; it is the one that an interrupt cancels. Raises `EngineError`."""
        source = self.source
        result = result or (lambda: job.result(retry=source.retry, timeout=source.settings.job_timeout))
        self.running = job
        try:
            with ours_if_interrupted(self), translated():
                return result()
        finally:
            self.running = None

    def begin(self) -> None:
        """Do nothing: no transaction of BigQuery can hold a `create table`."""

    def commit(self) -> None:
        """Do nothing: each statement is committed by itself."""

    def rollback(self) -> None:
        """Do nothing: what was written stays."""

    def interrupt(self) -> None:
        self.interrupted = True
        job = self.running
        if job is not None:
            with translated(), suppress(NotFound):
                job.cancel(retry=None, timeout=_PATIENCE)

    def label(self, labels: Mapping[str, str]) -> None:
        self.labels = {f"flowforge_{key}": value for key, value in labels.items()}

    def close(self) -> None:
        self.closed = True
        try:
            with suppress(GoogleAPICallError):
                self.ends.close()
        finally:
            if self.first:
                self.source.close()

    @property
    def dialect(self) -> Dialect:
        """The SQL of this target: names of the profile's dataset are written with it."""
        return replace(BIGQUERY, default_schema=self.source.settings.dataset)


def put(session: BigQuerySession, table: str, place: str) -> None:
    """Copy a table to where none is; raises `EngineError`."""
    source = session.source
    with translated():
        config = of_any_job(bigquery.CopyJobConfig(), session)
        job = session.client.copy_table(source.table(table), source.table(place), job_config=config, **source.request)
        session.finished(job)


def of_any_job(config: Config, session: BigQuerySession) -> Config:
    """Give a job the labels of the profile and of what runs, and the time that it may take; return its settings."""
    settings = session.source.settings
    config.labels = labels_of({**settings.labels, **session.labels})
    config.job_timeout_ms = round(settings.job_timeout * 1000) if settings.job_timeout else None
    return config


def _config(session: BigQuerySession) -> bigquery.QueryJobConfig:
    settings = session.source.settings
    dataset = f"{session.client.project}.{settings.dataset}"
    config = bigquery.QueryJobConfig(default_dataset=dataset, priority=settings.priority.upper())
    if settings.maximum_bytes_billed:
        config.maximum_bytes_billed = settings.maximum_bytes_billed
    return of_any_job(config, session)


def _written(session: BigQuerySession, sql: str) -> int | None:
    with session.job(sql) as (job, _):
        if job.statement_type == _CREATED and job.destination is not None:
            return _known(session.client.get_table(job.destination, **session.source.request).num_rows)
        return _known(job.num_dml_affected_rows)


def _laid_out_anew(session: BigQuerySession, relation: str, sql: str) -> int | None:
    """Build beside a table with other partitions or clusters, which no statement replaces, and drop that then."""
    into = aside(relation)
    old, new = (quote_relation(name, session.dialect) for name in (relation, into))
    try:
        rows = _written(session, built_as(sql, into, session.dialect))
        _written(session, f"drop table {old}")
        put(session, into, relation)
    finally:
        _written(session, f"drop table if exists {new}")
    return rows


def _known(rows: int | None) -> int | None:
    return None if rows is None else int(rows)
