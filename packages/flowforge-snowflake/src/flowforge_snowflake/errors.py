"""Snowflake's errors in FlowForge's words: one table by number, one context manager that translates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import errors

from flowforge_domain.errors import EngineError, ErrorKind

_NUMBERS = {
    604: ErrorKind.STOPPED,
    606: ErrorKind.UNREACHABLE,
    625: ErrorKind.TRANSIENT,
    630: ErrorKind.STOPPED,
    904: ErrorKind.MISSING_COLUMN,
    2002: ErrorKind.CONFLICT,
    2003: ErrorKind.MISSING_RELATION,
    2043: ErrorKind.MISSING_RELATION,
    3001: ErrorKind.PERMISSION,
    3041: ErrorKind.PERMISSION,
    90073: ErrorKind.SPACE,
    90105: ErrorKind.UNREACHABLE,
    90106: ErrorKind.UNREACHABLE,
    90109: ErrorKind.UNREACHABLE,
    250001: ErrorKind.UNREACHABLE,
    250002: ErrorKind.UNREACHABLE,
    250003: ErrorKind.TRANSIENT,
    251001: ErrorKind.CREDENTIALS,
    251005: ErrorKind.CREDENTIALS,
    251006: ErrorKind.CREDENTIALS,
    290408: ErrorKind.TRANSIENT,
    290429: ErrorKind.TRANSIENT,
}
# Whole ranges, where no number of its own is known: compilation, data, log-in, the connector's own network.
_RANGES = (
    (range(900, 1500), ErrorKind.SYNTAX),
    (range(2000, 2300), ErrorKind.SYNTAX),
    (range(100000, 101000), ErrorKind.DATA),
    (range(390100, 390500), ErrorKind.CREDENTIALS),
    (range(394300, 394600), ErrorKind.CREDENTIALS),
    (range(250000, 251000), ErrorKind.UNREACHABLE),
    (range(290500, 290600), ErrorKind.TRANSIENT),
    (range(290000, 291000), ErrorKind.UNREACHABLE),
)
# A refused log-in has the number of a failed connection.
_REFUSED = re.compile(
    r"incorrect username|password|authenticat|JWT|token|MFA|role .* not|user .* locked|3901\d\d", re.IGNORECASE
)
_FIXES = {
    ErrorKind.CREDENTIALS: "Check user, password, key or token, and `authenticator` of the profile.",
    ErrorKind.PERMISSION: "Grant it to the profile's role, or use another `role`.",
    ErrorKind.SPACE: "Raise the resource monitor's quota, or use another `warehouse`.",
    ErrorKind.CONFLICT: "Run again: another session was in the way.",
    ErrorKind.UNREACHABLE: "Check account, host, warehouse and database of the profile.",
    ErrorKind.TRANSIENT: "Run again; https://status.snowflake.com tells of outages.",
}
_PASSING = re.compile(r"deadlock|lock timeout|temporarily unavailable|too many requests", re.IGNORECASE)
_PLACE = re.compile(r"line (\d+) at position (\d+)")
_HEAD = re.compile(r"^\d{6} \(\w{5}\): (?:[0-9a-f-]{36}: )?")


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the connector raises as `EngineError`, with the place in the statement where Snowflake says it."""
    try:
        yield
    except errors.Error as error:
        raise engine_error(error) from error


def engine_error(error: errors.Error) -> EngineError:
    """Return the connector's error in our words."""
    message = _HEAD.sub("", (error.raw_msg or error.msg or "No reason given.").strip())
    number = int(error.errno) if error.errno and error.errno > 0 else 0
    kind = kind_of(number)
    if kind is ErrorKind.UNREACHABLE and 250000 <= number < 251000 and _REFUSED.search(message):
        kind = ErrorKind.CREDENTIALS
    elif _PASSING.search(message):
        kind = ErrorKind.TRANSIENT
    place = _PLACE.search(message)
    line, column = (int(place[1]), int(place[2]) + 1) if place else (0, 0)
    hint = _FIXES.get(kind, "")
    if number == 630:
        hint = "Give it more time in `statement_timeout`, or make the query lighter."
    return EngineError(message, kind=kind, line=line, column=column, hint=hint)


def kind_of(number: int) -> ErrorKind:
    """Return what a number of Snowflake's means."""
    fitting = (kind for numbers, kind in _RANGES if number in numbers)
    return _NUMBERS.get(number) or next(fitting, ErrorKind.UNKNOWN)
