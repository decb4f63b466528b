"""BigQuery as an engine whose Python models get and give BigQuery DataFrames; all else is `flowforge_bigquery`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from flowforge_bigframes.frames import BigFrames
from flowforge_bigframes.plugin import SPEC
from flowforge_bigquery.catalog import BigQueryReplacer
from flowforge_bigquery.engine import open_engine as open_bigquery
from flowforge_bigquery.session import BigQuerySession
from flowforge_bigquery.settings import BigQueryProfile
from flowforge_domain.holder import Claim
from flowforge_ports.engine import Engine


def open_engine(profile: BigQueryProfile, root: Path, claim: Claim) -> Engine:
    """Return the engine of a profile; BigQuery DataFrames are imported when a frame is wanted."""
    return _with_bigframes(open_bigquery(profile, root, claim))


def _with_bigframes(engine: Engine) -> Engine:
    session = cast("BigQuerySession", engine.session)
    return replace(
        engine,
        name=SPEC.name,
        frames=BigFrames(session, cast("BigQueryReplacer", engine.replacer)),
        fork=lambda: _with_bigframes(engine.fork()),
    )
