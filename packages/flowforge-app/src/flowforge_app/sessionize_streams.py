"""Sessionize streams: a batch of events, the sessions they change, its dead letters and the stream's offset, committed
at once. A crash before the commit leaves everything as it was; a batch that arrives twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flowforge_app.target_state import held
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability
from flowforge_domain.errors import EngineError, ErrorKind, StreamError, UnsupportedByEngineError
from flowforge_domain.holder import Claim
from flowforge_domain.results import Rows
from flowforge_domain.session_events import SessionEvent, session_event
from flowforge_domain.sessions import (
    EVENT_TYPES,
    LETTER_TYPES,
    Offset,
    SessionSettings,
    StreamKey,
    count_staged,
    create_stream_tables,
    create_tables,
    delete_known,
    drop_letter_staging,
    drop_staging,
    insert_letters,
    select_offset,
    staged,
    storable,
    store_statements,
    write_offset,
)
from flowforge_domain.text import did_you_mean
from flowforge_ports.engine import Engine, Frame, Frames
from flowforge_ports.stream import DeadLetter, StreamSource

RawEvent = Mapping[str, Any]
# Batches that come without a stream keep their dead letters under this name.
UNNAMED = "process_batch"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: `read` is the sum of the other three counts; `position` is the stream's after it."""

    read: int = 0
    written: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    position: str = ""


