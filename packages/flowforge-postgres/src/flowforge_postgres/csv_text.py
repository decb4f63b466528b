"""The text of a CSV seed, read strictly once before PostgreSQL gets it: COPY itself would take broken quotes."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO, cast

from flowforge_domain.model import Seed
from flowforge_domain.seed_text import (
    codec,
    delimiter_in,
    empty_file,
    header_columns,
    line_of_value,
    nul_error,
    readable,
    records,
    seed_error,
    undecodable,
    wrong_width,
)

_CHUNK = 1 << 18
_LONGEST_VALUE = (1 << 30) - 1


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV seed whose every record has a value for each column; `blank` are the lines that hold none."""

    seed: Seed
    encoding: str
    delimiter: str
    quote: str
    columns: tuple[str, ...]
    rows: int
    blank: frozenset[int]


@dataclass
class _Lines:
    """The lines of a file as they are read: how many, which hold no record, and how the first record ended."""

    seed: Seed
    encoding: str
    number: int = 0
    ending: str = ""
    last: str = ""
    blank: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[str]:
        with _open(self.seed, self.encoding) as given:
            for line in given:
                self.number += 1
                if "\0" in line:
                    raise nul_error(self.seed, self.number)
                self.last = line[len(line.rstrip("\r\n")) :]
                yield line

    def require_ending(self) -> None:
        """Require that the record which ends on the last line ends as the first one did."""
        self.ending = self.ending or self.last
        if self.last and self.last != self.ending:
            message = "This line ends in another way than the first."
            raise seed_error(self.seed, message, self.number, "Save the file with one kind of line ending.")


def read_csv(seed: Seed) -> CsvText:
    """Read the whole seed; raise `SeedError` with the line of the first thing that is wrong with it."""
    encoding = codec(seed)
    with _readable(seed, encoding):
        quote = seed.options.quote or '"'
        delimiter = seed.options.delimiter.replace("\\t", "\t") or delimiter_in(_first_line(seed, encoding), quote)
        if any(len(sign) != 1 or not sign.isascii() for sign in (delimiter, quote)):
            raise seed_error(seed, "`delimiter` and `quote` are one ASCII character each.", hint="Correct them.")
        lines = _Lines(seed, encoding)
        found = _records(lines, delimiter, quote)
        columns = next((header_columns(seed, record, line) for line, record in found if record), ())
        if not columns:
            raise empty_file(seed)
        rows = sum(_require_width(seed, line, record, columns) for line, record in found)
    return CsvText(seed, encoding, delimiter, quote, columns, rows, frozenset(lines.blank))


def chunks(text: CsvText) -> Iterator[bytes]:
    """Give the file as UTF-8, without the lines that hold nothing."""
    with _readable(text.seed, text.encoding), _open(text.seed, text.encoding) as given:
        if text.blank:
            yield from (line.encode() for number, line in enumerate(given, 1) if number not in text.blank)
            return
        while chunk := given.read(_CHUNK):
            yield chunk.encode()


def line_of(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose column holds `value`, 0 when there is none."""
    found = _records(_Lines(text.seed, text.encoding), text.delimiter, text.quote)
    return line_of_value(found, text.columns.index(column), value)


def _require_width(seed: Seed, line: int, record: list[str], columns: tuple[str, ...]) -> bool:
    """Require a value for each column; tell whether this is a row at all, and no line that holds nothing."""
    if record and len(record) != len(columns):
        raise wrong_width(seed, line, len(record), columns)
    return bool(record)


def _records(lines: _Lines, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_LONGEST_VALUE)
    for line, record in records(lines.seed, lines, delimiter, quote):
        if not record:
            lines.blank.add(line)
        lines.require_ending()
        yield line, record


@contextmanager
def _readable(seed: Seed, encoding: str) -> Iterator[None]:
    with readable(seed):
        try:
            yield
        except UnicodeError as error:
            raise undecodable(seed, _bytes(seed), encoding) from error


def _first_line(seed: Seed, encoding: str) -> str:
    with _open(seed, encoding) as lines:
        return lines.readline()


def _bytes(seed: Seed) -> Iterator[bytes]:
    path = seed.path
    with cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as given:
        yield from iter(partial(given.read, _CHUNK), b"")


def _open(seed: Seed, encoding: str) -> IO[str]:
    if seed.path.suffix == ".gz":
        return cast("IO[str]", gzip.open(seed.path, "rt", encoding=encoding, newline=""))
    return seed.path.open(encoding=encoding, newline="")
