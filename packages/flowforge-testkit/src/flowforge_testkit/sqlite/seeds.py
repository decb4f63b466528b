"""Seeds: CSV by the rules every engine follows, and SQL.

A column's type is found by a full scan: whole numbers, numbers, booleans, dates and timestamps, else text. One value
with a leading zero makes its column text. An empty field is NULL. Declared types win.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flowforge_domain.capability import Capability
from flowforge_domain.ddl import find_target, is_blank, one_statement
from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import EngineError, SeedError, UnsupportedByEngineError
from flowforge_domain.materialize import prepare_statements
from flowforge_domain.model import Seed
from flowforge_domain.relation import same_relation
from flowforge_domain.text import Location, did_you_mean
from flowforge_ports.engine import Catalog
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
        with _readable(seed):
            kinds = _with_declared(seed, _inferred(seed))
            return replace_table(self.session, self.catalog, relation, kinds, _values(seed, kinds))

    def _sql(self, seed: Seed, relation: str) -> int:
        with _readable(seed):
            body = _create_body(seed, one_statement(seed.path.read_text(seed.options.encoding), seed.file, DIALECT))
        existing = self.catalog.relations().get(same_relation(relation))
        for statement in prepare_statements(relation, "table", existing, DIALECT):
            self.session.execute(statement)
        try:
            return self.session.execute(f"create table {quote_relation(relation, DIALECT)}{body}") or 0
        except EngineError as error:
            raise _error(seed, error.line, error.message) from error

    def _parquet(self, seed: Seed, relation: str) -> int:
        raise UnsupportedByEngineError(DIALECT.name, Capability.PARQUET_SEEDS.value)


def _create_body(seed: Seed, sql: str) -> str:
    """Return what follows `create table X` for a seed that is one select or one create-as."""
    target = find_target(sql, seed.file, DIALECT)
    if is_blank(sql) or (target and (target.kind, target.relation) != ("table", seed.relation)):
        raise _error(seed, 1, f"A SQL seed is one select, or one `create table {seed.relation} as select …`.")
    return sql[target.end :] if target else f" as {sql}"


@contextmanager
def _readable(seed: Seed) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError, LookupError, TypeError) as error:
        raise _error(seed, 0, f"The file cannot be read: {error}") from error


def _records(seed: Seed) -> Iterator[tuple[int, list[str]]]:
    """Give the header, then every row, each with the line it ends on and as many fields as the header."""
    options = seed.options
    encoding = "utf-8-sig" if options.encoding.lower() in {"utf-8", "utf8"} else options.encoding
    with seed.path.open(newline="", encoding=encoding) as file:
        reader = csv.reader(file, delimiter=options.delimiter or ",", quotechar=options.quote or '"', strict=True)
        header: list[str] = []
        try:
            for row in reader:
                if row:
                    header = header or _header(seed, row)
                    yield reader.line_num, _of_width(seed, reader.line_num, row, header)
        except csv.Error as error:
            raise _error(seed, reader.line_num, f"The file is not CSV: {error}") from error


def _header(seed: Seed, row: list[str]) -> list[str]:
    folded = [name.casefold() for name in row]
    for name in row:
        if not name.strip():
            raise _error(seed, 1, "The header has a column without a name.")
        if folded.count(name.casefold()) > 1:
            raise _error(seed, 1, f"The header names column {name!r} twice.")
    return row


def _of_width(seed: Seed, line: int, row: list[str], header: list[str]) -> list[str]:
    if len(row) != len(header):
        last = f" Column {header[len(row)]!r} is missing." if len(row) < len(header) else ""
        raise _error(seed, line, f"The row has {len(row)} fields, the header {len(header)}.{last}")
    return row


def _inferred(seed: Seed) -> dict[str, str]:
    """Return each column's type: the first that every value of the file fits."""
    rows = _records(seed)
    _, header = next(rows, (0, []))
    if not header:
        raise _error(seed, 1, "The file is empty; the first line names the columns.")
    possible = [list(_FITS) for _ in header]
    filled = [False for _ in header]
    for _, row in rows:
        for i, value in enumerate(row):
            if not _is_null(seed, value):
                filled[i] = True
                possible[i] = [kind for kind in possible[i] if _FITS[kind](value)]
    return {name: possible[i][0] if filled[i] else "text" for i, name in enumerate(header)}


def _with_declared(seed: Seed, kinds: Mapping[str, str]) -> dict[str, str]:
    declared = {}
    for name, wanted in seed.options.column_types.items():
        if name not in kinds:
            raise _error(seed, 1, f"There is no column {name!r}.", did_you_mean(name, kinds))
        kind = next((kind for pattern, kind in _DECLARED if re.search(pattern, wanted, re.IGNORECASE)), None)
        if kind is None:
            raise _error(seed, 1, f"Column {name!r} is declared {wanted!r}, which sqlite has no type for.")
        declared[name] = kind
    return {**kinds, **declared}


def _values(seed: Seed, kinds: Mapping[str, str]) -> Iterator[list[Any]]:
    rows = _records(seed)
    next(rows)
    for line, row in rows:
        yield [_value(seed, line, name, kind, text) for (name, kind), text in zip(kinds.items(), row, strict=True)]


def _value(seed: Seed, line: int, name: str, kind: str, text: str) -> Any:
    if _is_null(seed, text):
        return None
    try:
        return _CONVERT[kind](text)
    except ValueError as error:
        message = f"Column {name!r} is {kind}, but holds {text[:40]!r}."
        raise _error(seed, line, message, f"Correct the value, or declare column_types: {{{name}: text}}.") from error


def _is_null(seed: Seed, value: str) -> bool:
    return value in {"", seed.options.null}


def _error(seed: Seed, line: int, message: str, hint: str = "Correct the file; no table was changed.") -> SeedError:
    return SeedError(message, where=Location(seed.file or seed.path.name, line), hint=hint)


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
        return not (isinstance(value, float) and text.lstrip("-").isdigit() and int(value) != int(text))

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
