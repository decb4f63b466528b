"""A CSV seed as typed rows, for an engine that finds no types itself: in plain Python, by two passes over its records.

A column has the first type that every value fits: boolean, whole number, number, date, timestamp without a zone, else
text. What would not be written again as it was, such as `007`, is text. Declared types win.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flowforge_domain.dialect import NeutralType
from flowforge_domain.seed_csv import CsvText, csv_records
from flowforge_domain.seed_looks import LOOKS, Look, Narrowest, parses
from flowforge_domain.seed_text import wrong_value
from flowforge_domain.seed_types import declared_fits


@dataclass(frozen=True, slots=True)
class TypedRows:
    """The neutral type of each column, and the rows in plain Python values, read as they are asked for."""

    kinds: Mapping[str, NeutralType]
    rows: Iterator[list[Any]]


def typed_rows(text: CsvText, known: Collection[NeutralType], engine: str) -> TypedRows:
    """Return a seed's rows in those types that the engine has, as a rule the keys of `Dialect.types`.

    Raises `SeedError` for a declared type that it has not, and, as the rows are read, for a value that is not of it.
    """

    def kind_of(wanted: str) -> NeutralType | None:
        fitting = (kind for pattern, kind in _DECLARED if kind in known and re.search(pattern, wanted, re.IGNORECASE))
        return next(fitting, None)

    inferred = _inferred(text, {kind: look for kind, look in _LOOKS.items() if kind in known})
    examples = ", ".join(dict.fromkeys(kind for _, kind in _DECLARED if kind in known))
    declared: dict[str, NeutralType] = declared_fits(text.seed, list(inferred), kind_of, engine, examples)
    kinds = {**inferred, **declared}
    return TypedRows(kinds, _values(text, kinds))


def _inferred(text: CsvText, looks: Mapping[NeutralType, Look]) -> dict[str, NeutralType]:
    found = [Narrowest(looks) for _ in text.columns]
    for _, row in csv_records(text):
        for column, value in zip(found, row, strict=True):
            if value != text.seed.options.null:
                column.take(value)
    return {name: column.kind for name, column in zip(text.columns, found, strict=True)}


def _values(text: CsvText, kinds: Mapping[str, NeutralType]) -> Iterator[list[Any]]:
    for line, row in csv_records(text):
        yield [_value(text, line, name, kind, cell) for (name, kind), cell in zip(kinds.items(), row, strict=True)]


def _value(text: CsvText, line: int, name: str, kind: NeutralType, cell: str) -> Any:
    if cell == text.seed.options.null:
        return None
    try:
        return _CONVERT[kind](cell)
    except ValueError as error:
        raise wrong_value(text.seed, line, name, cell, kind) from error


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]{0,300}(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?", text):
        raise ValueError(text)
    return float(text)


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?(?=[.]?[0-9])[0-9]{0,29}([.][0-9]{0,9}0*)?", text):
        raise ValueError(text)
    return Decimal(text)


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _timestamp(text: str) -> datetime:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}[0-9:.]*)?\Z", text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _looks(kind: NeutralType) -> Look:
    """Return what tells that a value looks like one of a type, and is made one here."""
    return lambda text: LOOKS[kind](text) and not _BARE_POINT.match(text) and parses(_CONVERT[kind], text)


# `.5` and `1.` are numbers that Python writes otherwise.
_BARE_POINT = re.compile(r".*[.]\Z|-?[.]")
_CONVERT: Mapping[NeutralType, Callable[[str], Any]] = {
    "boolean": _boolean,
    "bigint": _integer,
    "double": _number,
    "date": _date,
    "timestamp": _timestamp,
    "text": str,
    "decimal": _decimal,
}
_INFERRED: tuple[NeutralType, ...] = ("boolean", "bigint", "double", "date", "timestamp")
_LOOKS: Mapping[NeutralType, Look] = {kind: _looks(kind) for kind in _INFERRED}
# Where the engine has no decimals, they are doubles.
_DECLARED: tuple[tuple[str, NeutralType], ...] = (
    (r"^(.*char|text|string)", "text"),
    (r"^bool", "boolean"),
    (r"^(tiny|small|big|huge)?int(?!erval)", "bigint"),
    (r"^(dec|num)", "decimal"),
    (r"^(real|double|float|dec|num)", "double"),
    (r"^(timestamp|datetime)", "timestamp"),
    (r"^date$", "date"),
)
