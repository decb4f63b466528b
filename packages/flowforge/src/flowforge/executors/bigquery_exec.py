"""BigQuery as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor

__all__ = ["BigQueryExecutor"]


class BigQueryExecutor(EngineExecutor):
    """Runs nodes on a BigQuery dataset; `con` runs SQL on the executor's own session.

    `settings` are more of the profile's, such as `keyfile`.
    """

    def __init__(self, project: str | None, dataset: str, location: str | None = None, **settings: Any) -> None:
        given = {"project": project, "dataset": dataset, "location": location, **settings}
        super().__init__("bigquery", given)
        self.con = _Connection(self.engine.session)


class _Connection:
    """What the checks of `flowforge.testing` call."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def execute(self, sql: str) -> Any:
        return _Result(self._session.query(sql).rows)


class _Result:
    """Rows, as a cursor gives them."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None
