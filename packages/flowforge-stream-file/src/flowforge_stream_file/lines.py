"""Lines of a growing file, and what one line says: an event, nothing, or a dead letter."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from flowforge_stream_file.position import OpenFile

_SHOWN = 1000


@dataclass
class Cursor:
    """Where reading stands; moved past a line before the line is given out."""

    offset: int
    line: int
    skipping: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with the line break; of one that is too long only the beginning, with what it may have."""

    number: int
    raw: bytes
    longest: int = 0


class NoEventError(ValueError):
    """A line that is no event; the message says why."""


def lines_of(file: OpenFile, cursor: Cursor, longest: int, left: bool) -> Iterator[Line]:
    """Give the complete lines from `cursor` on; the last one without a line break only if the file was `left`.

    A line of more than `longest` bytes is given once, as its beginning, and its rest dropped as it comes.
    """
    file.handle.seek(cursor.offset)
    while raw := file.handle.readline(longest + 1):
        ends, fits, continued = raw.endswith(b"\n"), len(raw) <= longest, cursor.skipping
        if not ends and fits and not left:
            return
        cursor.offset += len(raw)
        cursor.line += not continued
        cursor.skipping = not ends and not fits
        if not continued:
            yield Line(cursor.line, raw, 0 if ends or fits else longest)


def event_of(line: Line) -> dict[str, Any] | None:
    """Return the JSON object that a line holds, None for a blank one.

    Raises `NoEventError` for anything else.
    """
    if line.longest:
        raise NoEventError(f"the line is longer than {line.longest} bytes")
    try:
        text = _content(line).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoEventError(f"not UTF-8: {error.reason} at byte {error.start + 1} of the line") from error
    return _parsed(text) if text.strip() else None


def shown(line: Line) -> str:
    """Return a line's text for a dead letter, bytes that are no UTF-8 escaped; of one too long the beginning."""
    text = _content(line).decode("utf-8", "backslashreplace")
    return text[:_SHOWN] if line.longest else text


def _content(line: Line) -> bytes:
    raw = line.raw.removeprefix(codecs.BOM_UTF8) if line.number == 1 else line.raw
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise NoEventError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise NoEventError("not readable: nested too deeply") from error
    except NoEventError:
        raise
    except ValueError as error:
        # An integer of more digits than Python converts.
        raise NoEventError(f"not readable: {str(error)[:_SHOWN]}") from error
    if not isinstance(value, dict):
        raise NoEventError("not a JSON object")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise NoEventError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NoEventError(f"the number {digits[:40]} is too large")
    return number
