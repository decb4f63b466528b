"""The type of each column of a CSV seed: chosen from every value, and only where the value loses nothing in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flowforge_domain.seed_looks import LOOKS, Narrowest, is_date, is_moment, parses

_TYPES: Mapping[str, str] = {
    "boolean": "boolean",
    "bigint": "number(38, 0)",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "timestamptz": "timestamp_tz",
    "time": "time",
    "text": "varchar",
}
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z]+)*(?: ?\( ?\d+ ?(?:, ?\d+ ?)?\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fit:
    """A declared type, and what tells whether a text is a value of it."""

    type: str
    matches: Callable[[str], bool]


@dataclass
class Column:
    """A column of the file, with the type that all of its values so far have, or the one that they must fit."""

    name: str
    declared: Fit | None = None
    found: Narrowest[str] = field(default_factory=lambda: Narrowest(LOOKS))

    @property
    def type(self) -> str:
        """The narrowest type that every value fits."""
        return self.declared.type if self.declared else _TYPES[self.found.kind]

    def take(self, value: str) -> bool:
        """Look at one more value; False when it is none of the declared type."""
        if self.declared:
            return self.declared.matches(value)
        self.found.take(value)
        return True


def declared_fit(kind: str) -> Fit | None:
    """Return a type as declared, None for what cannot be the name of one; only Snowflake knows whether it is."""
    if not _TYPE.fullmatch(kind.strip()):
        return None
    name = kind.strip().lower()
    return Fit(name, next((matches for head, matches in _DECLARED if head.match(name)), _is_any))


def _is_any(_: str) -> bool:
    return True


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"\s*[+-]?\d+\s*", text, re.ASCII) is not None


def _is_number(text: str) -> bool:
    return parses(float, text.strip())


def _is_truth(text: str) -> bool:
    return re.fullmatch(r"(?i:\s*(?:true|false|t|f|yes|no|y|n|on|off|1|0)\s*)", text, re.ASCII) is not None


_DECLARED = (
    (re.compile(r"(?:big|small|tiny|byte)?int(?:eger)?$|(?:number|numeric|decimal)(?: ?\( ?\d+ ?\))?$"), _is_whole),
    (re.compile("number|numeric|decimal|double|float|real"), _is_number),
    (re.compile("bool"), _is_truth),
    (re.compile("date$"), is_date),
    (re.compile("timestamp|datetime"), is_moment),
)
