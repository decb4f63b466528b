"""The text of a CSV seed: read strictly once, its types found from every value, and rewritten for Snowflake.

What is rewritten is plain UTF-8, compressed, with `=` before every value: so nobody guesses at leading zeros or blanks
on the way, and empty text is told from NULL.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import csv_signs
from flowforge_domain.seed_text import (
    codec,
    empty_file,
    header_columns,
    nul_error,
    records,
    seed_error,
    undecodable,
    wrong_value,
    wrong_width,
)
from flowforge_ports.seed_files import chunks, open_text, seed_file
from flowforge_snowflake.types import Fit, fits_of_all

_LONGEST_VALUE = 16 * 1024 * 1024
# Days, states and the like come again and again; what is another each time is not worth more.
_MOST_SEEN = 1000


@dataclass
class Column:
    """A column of the file, with the types that all of its values so far have; `declared` is a type that must fit."""

    name: str
    declared: Fit | None = None
    possible: list[Fit] = field(default_factory=fits_of_all)
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


@dataclass
class CsvText:
    """A CSV seed as it is read."""

    seed: Seed
    encoding: str = ""
    number: int = 0

    def header(self) -> tuple[str, ...]:
        """Return the names in the first line; raise `SeedError` for a file without, or with a name twice."""
        line, names = next(self._filled(), (1, []))
        if not names:
            raise empty_file(self.seed)
        return header_columns(self.seed, names, line)

    def rewritten(self, columns: list[Column], into: Path) -> int:
        """Write the rows for Snowflake, letting each column see its values, and return how many rows there are.

        Raises `SeedError` naming line and column.
        """
        found, rows = self._filled(), 0
        names = [column.name for column in columns]
        next(found)
        with gzip.open(into, "wt", encoding="utf-8", newline="", compresslevel=1) as out:
            for line, record in found:
                if len(record) != len(columns):
                    raise wrong_width(self.seed, line, len(record), names)
                out.write(",".join([self._field(line, *each) for each in zip(columns, record, strict=True)]) + "\n")
                rows += 1
        return rows

    def _field(self, line: int, column: Column, value: str) -> str:
        if value == self.seed.options.null:
            return ""
        if not column.take(value):
            raise wrong_value(self.seed, line, column.name, value, column.type)
        return '"=' + (value.replace('"', '""') if '"' in value else value) + '"'

    def _filled(self) -> Iterator[tuple[int, list[str]]]:
        """Give each record that holds anything, with the line on which it begins."""
        self.encoding = codec(self.seed)
        delimiter, quote = csv_signs(self.seed, seed_file(self.seed.path, "replace"), self.encoding)
        csv.field_size_limit(_LONGEST_VALUE)
        self.number, line = 0, 0
        try:
            for line, record in records(self.seed, self._lines(), delimiter, quote):
                if record:
                    yield line, record
        except UnicodeError as error:
            raise undecodable(self.seed, chunks(self.seed.path), self.encoding) from error
        # The reader ends without a word at a value that is too long for it.
        if self._unread():
            raise _too_long(self.seed, line + 1)

    def _lines(self) -> Iterator[str]:
        with open_text(self.seed.path, self.encoding) as given:
            for line in given:
                self.number += 1
                if "\0" in line:
                    raise nul_error(self.seed, self.number)
                yield line
        self.number = -1

    def _unread(self) -> bool:
        return self.number >= 0


def _too_long(seed: Seed, line: int) -> SeedError:
    message = "A value that begins about here is longer than the 16 MB that Snowflake's text holds."
    return seed_error(seed, message, line, "Shorten it, or close its quote.")
