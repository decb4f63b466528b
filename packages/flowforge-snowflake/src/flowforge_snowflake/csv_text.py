"""The text of a CSV seed: read strictly once, its types found from every value, and rewritten for Snowflake.

Lines are counted as an editor counts them. What is rewritten is plain UTF-8, compressed, with `=` before every value:
so nobody guesses at leading zeros or blanks on the way, and empty text is told from NULL.
"""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.text import Location
from flowforge_snowflake.types import Fit, fits_of_all

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_VALUE = 16 * 1024 * 1024
_QUOTING = "Put values that hold the delimiter, a quote or a line break in quotes, and double a quote inside them."


@dataclass
class Column:
    """A column of the file, with the types that all of its values so far have; `declared` is a type that must fit."""

    name: str
    declared: Fit | None = None
    possible: list[Fit] = field(default_factory=fits_of_all)
    filled: bool = False

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
        if self.possible and not all(fit.matches(value) for fit in self.possible):
            self.possible = [fit for fit in self.possible if fit.matches(value)]
        return True


def rewritten(seed: Seed, columns: list[Column], into: Path) -> int:
    """Write the seed's rows for Snowflake, letting each column see its values, and return how many rows there are.

    Raises `SeedError` naming line and column.
    """
    records = _records(seed)
    next(records)
    rows = 0
    null = seed.options.null
    with gzip.open(into, "wt", encoding="utf-8", newline="", compresslevel=1) as out:
        # NULL is nothing at all between the delimiters, for which the writer itself would put quotes in a lone column.
        for line, record in records:
            _require_width(seed, line, record, len(columns))
            fields = []
            for column, value in zip(columns, record, strict=True):
                if value == null:
                    fields.append("")
                    continue
                if not column.take(value):
                    raise _wrong_cell(seed, line, column, value)
                fields.append('"=' + value.replace('"', '""') + '"')
            out.write(",".join(fields) + "\n")
            rows += 1
    return rows


def header(seed: Seed) -> tuple[str, ...]:
    """Return the names in the first line; raise `SeedError` for a file without, or with a name twice."""
    line, names = next(_records(seed), (1, []))
    if not names:
        raise seed_error(seed, "The file is empty.", hint="Its first line must name the columns.")
    seen: set[str] = set()
    for at, name in enumerate(names, 1):
        if not name.strip():
            raise seed_error(seed, f"Column {at} of the header has no name.", 1, "Name every column in the first line.")
        if name.casefold() in seen:
            raise seed_error(seed, f"The header names {name!r} twice.", line, "Names must differ by more than case.")
        seen.add(name.casefold())
    return tuple(names)


def seed_error(seed: Seed, message: str, line: int = 0, hint: str = "") -> SeedError:
    """Return an error that points into the seed's file."""
    return SeedError(message, where=Location(seed.file or str(seed.path), line), hint=hint)


@contextmanager
def readable(seed: Seed) -> Iterator[None]:
    """Say of a file that cannot be read which one it is."""
    try:
        yield
    except EOFError as error:
        raise seed_error(seed, "The compressed file is cut off.", hint="Compress it again.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise seed_error(seed, f"The file cannot be read: {reason}.", hint="Check the path and its rights.") from error


def _records(seed: Seed) -> Iterator[tuple[int, list[str]]]:
    """Give each record that holds anything, with the line on which it begins."""
    quote = seed.options.quote or '"'
    delimiter = seed.options.delimiter.replace("\\t", "\t") or _delimiter(seed, quote)
    if len(delimiter) != 1 or len(quote) != 1:
        raise seed_error(seed, "`delimiter` and `quote` are one character each.", hint="Correct them in this seed.")
    csv.field_size_limit(_LONGEST_VALUE)
    line, lines = 1, _Lines(seed)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise _broken(seed, line, str(error)) from error
    except UnicodeError as error:
        message = f"This line is not {seed.options.encoding.upper()} text."
        hint = "Declare the file's `encoding` for this seed, e.g. `encoding: latin-1`."
        raise seed_error(seed, message, lines.number + 1, hint) from error


@dataclass
class _Lines:
    """The lines of a file as they are read, and how many they were."""

    seed: Seed
    number: int = 0

    def __iter__(self) -> Iterator[str]:
        with _open(self.seed) as given:
            for line in given:
                self.number += 1
                if "\0" in line:
                    hint = "Declare the `encoding`, or remove it."
                    raise seed_error(self.seed, "The line holds a NUL character.", self.number, hint)
                yield line


def _open(seed: Seed, errors: str = "strict") -> IO[str]:
    encoding = seed.options.encoding
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except LookupError as error:
        hint = "Use one that Python knows, e.g. utf-8, latin-1, cp1252, utf-16."
        raise seed_error(seed, f"{encoding!r} is no text encoding.", hint=hint) from error
    name = "utf-8-sig" if name == "utf-8" else name
    if seed.path.suffix == ".gz":
        return cast("IO[str]", gzip.open(seed.path, "rt", encoding=name, errors=errors, newline=""))
    return seed.path.open(encoding=name, errors=errors, newline="")


def _delimiter(seed: Seed, quote: str) -> str:
    """Return the delimiter that stands most often in the header, outside quotes."""
    with _open(seed, errors="replace") as given:
        outside = "".join(given.readline().split(quote)[::2])
    return max(_DELIMITERS, key=outside.count)


def _require_width(seed: Seed, line: int, record: list[str], width: int) -> None:
    if len(record) != width:
        message = f"Expected {width} values, as in the header, found {len(record)}."
        raise seed_error(seed, message, line, _QUOTING)


def _broken(seed: Seed, line: int, said: str) -> SeedError:
    if "field limit" in said:
        message = "A value that begins on this line is longer than the 16 MB that Snowflake's text holds."
        return seed_error(seed, message, line, "Shorten it, or close its quote.")
    ends = "never ends" if "end of data" in said else "is followed by more text"
    return seed_error(seed, f"A quoted value that begins on this line {ends}.", line, _QUOTING)


def _wrong_cell(seed: Seed, line: int, column: Column, value: str) -> SeedError:
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    hint = "Correct the value, or declare another type under `column_types`."
    return seed_error(seed, f"Column {column.name!r} holds {shown!r}, which is no {column.type}.", line, hint)
