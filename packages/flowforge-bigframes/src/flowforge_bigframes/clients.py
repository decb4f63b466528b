"""A session of BigQuery DataFrames on the clients that the engine already has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowforge_bigquery.session import BigQuerySession

if TYPE_CHECKING:
    from bigframes.session import Session


def open_session(session: BigQuerySession) -> Session:
    """Return a session of BigQuery DataFrames that is closed with the engine's."""
    import bigframes
    from bigframes.session import Session
    from bigframes.session.clients import ClientsProvider

    source, client = session.source, session.client

    class Clients(ClientsProvider):
        """The engine's own clients where it has them."""

        @property
        def bqclient(self) -> Any:
            return client

        @property
        def bqstoragereadclient(self) -> Any:
            return source.storage or super().bqstoragereadclient

    credentials = client._credentials  # noqa: SLF001 - the client shows them nowhere else
    location = source.settings.location or client.get_dataset(source.settings.dataset).location
    options = bigframes.BigQueryOptions(
        credentials=credentials, project=client.project, location=location, application_name="flowforge"
    )
    # What it shows while a job runs would stand between what a command prints.
    bigframes.options.display.progress_bar = None
    opened = Session(options, clients_provider=Clients(client.project, credentials, location))
    session.ends.callback(opened.close)
    return opened
