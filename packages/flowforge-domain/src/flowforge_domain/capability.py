"""What an engine can do, declared before a connection is opened."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """One word per ability; a use case asks for it and raises `UnsupportedByEngineError` when it is absent."""

    ATOMIC_REPLACE = "atomic replace of a table"
    TRANSACTIONAL_STATE = "state rows in the transaction of the data"
    TRANSACTIONAL_SEEDS = "all seeds of a command in one transaction"
    VIEWS = "views"
    PYTHON_MODELS = "Python models"
    CSV_SEEDS = "CSV seeds"
    PARQUET_SEEDS = "Parquet seeds"
    SQL_SEEDS = "SQL seeds"
    CONCURRENT_SESSIONS = "a second session on the same target"
    STREAMS = "stream offsets in the transaction of the data"
