"""Announces the variant of BigQuery whose frames are BigQuery DataFrames; nothing here imports a driver."""

from __future__ import annotations

from dataclasses import replace

from flowforge_bigquery.plugin import SPEC as BIGQUERY
from flowforge_ports.engine import EngineSpec
from flowforge_ports.hooks import hookimpl

SPEC = replace(
    BIGQUERY,
    name="bigquery+bigframes",
    distribution="flowforge-bigframes",
    open="flowforge_bigframes.engine:open_engine",
    # One session of BigQuery DataFrames is not for several threads.
    jobs=1,
    variants={},
)


@hookimpl
def flowforge_engines() -> list[EngineSpec]:
    """Announce BigQuery with BigQuery DataFrames."""
    return [SPEC]
