"""BigQuery with BigQuery DataFrames as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.bigquery_exec import BigQueryExecutor

__all__ = ["BigQueryBFExecutor"]


class BigQueryBFExecutor(BigQueryExecutor):
    """Runs nodes on a BigQuery dataset; Python models get and give BigQuery DataFrames."""

    def __init__(self, project: str | None, dataset: str, location: str | None = None, **settings: Any) -> None:
        super().__init__(project, dataset, location, use_bigframes=True, **settings)
