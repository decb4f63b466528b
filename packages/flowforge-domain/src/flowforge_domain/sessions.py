"""Sessions: the statements that keep a table of sessions right while events arrive late, twice and out of order.

A late event can merge two sessions, so the events are kept, and the sessions of every user whom a batch touches are
computed anew. Beside them stand the stream's offset and its dead letters, so that one transaction holds all of it.
How an event brings its values is `session_events.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from flowforge_domain.dialect import Dialect, NeutralType, quote_name, quote_relation, quote_text
from flowforge_domain.errors import ConfigError, StreamError
from flowforge_domain.relation import relation_name, relation_parts
from flowforge_domain.session_events import REVENUE_UNIT, SessionColumns, SessionEvent

_MINUTE = 60_000_000
EVENT_TYPES: Mapping[str, NeutralType] = {
    "event_id": "text",
    "user_id": "text",
    "ts": "timestamp",
    "at_micros": "bigint",
    "page": "text",
    "revenue_micros": "bigint",
}
SESSION_TYPES: Mapping[str, NeutralType] = {
    "session_id": "text",
    "user_id": "text",
    "session_start": "timestamp",
    "session_end": "timestamp",
    "pageviews": "bigint",
    "revenue": "double",
}
OFFSET_TYPES: Mapping[str, NeutralType] = {
    "stream": "text",
    "consumer": "text",
    "position": "text",
    "batches": "bigint",
}
LETTER_TYPES: Mapping[str, NeutralType] = {
    "stream": "text",
    "consumer": "text",
    "batch": "bigint",
    "position": "text",
    "text": "text",
    "reason": "text",
}


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How events become sessions: a pause of more than `gap_minutes` starts a new one; `table` receives them.

    Raises `ConfigError` for a gap that is none, and for a name that cannot be a column or table.
    """

    columns: SessionColumns = field(default_factory=SessionColumns)
    gap_minutes: float = 30
    table: str = "fct_sessions_streaming"

    def __post_init__(self) -> None:
        is_number = isinstance(self.gap_minutes, int | float)
        if not (is_number and math.isfinite(self.gap_minutes) and self.gap_minutes > 0):
            raise ConfigError(f"A gap of {self.gap_minutes!r} minutes splits nothing.", hint="Give minutes above 0.")
        names = [getattr(self.columns, f.name) for f in fields(self.columns)]
        if not all(names) or len(set(names)) < len(names):
            raise ConfigError(f"The columns {names} are not five names.", hint="Give each value a column of its own.")
        relation_parts(self.table)

    @property
    def gap_micros(self) -> int:
        """Return the gap in microseconds."""
        return round(self.gap_minutes * _MINUTE)

    @property
    def events(self) -> str:
        """Return the relation that keeps the events."""
        return beside(self.table, f"{relation_parts(self.table)[-1]}_events")

    @property
    def staging(self) -> str:
        """Return the relation through which a batch enters; it is gone when the transaction ends."""
        return beside(self.table, f"_flowforge_{relation_parts(self.table)[-1]}_batch")


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A stream and the relation its events end up in.

    Raises `StreamError` for a stream name that no database could keep.
    """

    stream: str
    consumer: str

    def __post_init__(self) -> None:
        if self.stream != storable(self.stream) or not self.stream:
            raise StreamError(f"{self.stream!r} cannot name a stream.", hint="Use a name of valid Unicode without NUL.")

    @property
    def offsets(self) -> str:
        """Return the relation that keeps offsets."""
        return beside(self.consumer, "_flowforge_offsets")

    @property
    def letters(self) -> str:
        """Return the relation that keeps dead letters."""
        return beside(self.consumer, "_flowforge_dead_letters")

    @property
    def letter_staging(self) -> str:
        """Return the relation through which dead letters enter; it is gone when the transaction ends."""
        return beside(self.consumer, "_flowforge_dead_letter_batch")


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a stream was read: "" is its start; `batches` were committed until then."""

    position: str = ""
    batches: int = 0


def beside(relation: str, name: str) -> str:
    """Return the relation `name` in the schema of `relation`: some engines write to one database at a time."""
    return relation_name(*relation_parts(relation)[:-1], name)


def staged(event: SessionEvent) -> tuple[object, ...]:
    """Return an event's values in the order of `EVENT_TYPES`."""
    return tuple(getattr(event, name) for name in EVENT_TYPES)


