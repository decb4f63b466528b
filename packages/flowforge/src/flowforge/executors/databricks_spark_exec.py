"""Spark as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor

__all__ = ["DatabricksSparkExecutor"]


class DatabricksSparkExecutor(EngineExecutor):
    """Runs nodes on a database of Spark; `con` runs SQL on the executor's own session."""

    def __init__(self, database: str = "default", **settings: Any) -> None:
        super().__init__("databricks_spark", {"database": database, **settings})
        self.con = _Connection(self.engine.session)


class _Connection:
    """What the checks of `flowforge.testing` call: `execute`, whose result has `fetchone` and `fetchall`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def execute(self, sql: str) -> _Result:
        return _Result(self._session.query(sql).rows)


class _Result:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)
