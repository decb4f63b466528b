"""PostgreSQL as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor
from flowforge_bootstrap.engines import new_claim
from flowforge_ports.engine import Engine

__all__ = ["PostgresExecutor"]


class PostgresExecutor(EngineExecutor):
    """Runs nodes on a PostgreSQL schema; `con` runs SQL on the executor's own connection."""

    def __init__(self, dsn: str, schema: str = "public") -> None:
        super().__init__("postgres", {"dsn": dsn, "db_schema": schema})
        self.con = _Connection(self.engine)


class _Connection:
    """What the checks of `flowforge.testing` call; connects when it is first used, and again after a loss."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sql: str) -> Any:
        session: Any = self._engine.session
        if session.query("select current_schema() is null").rows[0][0]:
            with self._engine.lock.hold(new_claim()):
                pass  # Whoever holds it has a schema to write to: a script may do so by this connection alone.
        return session.connection.execute(sql)
