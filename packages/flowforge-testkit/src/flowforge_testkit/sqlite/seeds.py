"""Seeds: CSV by the rules every engine follows, and SQL.

A column's type is found by a full scan: whole numbers, numbers, booleans, dates and timestamps, else text. One value
with a leading zero makes its column text. Declared types win.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, UnsupportedByEngineError
from flowforge_domain.materialize import prepare_statements
from flowforge_domain.model import Seed
from flowforge_domain.relation import same_relation
from flowforge_domain.seed_csv import CsvText, csv_records, read_csv
from flowforge_domain.seed_sql import create_seed, seed_query, seed_query_error
from flowforge_domain.seed_text import readable, wrong_value
from flowforge_domain.seed_types import NUMBER, ROUNDED, declared_fits
from flowforge_ports.engine import Catalog
from flowforge_ports.seed_files import seed_file
from flowforge_testkit.sqlite.dialect import DIALECT
from flowforge_testkit.sqlite.frames import Connected, replace_table


@dataclass(frozen=True)
class SqliteSeeds:
    """Loads CSV through the csv module and SQL through the session."""

    session: Connected
    catalog: Catalog

    def load(self, seed: Seed, relation: str) -> int:
        """Replace the table with what the file holds."""
        return {"csv": self._csv, "sql": self._sql, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        text = read_csv(seed, seed_file(seed.path))
        kinds = _with_declared(seed, _inferred(text))
        return replace_table(self.session, self.catalog, relation, kinds, _values(text, kinds))

    def _sql(self, seed: Seed, relation: str) -> int:
        with readable(seed):
            query = seed_query(seed, seed.path.read_bytes(), relation, DIALECT)
        existing = kinds(self.catalog.relations()).get(same_relation(relation))
        for statement in prepare_statements(relation, "table", existing, DIALECT):
            self.session.execute(statement)
        try:
            return self.session.execute(create_seed(query, relation, DIALECT)) or 0
        except EngineError as error:
            raise seed_query_error(query, error) from error

    def _parquet(self, seed: Seed, relation: str) -> int:
        raise UnsupportedByEngineError(DIALECT.name, Capability.PARQUET_SEEDS.value)


def _inferred(text: CsvText) -> dict[str, str]:
    """Return each column's type: the first that every value of the file fits."""
    possible = [list(_FITS) for _ in text.columns]
    filled = [False for _ in text.columns]
    for _, row in csv_records(text):
        for i, value in enumerate(row):
            if value != text.seed.options.null:
                filled[i] = True
                possible[i] = [kind for kind in possible[i] if _FITS[kind](value)]
    return {name: possible[i][0] if filled[i] else "text" for i, name in enumerate(text.columns)}


def _with_declared(seed: Seed, kinds: Mapping[str, str]) -> dict[str, str]:
    def kind_of(wanted: str) -> str | None:
        return next((kind for pattern, kind in _DECLARED if re.search(pattern, wanted, re.IGNORECASE)), None)

    return {**kinds, **declared_fits(seed, list(kinds), kind_of, "sqlite", "bigint, double, text, date or timestamp")}


def _values(text: CsvText, kinds: Mapping[str, str]) -> Iterator[list[Any]]:
    for line, row in csv_records(text):
        yield [_value(text.seed, line, name, kind, cell) for (name, kind), cell in zip(kinds.items(), row, strict=True)]


def _value(seed: Seed, line: int, name: str, kind: str, text: str) -> Any:
    if text == seed.options.null:
        return None
    try:
        return _CONVERT[kind](text)
    except ValueError as error:
        raise wrong_value(seed, line, name, text, kind) from error


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


def _date(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _timestamp(text: str) -> str:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}[0-9:.]*)?\Z", text):
        raise ValueError(text)
    return datetime.fromisoformat(text).isoformat(sep=" ")


def _fits(convert: Callable[[str], Any]) -> Callable[[str], bool]:
    """Tell whether a value can be of a type and be written as it was: `007` and `12345678901234567890` cannot."""

    def fits(text: str) -> bool:
        try:
            value = convert(text)
        except ValueError:
            return False
        if _PADDED.match(text):
            return False
        if not isinstance(value, float):
            return True
        if not re.fullmatch(NUMBER, text):
            return False
        return not re.fullmatch(ROUNDED, text) and not (text.lstrip("-").isdigit() and int(value) != int(text))

    return fits


_PADDED = re.compile(r"[+-]?0[0-9]|\+|.*[.]\Z|-?[.]")
_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "bigint": _integer,
    "double": _number,
    "date": _date,
    "timestamp": _timestamp,
    "text": str,
}
_FITS: Mapping[str, Callable[[str], bool]] = {
    **{kind: _fits(convert) for kind, convert in _CONVERT.items()},
    "text": lambda _: True,
}
_DECLARED = (
    (r"^(.*char|text|string)", "text"),
    (r"^bool", "boolean"),
    (r"int", "bigint"),
    (r"^(real|double|float|dec|num)", "double"),
    (r"^(timestamp|datetime)", "timestamp"),
    (r"^date$", "date"),
)
