"""The type of each column of a CSV seed: chosen from every value, and only where the value loses nothing in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from flowforge_domain.seed_types import CLOCK, DAY, NUMBER, ROUNDED, TRUTH, WHOLE, ZONED

# Days, states and the like come again and again; what is another each time is not worth more.
_MOST_SEEN = 1000
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


@dataclass
class Column:
    """A column of the file, with the types that all of its values so far have; `declared` is a type that must fit."""

    name: str
    declared: Fit | None = None
    possible: list[Fit] = field(default_factory=lambda: list(_LADDER))
    filled: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        """The narrowest type that every value fits."""
        if self.declared:
            return self.declared.type
        return self.possible[0].type if self.filled and self.possible else "varchar"

    def take(self, value: str) -> bool:
        """Look at one more value; False when it is none of the declared type."""
        if self.declared:
            return self.declared.matches(value)
        self.filled = True
        if not self.possible or value in self.seen:
            return True
        for fit in self.possible:
            if not fit.matches(value):
                self.possible = [fit for fit in self.possible if fit.matches(value)]
                break
        if len(self.seen) < _MOST_SEEN:
            self.seen.add(value)
        return True


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
# From the narrowest on: a column gets the first type that fits all of its values, and text where none does.
_LADDER: tuple[Fit, ...] = (
    Fit("boolean", _pattern(TRUTH)),
    Fit("number(38, 0)", _pattern(WHOLE), _is_64_bit),
    Fit("double", _pattern(NUMBER), _is_exact),
    Fit("date", _pattern(DAY), _is_date),
    Fit("timestamp_ntz", _pattern(f"{DAY}([ T]{CLOCK})?"), _is_moment),
    Fit("timestamp_tz", _pattern(ZONED), _is_moment),
    Fit("time", _pattern(CLOCK), _is_time),
)
_WHOLE = _pattern(r"\s*[+-]?\d+\s*")
_DECLARED = (
    (re.compile(r"(?:big|small|tiny|byte)?int(?:eger)?$|(?:number|numeric|decimal)(?: ?\( ?\d+ ?\))?$"), _WHOLE, None),
    (re.compile("number|numeric|decimal|double|float|real"), _ANY, _is_number),
    (re.compile("bool"), _pattern(r"(?i:\s*(?:true|false|t|f|yes|no|y|n|on|off|1|0)\s*)"), None),
    (re.compile("date$"), _ANY, _is_date),
    (re.compile("timestamp|datetime"), _ANY, _is_moment),
)
