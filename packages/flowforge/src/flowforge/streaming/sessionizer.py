"""Sessions from batches of events, on an engine or on a bare DuckDB connection."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from flowforge_app.sessionize_streams import BatchResult, SessionizeStreams
from flowforge_bootstrap.engines import new_claim
from flowforge_domain.errors import ConfigError, StreamError
from flowforge_domain.session_events import SessionColumns
from flowforge_domain.sessions import SessionSettings
from flowforge_domain.text import did_you_mean
from flowforge_ports.engine import Engine
from flowforge_ports.stream import StreamSource

__all__ = ["BatchResult", "StreamSessionizer"]

_COLUMNS = tuple(field.name for field in fields(SessionColumns))


class StreamSessionizer:
    """Keeps the table `fct_sessions_streaming` of a target right while events arrive.

    `target` is an engine, an executor that holds one, or a DuckDB connection. A pause of more than `gap_minutes`
    starts a new session. `settings` are `table`, and `event_id`, `user_id`, `ts`, `page`, `revenue`: the names under
    which events bring these values. Raises `ConfigError` for any other setting, `StreamError` for any other target.
    """

    def __init__(self, target: Any, gap_minutes: float = 30, **settings: str) -> None:
        self._sessionize = SessionizeStreams(_engine(target), new_claim(), _settings(gap_minutes, settings))

    def process_batch(self, df: Any) -> BatchResult:
        """Take in a pandas data frame, a frame of the engine, or a list of dicts; return what became of the events.

        Raises `StreamError` when a required column is missing, `UnsupportedByEngineError` when the engine cannot
        keep streams.
        """
        return self._sessionize.process_batch(_records(df))

    def consume(self, source: StreamSource, limit: int = 10_000) -> BatchResult:
        """Take in at most `limit` events from where the stream was left, and commit the new position with them.

        Raises `StreamError` when the source is none or cannot be read, or another consumer has moved the stream
        meanwhile.
        """
        _require_source(source)
        return self._sessionize.consume(source, limit)

    def position(self, stream_name: str) -> str:
        """Return how far the stream was committed, "" at its start."""
        return self._sessionize.position(stream_name)


def _settings(gap_minutes: float, given: Mapping[str, str]) -> SessionSettings:
    known = ("gap_minutes", "table", *_COLUMNS)
    for name in given:
        if name not in known:
            raise ConfigError(f"A sessionizer has no setting {name!r}.", hint=did_you_mean(name, known))
    columns = SessionColumns(**{name: given[name] for name in _COLUMNS if name in given})
    table = {"table": given["table"]} if "table" in given else {}
    return SessionSettings(columns=columns, gap_minutes=gap_minutes, **table)


def _engine(target: Any) -> Engine:
    held = getattr(target, "engine", target)
    if isinstance(held, Engine):
        return held
    if _is_of("duckdb", "DuckDBPyConnection", target):
        from flowforge_duckdb.engine import engine_on

        return engine_on(target)
    raise StreamError(
        f"Streams are written through an engine, not a {type(target).__name__}.",
        hint="Pass an engine, an executor such as DuckExecutor, or a DuckDB connection.",
    )


def _require_source(given: object) -> None:
    if not isinstance(given, StreamSource):
        hint = "Pass a source such as FileTailSource('events.jsonl')."
        raise StreamError(f"A {type(given).__name__} is no source of a stream.", hint=hint)


def _records(df: Any) -> Any:
    """Return a pandas frame row by row: a column may then mix text and times, and one bad value refuses one event."""
    if not _is_of("pandas", "DataFrame", df):
        return df
    records: Sequence[Mapping[str, Any]] = df.to_dict("records")
    return records


def _is_of(module: str, kind: str, value: Any) -> bool:
    """Tell whether `value` is of a library's type, without importing the library."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, kind))