@dataclass(frozen=True)
class SessionizeStreams:
    """Turns events into sessions; `claim` is theirs on the target, batch by batch."""

    engine: Engine
    claim: Claim
    settings: SessionSettings = field(default_factory=SessionSettings)

    def process_batch(self, batch: Frame | Sequence[RawEvent]) -> BatchResult:
        """Take in a frame, or events as mappings; what cannot be read becomes dead letters.

        Raises `StreamError` when a required column is missing altogether, `UnsupportedByEngineError` before anything
        is touched.
        """
        frames = self._frames()
        events = _events(batch, frames)
        self._require_columns(events)
        key = StreamKey(UNNAMED, self.settings.table)
        with held(self.engine, self.claim), transaction(self.engine.session):
            self._create_tables(key)
            return self._process(frames, key, 0, events, ())

    def consume(self, source: StreamSource, limit: int = 10_000) -> BatchResult:
        """Take in the next batch of a source, at most `limit` events, and move its stream on in the same transaction.

        Raises `StreamError` when another consumer has moved the stream meanwhile; nothing is written then.
        """
        frames = self._frames()
        key = StreamKey(source.name, self.settings.table)
        before = self._offset(key)
        batch = source.read(before.position, limit)
        if batch.position == before.position and not batch.events and not batch.dead_letters:
            return BatchResult(position=before.position)
        after = Offset(batch.position, before.batches + 1)
        with held(self.engine, self.claim), transaction(self.engine.session):
            self._create_tables(key)
            self._move_on(key, before, after)
            result = self._process(frames, key, after.batches, batch.events, batch.dead_letters)
        return replace(result, position=batch.position)

    def position(self, stream: str) -> str:
        """Return how far the stream was committed, "" at its start."""
        return self._offset(StreamKey(stream, self.settings.table)).position

    def _frames(self) -> Frames:
        if Capability.STREAMS not in self.engine.capabilities:
            raise UnsupportedByEngineError(self.engine.name, Capability.STREAMS.value)
        if self.engine.frames is None:
            raise UnsupportedByEngineError(self.engine.name, "data frames, through which a batch enters")
        return self.engine.frames

    def _offset(self, key: StreamKey) -> Offset:
        try:
            found = self.engine.session.query(select_offset(key, self.engine.dialect)).rows
        except EngineError as error:
            if error.kind is not ErrorKind.MISSING_RELATION:
                raise
            return Offset()
        return Offset(*found[0]) if found else Offset()

    def _move_on(self, key: StreamKey, before: Offset, after: Offset) -> None:
        """Write the new offset; inside the transaction, so that only one of two consumers gets past this."""
        if self._offset(key) != before:
            raise StreamError(
                f"Another consumer has moved the stream {key.stream!r} on meanwhile; nothing was written.",
                hint="Run one consumer per stream name.",
            )
        self.engine.session.execute(write_offset(key, before, after, self.engine.dialect))

    def _create_tables(self, key: StreamKey) -> None:
        dialect = self.engine.dialect
        for statement in (*create_tables(self.settings, dialect), *create_stream_tables(key, dialect)):
            self.engine.session.execute(statement)

    def _process(
        self, frames: Frames, key: StreamKey, batch: int, raw: Sequence[RawEvent], letters: Sequence[DeadLetter]
    ) -> BatchResult:
        events, refused = self._sorted(raw, batch)
        dead = [*letters, *refused]
        written = self._store_events(frames, events)
        self._store_letters(frames, key, batch, dead)
        read = len(raw) + len(letters)
        return BatchResult(read, written, read - written - len(dead), len(dead))

    def _sorted(self, raw: Sequence[RawEvent], batch: int) -> tuple[list[SessionEvent], list[DeadLetter]]:
        """Part the events from what is none; of one that is twice in the batch the first counts."""
        events: dict[str, SessionEvent] = {}
        refused = []
        for number, values in enumerate(raw, start=1):
            try:
                event = session_event(values, self.settings.columns)
            except StreamError as error:
                refused.append(DeadLetter(_place(batch, number), _shown(values), error.message))
            else:
                events.setdefault(event.event_id, event)
        return list(events.values()), refused

    def _store_events(self, frames: Frames, events: Sequence[SessionEvent]) -> int:
        """Keep the new ones of these events, recompute the sessions of their users, and return how many were new."""
        if not events:
            return 0
        session, dialect, settings = self.engine.session, self.engine.dialect, self.settings
        rows = Rows(tuple(EVENT_TYPES), [staged(event) for event in events])
        frames.write(settings.staging, frames.from_rows(rows))
        session.execute(delete_known(settings, dialect))
        new = int(session.query(count_staged(settings, dialect)).rows[0][0])
        for statement in store_statements(settings, dialect) if new else ():
            session.execute(statement)
        session.execute(drop_staging(settings, dialect))
        return new

    def _store_letters(self, frames: Frames, key: StreamKey, batch: int, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        rows = [
            (key.stream, key.consumer, batch, *map(storable, (each.position, each.text, each.reason)))
            for each in letters
        ]
        frames.write(key.letter_staging, frames.from_rows(Rows(tuple(LETTER_TYPES), rows)))
        self.engine.session.execute(insert_letters(key, self.engine.dialect))
        self.engine.session.execute(drop_letter_staging(key, self.engine.dialect))

    def _require_columns(self, events: Sequence[RawEvent]) -> None:
        found = {str(name) for event in events for name in event}
        missing = [name for name in self.settings.columns.required if name not in found]
        if events and missing:
            raise StreamError(
                f"The batch has no column {missing[0]!r}.",
                hint=f"{did_you_mean(missing[0], found)} Rename it, or name the column in the settings.".strip(),
            )


def _events(batch: Frame | Sequence[RawEvent], frames: Frames) -> Sequence[RawEvent]:
    if isinstance(batch, Sequence) and all(isinstance(event, Mapping) for event in batch):
        return batch
    if type(batch).__module__ == "builtins":
        raise _no_batch(batch)
    try:
        rows = frames.to_rows(batch)
    except (AttributeError, TypeError) as error:
        # A port promises nothing of values that are no frames.
        raise _no_batch(batch) from error
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]


def _no_batch(given: object) -> StreamError:
    return StreamError(
        f"A batch of type {type(given).__name__!r} is no frame and no list of events.",
        hint="Pass a frame of the engine, or a list of dicts.",
    )


def _place(batch: int, number: int) -> str:
    return f"batch {batch}, event {number}" if batch else f"event {number}"


def _shown(values: RawEvent) -> str:
    try:
        return json.dumps({str(name): value for name, value in values.items()}, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"an event that is no JSON, with {', '.join(map(str, values))}"