def create_tables(settings: SessionSettings, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that make the tables of events and sessions where there are none."""
    return (
        create_table(settings.events, EVENT_TYPES, dialect),
        create_table(settings.table, SESSION_TYPES, dialect),
    )


def create_table(relation: str, types: Mapping[str, NeutralType], dialect: Dialect) -> str:
    """Return the statement that makes one table where there is none."""
    columns = ", ".join(f"{quote_name(name, dialect)} {dialect.types[kind]}" for name, kind in types.items())
    return f"create table if not exists {quote_relation(relation, dialect)} ({columns})"


def delete_known(settings: SessionSettings, dialect: Dialect) -> str:
    """Return the statement that takes the events already kept out of the batch, so that only new ones stay."""
    event_id = quote_name("event_id", dialect)
    return (
        f"delete from {quote_relation(settings.staging, dialect)} "
        f"where {event_id} in (select {event_id} from {quote_relation(settings.events, dialect)})"
    )


def count_staged(settings: SessionSettings, dialect: Dialect) -> str:
    """Return the query of how many events of the batch are left."""
    return f"select count(*) from {quote_relation(settings.staging, dialect)}"


def store_statements(settings: SessionSettings, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that keep the batch's events and compute its users' sessions anew."""
    return (_keep_events(settings, dialect), _forget_sessions(settings, dialect), _insert_sessions(settings, dialect))


def drop_staging(settings: SessionSettings, dialect: Dialect) -> str:
    """Return the statement that removes the batch."""
    return f"drop table {quote_relation(settings.staging, dialect)}"


def create_stream_tables(key: StreamKey, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that make the tables of offsets and dead letters where there are none."""
    return create_table(key.offsets, OFFSET_TYPES, dialect), create_table(key.letters, LETTER_TYPES, dialect)


def select_offset(key: StreamKey, dialect: Dialect) -> str:
    """Return the query of the stream's position and number of batches; no row before its first."""
    position, batches = (quote_name(name, dialect) for name in ("position", "batches"))
    return f"select {position}, {batches} from {quote_relation(key.offsets, dialect)} where {_is_key(key, dialect)}"


def write_offset(key: StreamKey, before: Offset, after: Offset, dialect: Dialect) -> str:
    """Return the statement that moves the stream on from `before`."""
    table = quote_relation(key.offsets, dialect)
    position, batches = (quote_name(name, dialect) for name in ("position", "batches"))
    if not before.batches:
        values = ", ".join(quote_text(text, dialect) for text in (key.stream, key.consumer, after.position))
        return f"insert into {table} values ({values}, {after.batches})"
    return (
        f"update {table} set {position} = {quote_text(after.position, dialect)}, {batches} = {after.batches} "
        f"where {_is_key(key, dialect)} and {batches} = {before.batches}"
    )


def insert_letters(key: StreamKey, dialect: Dialect) -> str:
    """Return the statement that keeps the staged dead letters; one that is known is not kept twice."""
    names = [quote_name(name, dialect) for name in LETTER_TYPES]
    letters, staging = (quote_relation(r, dialect) for r in (key.letters, key.letter_staging))
    same = " and ".join(f"known.{name} = staged.{name}" for name in names)
    return (
        f"insert into {letters} select {', '.join(f'staged.{name}' for name in names)} from {staging} as staged "
        f"where not exists (select 1 from {letters} as known where {same})"
    )


def drop_letter_staging(key: StreamKey, dialect: Dialect) -> str:
    """Return the statement that removes the staged dead letters."""
    return f"drop table {quote_relation(key.letter_staging, dialect)}"


def storable(text: str) -> str:
    """Return text that every database keeps: NUL and halves of characters escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _keep_events(settings: SessionSettings, dialect: Dialect) -> str:
    names = ", ".join(quote_name(name, dialect) for name in EVENT_TYPES)
    events, staging = (quote_relation(r, dialect) for r in (settings.events, settings.staging))
    return f"insert into {events} ({names}) select {names} from {staging}"


def _forget_sessions(settings: SessionSettings, dialect: Dialect) -> str:
    return f"delete from {quote_relation(settings.table, dialect)} where {_is_touched(settings, dialect)}"


def _insert_sessions(settings: SessionSettings, dialect: Dialect) -> str:
    q = {name: quote_name(name, dialect) for name in (*SESSION_TYPES, *EVENT_TYPES, "starts", "number")}
    text, double = dialect.types["text"], dialect.types["double"]
    # Events of one instant are peers in the running sum (its frame is by range), so they always share a session.
    return f"""insert into {quote_relation(settings.table, dialect)} ({", ".join(q[n] for n in SESSION_TYPES)})
select {q["user_id"]} || ':' || cast(min({q["at_micros"]}) as {text}), {q["user_id"]},
  min({q["ts"]}), max({q["ts"]}), count({q["page"]}),
  cast(sum({q["revenue_micros"]}) as {double}) / {REVENUE_UNIT}
from (
  select started.*, sum({q["starts"]}) over (partition by {q["user_id"]} order by {q["at_micros"]}) as {q["number"]}
  from (
    select kept.*, case when {q["at_micros"]} - lag({q["at_micros"]})
      over (partition by {q["user_id"]} order by {q["at_micros"]}) > {settings.gap_micros} then 1 else 0
      end as {q["starts"]}
    from {quote_relation(settings.events, dialect)} as kept
    where {_is_touched(settings, dialect)}
  ) as started
) as numbered
group by {q["user_id"]}, {q["number"]}"""


def _is_touched(settings: SessionSettings, dialect: Dialect) -> str:
    user = quote_name("user_id", dialect)
    return f"{user} in (select {user} from {quote_relation(settings.staging, dialect)})"


def _is_key(key: StreamKey, dialect: Dialect) -> str:
    stream, consumer = (quote_name(name, dialect) for name in ("stream", "consumer"))
    return f"{stream} = {quote_text(key.stream, dialect)} and {consumer} = {quote_text(key.consumer, dialect)}"
