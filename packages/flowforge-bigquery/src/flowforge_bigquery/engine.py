"""A BigQuery dataset as an engine: what the core asks for, said in BigQuery's words.

Sessions share a client. `session.py` runs jobs, `catalog.py` replaces relations, `lock.py` keeps runs apart.
"""

from __future__ import annotations

from pathlib import Path

from flowforge_bigquery.catalog import BigQueryCatalog, BigQueryReplacer
from flowforge_bigquery.connection import Connection
from flowforge_bigquery.frames import BigQueryFrames
from flowforge_bigquery.lock import BigQueryLock
from flowforge_bigquery.plugin import SPEC
from flowforge_bigquery.seeds import BigQuerySeeds
from flowforge_bigquery.session import BigQuerySession
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.holder import Claim
from flowforge_ports.engine import Engine


def open_engine(profile: BigQueryProfile, root: Path, claim: Claim) -> Engine:  # noqa: ARG001 - anyone may open it
    """Return the engine of a profile; it logs in when it is first asked for something.

    A relative `keyfile` is relative to `root`.
    """
    settings = profile.bigquery
    if settings.keyfile is not None:
        settings = settings.model_copy(update={"keyfile": root / settings.keyfile})
    return _engine(BigQuerySession(Connection(settings)))


def _engine(session: BigQuerySession) -> Engine:
    settings = session.source.settings
    target = f"{settings.project}.{settings.dataset}" if settings.project else settings.dataset
    replacer = BigQueryReplacer(session)
    return Engine(
        name=SPEC.name,
        target=target,
        dialect=session.dialect,
        capabilities=SPEC.capabilities,
        session=session,
        catalog=BigQueryCatalog(session),
        lock=BigQueryLock(session, target),
        fork=lambda: _engine(BigQuerySession(session.source, first=False)),
        frames=BigQueryFrames(session, replacer),
        seeds=BigQuerySeeds(session, replacer),
        replacer=replacer,
        formats=lambda: {"time_zone": settings.time_zone},
    )
