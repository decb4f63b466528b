"""What sqlite's errors mean: one table, applied at one place."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.text import place_of

KINDS: tuple[tuple[str, ErrorKind], ...] = (
    (r"no such table|unknown database", ErrorKind.MISSING_RELATION),
    (r"no such column|has no column named", ErrorKind.MISSING_COLUMN),
    (r"syntax error|incomplete input|unrecognized token", ErrorKind.SYNTAX),
    (r"no such function|wrong number of arguments|ambiguous column|one statement at a time", ErrorKind.SYNTAX),
    (r"interrupted", ErrorKind.CANCELLED),
    (r"readonly database", ErrorKind.PERMISSION),
    (r"is locked", ErrorKind.TRANSIENT),
    (r"unable to open|not a database|closed database|disk I/O", ErrorKind.UNREACHABLE),
    (
        r"constraint failed|datatype mismatch|too large to convert|too big|surrogates not allowed|reserved for",
        ErrorKind.DATA,
    ),
)
_NEAR = re.compile(r'near "(.+)": syntax error', re.DOTALL)


@contextmanager
def translated(sql: str = "") -> Iterator[None]:
    """Raise what sqlite raises inside the block as `EngineError`."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
        message = str(error)
        line, column = _place(message, sql)
        raise EngineError(message, kind=kind_of(message), line=line, column=column) from error


def kind_of(message: str) -> ErrorKind:
    """Return what a message of sqlite means."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, message)), ErrorKind.UNKNOWN)


def _place(message: str, sql: str) -> tuple[int, int]:
    """Return line and column of the token sqlite complains of, zeros unless it stands in the statement just once."""
    found = _NEAR.match(message)
    if found is None or sql.count(found.group(1)) != 1:
        return 0, 0
    return place_of(sql, sql.index(found.group(1)))
