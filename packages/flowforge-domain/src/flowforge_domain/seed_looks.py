"""Types for the columns of a CSV seed whose values are looked at one by one, for an engine that finds none itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from flowforge_domain.seed_types import CLOCK, DAY, NUMBER, ROUNDED, TRUTH, WHOLE, ZONED

Kind = TypeVar("Kind", bound=str)
Look = Callable[[str], bool]
# Days, states and the like come again and again; what is another each time is not worth more.
_MOST_SEEN = 1000


@dataclass
class Narrowest(Generic[Kind]):
    """The types that all values of a column look like so far, from the narrowest on; text is none of them."""

    possible: Mapping[Kind, Look]
    filled: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def kind(self) -> Kind | Literal["text"]:
        """The narrowest of them, "text" where there is none or no value."""
        return next(iter(self.possible), "text") if self.filled else "text"

    def take(self, value: str) -> None:
        """Look at one more value that is not NULL."""
        self.filled = True
        if not self.possible or value in self.seen:
            return
        for look in self.possible.values():
            if not look(value):
                self.possible = {kind: look for kind, look in self.possible.items() if look(value)}
                break
        if len(self.seen) < _MOST_SEEN:
            self.seen.add(value)


def is_date(text: str) -> bool:
    """Tell whether a text is a day that there is."""
    return parses(date.fromisoformat, text)


def is_moment(text: str) -> bool:
    """Tell whether a text is a day and a time that there are."""
    return parses(datetime.fromisoformat, text)


def parses(read: Callable[[str], object], text: str) -> bool:
    """Tell whether `read` takes a text."""
    try:
        read(text)
    except ValueError:
        return False
    return True


def _look(pattern: str, holds: Look | None = None) -> Look:
    fits = re.compile(pattern, re.ASCII | re.DOTALL).fullmatch
    return lambda text: fits(text) is not None and (holds is None or holds(text))


def _is_64_bit(text: str) -> bool:
    return len(text) < 19 or -(2**63) <= int(text) < 2**63


def _is_exact(text: str) -> bool:
    """Tell whether a number is one: `.` is none, nor one that a double would round."""
    # As most are: too short to be rounded.
    if len(text) < 16 and text[-1:].isdigit():
        return True
    if not any(sign.isdigit() or sign in "nN" for sign in text):
        return False
    return not _ROUNDED(text) and (not text.lstrip("-").isdigit() or abs(int(text)) < 2**53)


def _is_time(text: str) -> bool:
    return is_moment(f"2000-01-01 {text}")


_ROUNDED = _look(ROUNDED)
LOOKS: Mapping[str, Look] = {
    "boolean": _look(TRUTH),
    "bigint": _look(WHOLE, _is_64_bit),
    "double": _look(NUMBER, _is_exact),
    "date": _look(DAY, is_date),
    "timestamp": _look(f"{DAY}([ T]{CLOCK})?", is_moment),
    "timestamptz": _look(ZONED, is_moment),
    "time": _look(CLOCK, _is_time),
}
"""From the narrowest type on, what tells that a text is a value of it and would be written again as it was."""
