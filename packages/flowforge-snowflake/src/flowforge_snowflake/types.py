"""The types that a seed's columns can get, and which texts they take without losing anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from flowforge_domain.seed_types import NUMBER, ROUNDED

_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.]\d{1,6})?)?"
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z]+)*(?: ?\( ?\d+ ?(?:, ?\d+ ?)?\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fit:
    """A type, the pattern of its texts, and what else must hold of them."""

    type: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] | None = None

    def matches(self, text: str) -> bool:
        """Tell whether `text` is a value of the type, and comes back from it as it was."""
        return self.pattern.fullmatch(text) is not None and (self.holds is None or self.holds(text))


def fits_of_all() -> list[Fit]:
    """Return every type that is looked for, from the narrowest on; text, which fits always, is not among them."""
    return list(_LADDER)


def declared_fit(kind: str) -> Fit | None:
    """Return a type as declared, None for what cannot be the name of one; only Snowflake knows whether it is."""
    if not _TYPE.fullmatch(kind.strip()):
        return None
    name = kind.strip().lower()
    return next((Fit(name, pattern, holds) for head, pattern, holds in _DECLARED if head.match(name)), Fit(name, _ANY))


def _is_64_bit(text: str) -> bool:
    return len(text) < 19 or -(2**63) <= int(text) < 2**63


def _is_exact(text: str) -> bool:
    """Tell whether a number is one: `.` is none, nor one that a double would round."""
    # As most are: too short to be rounded.
    if len(text) < 16 and text[-1:].isdigit():
        return True
    if not any(sign.isdigit() or sign in "nN" for sign in text):
        return False
    return not _ROUNDED.fullmatch(text) and (not text.lstrip("-").isdigit() or abs(int(text)) < 2**53)


def _is_date(text: str) -> bool:
    return _parses(date.fromisoformat, text)


def _is_moment(text: str) -> bool:
    return _parses(datetime.fromisoformat, text)


def _is_time(text: str) -> bool:
    return _parses(datetime.fromisoformat, f"2000-01-01 {text}")


def _is_number(text: str) -> bool:
    return _parses(float, text.strip())


def _parses(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.DOTALL)


_ANY, _ROUNDED = _pattern(".*"), _pattern(ROUNDED)
_LADDER = (
    Fit("boolean", _pattern("(?i:true|false)")),
    Fit("number(38, 0)", _pattern(r"0|-?[1-9]\d*"), _is_64_bit),
    Fit("double", _pattern(NUMBER), _is_exact),
    Fit("date", _pattern(_DAY), _is_date),
    Fit("timestamp_ntz", _pattern(f"{_DAY}(?:[ T]{_CLOCK})?"), _is_moment),
    Fit("timestamp_tz", _pattern(rf"{_DAY}[ T]{_CLOCK}(?:Z|[+-]\d\d(?::?\d\d)?)"), _is_moment),
    Fit("time", _pattern(_CLOCK), _is_time),
)
_WHOLE = _pattern(r"\s*[+-]?\d+\s*")
_DECLARED = (
    (re.compile(r"(?:big|small|tiny|byte)?int(?:eger)?$|(?:number|numeric|decimal)(?: ?\( ?\d+ ?\))?$"), _WHOLE, None),
    (re.compile("number|numeric|decimal|double|float|real"), _ANY, _is_number),
    (re.compile("bool"), _pattern(r"(?i:\s*(?:true|false|t|f|yes|no|y|n|on|off|1|0)\s*)"), None),
    (re.compile("date$"), _ANY, _is_date),
    (re.compile("timestamp|datetime"), _ANY, _is_moment),
)
