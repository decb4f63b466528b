"""DuckDB as an executor."""

from __future__ import annotations

from typing import Any

from flowforge.executors.base import EngineExecutor

__all__ = ["DuckExecutor"]


class DuckExecutor(EngineExecutor):
    """Runs nodes on a DuckDB file, or in memory; `con` is the DuckDB connection itself."""

    def __init__(self, db_path: str = ":memory:") -> None:
        super().__init__("duckdb", {"path": db_path})
        session: Any = self.engine.session
        self.con = session.connection
