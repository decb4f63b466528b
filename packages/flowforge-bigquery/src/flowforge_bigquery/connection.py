"""The client: made when it is first needed, with the credentials of the profile, and a dataset that is there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import Conflict, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from flowforge_bigquery.errors import translated
from flowforge_bigquery.settings import BigQuerySettings
from flowforge_domain.errors import EngineError, ErrorKind, closed_session
from flowforge_domain.relation import relation_parts
from flowforge_domain.text import Location

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials
    from google.cloud.bigquery_storage import BigQueryReadClient

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_LONGEST_LABEL = 63
_NO_LABEL = re.compile(r"[^\w-]|[A-Z]")


@dataclass
class Connection:
    """One client of the API, and one of the Storage Read API, for the sessions of an engine.

    Once it is closed no more are made: nobody would close them.
    """

    settings: BigQuerySettings
    making: Lock = field(default_factory=Lock, repr=False)
    closed: bool = False
    _client: bigquery.Client | None = None
    _storage: BigQueryReadClient | None = None

    @property
    def client(self) -> bigquery.Client:
        """The client; its dataset exists. Raises `EngineError`."""
        with self.making:
            return self._opened()

    @property
    def storage(self) -> BigQueryReadClient | None:
        """The client of the Storage Read API, None where frames are read by REST. Raises `EngineError`."""
        there = self.settings.storage_endpoint or not self.settings.anonymous
        if not (self.settings.storage_api and there):
            return None
        with self.making:
            client = self._opened()
            if self._storage is None:
                self._storage = _storage_client(self.settings, client)
            return self._storage

    @property
    def retry(self) -> Retry:
        """How requests that fail in passing are repeated."""
        retry: Retry = bigquery.DEFAULT_RETRY.with_timeout(self.settings.retry_deadline)
        return retry

    @property
    def request(self) -> dict[str, Any]:
        """What every request is given: how long to wait for it, and how to repeat it."""
        return {"timeout": self.settings.request_timeout, "retry": self.retry}

    def table(self, relation: str) -> bigquery.TableReference:
        """Return a relation's place: `table`, `dataset.table` or `project.dataset.table`."""
        parts = relation_parts(relation)
        if len(parts) > 3:
            message = f"{relation!r} has more than project, dataset and table."
            raise EngineError(message, kind=ErrorKind.MISSING_RELATION, hint="Write dataset.table.")
        whole = (self.client.project, self.settings.dataset)[: 3 - len(parts)] + parts
        return bigquery.TableReference(bigquery.DatasetReference(whole[0], whole[1]), whole[2])

    def require_schema(self, relation: str) -> None:
        """Make the dataset of a relation where it is missing."""
        parts = relation_parts(relation)
        if len(parts) == 2:
            with translated():
                self._require_dataset(self.client, parts[0])

    def close(self) -> None:
        """Close what was opened."""
        with self.making:
            self.closed = True
            if self._storage is not None:
                self._storage.transport.close()
            if self._client is not None:
                self._client.close()
            self._client = self._storage = None

    def _opened(self) -> bigquery.Client:
        if self.closed:
            raise closed_session()
        if self._client is None:
            with _default_ones_named(self.settings), translated(), ExitStack() as failed:
                made = failed.enter_context(_client(self.settings))
                self._require_dataset(made, self.settings.dataset)
                failed.pop_all()
            self._client = made
        return self._client

    def _require_dataset(self, client: bigquery.Client, name: str) -> None:
        # Asked for first: to make one takes a right that those who only use it lack.
        reference = bigquery.DatasetReference(client.project, name)
        try:
            client.get_dataset(reference, **self.request)
        except NotFound:
            dataset = bigquery.Dataset(reference)
            dataset.location = self.settings.location
            dataset.labels = labels_of(self.settings.labels)
            with suppress(Conflict):
                client.create_dataset(dataset, **self.request)


def labels_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels as BigQuery takes them: lower-case letters, digits, `_` and `-`, at most 63 of them."""
    tidy = {_label(key): _label(value) for key, value in labels.items()}
    return {key: value for key, value in tidy.items() if key[:1].isalpha()}


def _label(text: str) -> str:
    return _NO_LABEL.sub("_", text.lower())[:_LONGEST_LABEL]


def _client(settings: BigQuerySettings) -> bigquery.Client:
    credentials, project = _credentials(settings)
    if settings.project is None and project is None:
        raise EngineError("The profile names no project.", kind=ErrorKind.UNREACHABLE, hint="Set `project`.")
    # Otherwise it is the project's, which others may change, and what was built before would count as unchanged.
    zone = bigquery.ConnectionProperty("time_zone", settings.time_zone)
    return bigquery.Client(
        project=settings.project or project,
        credentials=credentials,
        location=settings.location,
        default_query_job_config=bigquery.QueryJobConfig(connection_properties=[zone]),
        client_options={"api_endpoint": settings.endpoint} if settings.endpoint else None,
    )


def _credentials(settings: BigQuerySettings) -> tuple[Credentials, str | None]:
    import google.auth
    from google.auth import impersonated_credentials
    from google.oauth2.credentials import Credentials as Token

    project: str | None = None
    found: Any
    if settings.anonymous:
        return AnonymousCredentials(), None
    if settings.token is not None:
        found = Token(settings.token.get_secret_value())
    elif settings.keyfile is not None:
        found = _key(settings.keyfile)
        project = found.project_id
    else:
        found, project = google.auth.default(scopes=_SCOPES)
    if settings.impersonate:
        found = impersonated_credentials.Credentials(found, settings.impersonate, list(_SCOPES))
    return found, project


@contextmanager
def _default_ones_named(settings: BigQuerySettings) -> Iterator[None]:
    """Say of credentials that are no profile's where they come from: no setting is to blame for them."""
    try:
        yield
    except EngineError as error:
        own = settings.anonymous or settings.token or settings.keyfile
        if error.kind is ErrorKind.CREDENTIALS and not own:
            error.where = Location("Application Default Credentials")
            if _VARIABLE in os.environ:
                error.where, error.hint = Location(_VARIABLE), "Let it name the JSON file of a key, or unset it."
        raise


def _key(path: Path) -> Any:
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_file(str(path), scopes=_SCOPES)
    except (OSError, ValueError) as error:
        # Not chained: the words may hold the key.
        reason = error.strerror if isinstance(error, OSError) else "it is no service account's key"
        hint = "Create a key of the service account, and give its JSON file."
        message = f"The keyfile {path.name} cannot be used: {reason}."
        raise EngineError(message, kind=ErrorKind.CREDENTIALS, hint=hint) from None


def _storage_client(settings: BigQuerySettings, client: bigquery.Client) -> BigQueryReadClient:
    from google.cloud.bigquery_storage import BigQueryReadClient

    if not settings.anonymous:
        options = {"api_endpoint": settings.storage_endpoint} if settings.storage_endpoint else None
        return BigQueryReadClient(credentials=client._credentials, client_options=options)  # noqa: SLF001
    import grpc
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

    channel = grpc.insecure_channel(str(settings.storage_endpoint))
    return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
