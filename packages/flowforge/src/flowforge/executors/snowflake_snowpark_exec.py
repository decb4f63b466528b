"""Snowflake as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor

__all__ = ["SnowflakeSnowparkExecutor"]


class SnowflakeSnowparkExecutor(EngineExecutor):
    """Runs nodes on a Snowflake schema; `settings` are those of a profile, `con` runs SQL on its own connection."""

    def __init__(self, account: str, database: str, schema: str = "PUBLIC", **settings: Any) -> None:
        given = {"account": account, "database": database, "db_schema": schema, **settings}
        super().__init__("snowflake_snowpark", given)
        self.con = _Connection(self.engine.session)


class _Connection:
    """What the checks of `flowforge.testing` call; connects when it is first used."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def execute(self, sql: str) -> Any:
        return self._session.connection.cursor().execute(sql)
