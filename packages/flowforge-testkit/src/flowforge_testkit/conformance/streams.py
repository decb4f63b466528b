"""Streams: a batch, what it changes and the stream's offset, committed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from flowforge_app.sessionize_streams import SessionizeStreams
from flowforge_domain.capability import Capability
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.results import Rows
from flowforge_ports.engine import Engine, Frame
from flowforge_testkit.conformance.ground import needs, rows
from flowforge_testkit.fakes import ListSource, claim

streams = needs(Capability.STREAMS)

_SESSIONS = "select user_id, pageviews from fct_sessions_streaming"
_EVENTS = "select event_id from fct_sessions_streaming_events"


@streams
def test_batches_become_sessions(engine: Engine) -> None:
    consumer = SessionizeStreams(engine, claim())
    source = ListSource([event(1, "ann", "10:00"), event(2, "bob", "10:05"), event(3, "ann", "10:10")])
    assert [consumer.consume(source, limit=2).written for _ in range(3)] == [2, 1, 0]
    assert rows(engine, _SESSIONS) == [("ann", 2), ("bob", 1)]
    assert consumer.position("memory") == "3"


@streams
def test_late_event_merges_two_sessions(engine: Engine) -> None:
    consumer = SessionizeStreams(engine, claim())
    consumer.process_batch([event(1, "ann", "10:00"), event(2, "ann", "10:50")])
    assert rows(engine, _SESSIONS) == [("ann", 1), ("ann", 1)]
    consumer.process_batch([event(3, "ann", "10:25")])
    assert rows(engine, _SESSIONS) == [("ann", 3)]


@streams
def test_event_that_comes_twice_counts_once(engine: Engine) -> None:
    consumer = SessionizeStreams(engine, claim())
    for _ in range(2):
        result = consumer.process_batch([event(1, "ann", "10:00"), event(1, "ann", "10:00")])
    assert (result.written, result.duplicates) == (0, 2)
    assert rows(engine, _EVENTS) == [("1",)]


@streams
def test_failed_batch_moves_neither_data_nor_offset(engine: Engine) -> None:
    source = ListSource([event(1, "ann", "10:00"), event(2, "ann", "10:10")])
    sound = SessionizeStreams(engine, claim())
    sound.consume(source, limit=1)
    with pytest.raises(EngineError, match="planted"):
        SessionizeStreams(replace(engine, frames=Failing(engine)), claim()).consume(source)
    assert sound.position("memory") == "1"
    assert rows(engine, _EVENTS) == [("1",)]
    assert sound.consume(source).written == 1


def event(number: int, user: str, time: str) -> Mapping[str, Any]:
    return {"event_id": str(number), "user_id": user, "ts": f"2024-01-31T{time}:00", "page": "/", "revenue": None}


class Failing:
    """Frames of an engine whose writes fail after they were made."""

    def __init__(self, engine: Engine) -> None:
        assert engine.frames is not None
        self.frames = engine.frames

    def read(self, relation: str) -> Frame:
        """Read as the engine does."""
        return self.frames.read(relation)

    def write(self, relation: str, frame: Frame) -> int | None:
        """Write, then fail."""
        self.frames.write(relation, frame)
        raise EngineError("planted", kind=ErrorKind.UNKNOWN)

    def columns(self, frame: Frame) -> Any:
        """Return the frame's columns."""
        return self.frames.columns(frame)

    def from_rows(self, rows: Rows) -> Frame:
        """Return a frame."""
        return self.frames.from_rows(rows)

    def to_rows(self, frame: Frame) -> Rows:
        """Return a frame's rows."""
        return self.frames.to_rows(frame)
