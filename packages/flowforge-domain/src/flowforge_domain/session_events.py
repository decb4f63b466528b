"""Events as sessions need them: one raw event in, its five values in exact types out, or the reason for refusing it.

Time is counted in whole microseconds and revenue in whole millionths, so that every engine compares and sums exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from numbers import Integral, Real
from typing import Any
from uuid import UUID

from flowforge_domain.errors import StreamError
from flowforge_domain.text import did_you_mean

REVENUE_UNIT = 1_000_000
# Ninety such events in one session still sum up within 64 bits, where an engine has no more.
_MOST_REVENUE = Decimal(100_000_000_000)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*\Z", re.ASCII)
_NUMBERS: tuple[Any, ...] = (Decimal, Real)
_IDENTIFIERS: tuple[Any, ...] = (str, Decimal, Real, UUID)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - events are kept in UTC without a zone
_MICROSECOND = timedelta(microseconds=1)
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class SessionColumns:
    """Under which names an event brings its values."""

    event_id: str = "event_id"
    user_id: str = "user_id"
    ts: str = "ts"
    page: str = "page"
    revenue: str = "revenue"

    @property
    def required(self) -> tuple[str, ...]:
        """Return the columns without which nothing is an event."""
        return (self.event_id, self.user_id, self.ts)


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One event: `ts` in UTC without a zone, the same as `at_micros` since 1970, `revenue_micros` in millionths."""

    event_id: str
    user_id: str
    ts: datetime
    at_micros: int
    page: str | None
    revenue_micros: int


def session_event(raw: Mapping[str, Any], columns: SessionColumns) -> SessionEvent:
    """Return a raw event's values; without page it is no pageview, without revenue it brings 0.

    Raises `StreamError` whose message says which value is missing or cannot be read.
    """
    ts = _timestamp(_required(raw, columns.ts), columns.ts)
    return SessionEvent(
        event_id=_identifier(_required(raw, columns.event_id), columns.event_id),
        user_id=_identifier(_required(raw, columns.user_id), columns.user_id),
        ts=ts,
        at_micros=(ts - _EPOCH) // _MICROSECOND,
        page=_page(raw.get(columns.page), columns.page),
        revenue_micros=_millionths(raw.get(columns.revenue), columns.revenue),
    )


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for none: None, empty text, NaN, NaT, NA."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    try:
        return bool(value != value)  # NaN and NaT alone differ from themselves
    except (TypeError, ArithmeticError):
        # pandas.NA refuses to be true or false, a signalling NaN to be compared.
        return True
    except ValueError:
        # An array has no truth of its own; the reader of the column refuses it.
        return False


def _required(raw: Mapping[str, Any], column: str) -> Any:
    if column not in raw:
        raise StreamError(f"{column!r} is missing. {did_you_mean(column, map(str, raw))}".rstrip())
    if is_missing(raw[column]):
        raise StreamError(f"{column!r} is empty.")
    return raw[column]


def _identifier(value: Any, column: str) -> str:
    if isinstance(value, float):
        # A whole number in a column with gaps reaches us as a float.
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bool) or not isinstance(value, _IDENTIFIERS):
        raise _refused(value, column, "no text or number")
    return _text(value, column)


def _page(value: Any, column: str) -> str | None:
    return None if is_missing(value) else _text(value, column)


def _timestamp(value: Any, column: str) -> datetime:
    try:
        moment = _moment(value)
        # Rebuilt from its parts: a pandas timestamp is a datetime that loses its nanoseconds only with a warning.
        parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond)
        plain = datetime(*parts, tzinfo=moment.tzinfo, fold=moment.fold)
        return plain.astimezone(UTC).replace(tzinfo=None) if plain.tzinfo else plain
    except (TypeError, ValueError, OverflowError) as error:
        raise _refused(value, column, "no ISO 8601 timestamp") from error


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day begins at midnight UTC
    raise TypeError(type(value).__name__)


def _millionths(value: Any, column: str) -> int:
    if is_missing(value):
        return 0
    amount = _decimal(value, column)
    if not amount.is_finite() or amount.copy_abs() > _MOST_REVENUE:
        raise _refused(value, column, f"beyond ±{_MOST_REVENUE:,}")
    return int(_EXACT.multiply(amount, Decimal(REVENUE_UNIT)).to_integral_value(context=_EXACT))


def _decimal(value: Any, column: str) -> Decimal:
    if isinstance(value, str) and _NUMBER.match(value):
        return Decimal(value.strip())
    if isinstance(value, bool | str) or not isinstance(value, _NUMBERS):
        raise _refused(value, column, "no number")
    if isinstance(value, Decimal):
        return value
    # The shortest text of a float is what was meant: 0.1 is a tenth, not its nearest binary fraction.
    return Decimal(int(value)) if isinstance(value, Integral) else Decimal(repr(float(value)))


def _text(value: Any, column: str) -> str:
    try:
        text = str(value)
        text.encode("utf-8")
    except ValueError as error:
        raise StreamError(f"{column!r} is no valid Unicode, or a number of thousands of digits.") from error
    if "\0" in text:
        raise _refused(text, column, "text with a NUL character")
    return text


def _refused(value: Any, column: str, why: str) -> StreamError:
    try:
        shown = repr(value)[:_SHOWN]
    except (ValueError, RecursionError):
        shown = f"a {type(value).__name__}"
    return StreamError(f"{column!r} is {why}: {shown}.")
