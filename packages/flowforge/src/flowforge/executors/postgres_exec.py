"""PostgreSQL as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor

__all__ = ["PostgresExecutor"]


class PostgresExecutor(EngineExecutor):
    """Runs nodes on a PostgreSQL schema; `con` runs SQL on the executor's own connection."""

    def __init__(self, dsn: str, schema: str = "public") -> None:
        super().__init__("postgres", {"dsn": dsn, "db_schema": schema})
        self.con = _Connection(self.engine.session)


class _Connection:
    """What the checks of `flowforge.testing` call; connects when it is first used, and again after a loss."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def execute(self, sql: str) -> Any:
        return self._session.connection.execute(sql)
