"""A CSV seed, read strictly once before an engine gets it: engines fill up, cut off or take what is broken.

Nothing here opens a file; a `SeedFile` says how to.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from typing import IO

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
    require_one_character,
    seed_error,
    undecodable,
    wrong_width,
)

_CHUNK = 1 << 18
_LONGEST_VALUE = (1 << 30) - 1


@dataclass(frozen=True, slots=True)
class SeedFile:
    """How a file is opened: as `text` in an encoding, the ends of its lines as they are, or as `chunks` of bytes."""

    text: Callable[[str], IO[str]]
    chunks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV seed whose every record has a value for each column.

    `blank` are the lines that hold none, `sample` is as many of the first records as were asked for, and `longest` is
    how many characters the longest record has, ends of lines and quotes included. `quotes` tells whether the quote
    itself stands in a value: in one that is not quoted, other readers take it for one that opens.
    """

    seed: Seed
    file: SeedFile
    encoding: str
    delimiter: str
    quote: str
    columns: tuple[str, ...]
    sample: tuple[list[str], ...]
    rows: int
    blank: frozenset[int]
    longest: int
    quotes: bool


def read_csv(seed: Seed, file: SeedFile, sample: int = 0) -> CsvText:
    """Read the whole seed; raise `SeedError` with the line of the first thing that is wrong with it."""
    encoding = codec(seed)
    with _decodable(seed, file, encoding):
        delimiter, quote = csv_signs(seed, file, encoding)
        lines = _Lines(seed, file, encoding, quote)
        found = _records(lines, delimiter)
        columns = next((header_columns(seed, record, line) for line, record in found if record), ())
        if not columns:
            raise empty_file(seed)
        rows = (_of_width(seed, line, record, columns) for line, record in found if record)
        first = tuple(islice(rows, sample))
        count = len(first) + sum(1 for _ in rows)
    blank = frozenset(lines.blank)
    return CsvText(seed, file, encoding, delimiter, quote, columns, first, count, blank, lines.longest, lines.quotes)


def csv_signs(seed: Seed, file: SeedFile, encoding: str) -> tuple[str, str]:
    """Return the delimiter and the quote: what the project says, else what the first line shows, and `"`."""
    quote = seed.options.quote or '"'
    delimiter = seed.options.delimiter.replace("\\t", "\t")
    if not delimiter:
        with file.text(encoding) as lines:
            delimiter = delimiter_in(lines.readline(), quote)
    require_one_character(seed, delimiter, quote)
    return delimiter, quote


def utf8_chunks(text: CsvText) -> Iterator[bytes]:
    """Give the file as UTF-8, without the lines that hold nothing; written anew where readers would differ."""
    if text.quotes:
        yield from _written(text)
        return
    with _decodable(text.seed, text.file, text.encoding), text.file.text(text.encoding) as given:
        if text.blank:
            yield from (line.encode() for number, line in enumerate(given, 1) if number not in text.blank)
            return
        while chunk := given.read(_CHUNK):
            yield chunk.encode()


def require_all_rows(text: CsvText, arrived: int) -> None:
    """Require that the engine took as many rows as the file has."""
    if arrived != text.rows:
        raise seed_error(text.seed, f"{text.rows} rows were sent, {arrived} arrived.", hint="Quote its values.")


def csv_records(text: CsvText) -> Iterator[tuple[int, list[str]]]:
    """Give each record behind the header with the line on which it begins, for an engine that types them itself."""
    with _decodable(text.seed, text.file, text.encoding):
        found = _records(_Lines(text.seed, text.file, text.encoding, text.quote), text.delimiter)
        yield from islice(((line, record) for line, record in found if record), 1, None)


def checked_records(seed: Seed, file: SeedFile) -> Iterator[tuple[int, list[str]]]:
    """Give the header and then each record, with the line on which it begins, for an engine that gets values alone.

    It is read once, and raises `SeedError` as `read_csv` does, but for ends of lines that differ: nobody sees them.
    """
    encoding = codec(seed)
    with _decodable(seed, file, encoding):
        csv.field_size_limit(_LONGEST_VALUE)
        delimiter, quote = csv_signs(seed, file, encoding)
        found = records(seed, _without_nul(seed, file, encoding), delimiter, quote)
        columns: tuple[str, ...] = ()
        for line, record in found:
            if record:
                columns = columns or header_columns(seed, record, line)
                yield line, _of_width(seed, line, record, columns)
    if not columns:
        raise empty_file(seed)


def line_of(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose column holds `value`, 0 when there is none."""
    found = _records(_Lines(text.seed, text.file, text.encoding, text.quote), text.delimiter)
    return line_of_value(found, text.columns.index(column), value)


def first_cell(seed: Seed, file: SeedFile, column: str, meant: Callable[[str], bool]) -> tuple[int, str]:
    """Return line and value of a column's first cell that is `meant` and is not NULL, 0 and "" where there is none.

    The column's name counts without case. Raises `SeedError` as `read_csv` does, for what comes before.
    """
    encoding = codec(seed)
    with _decodable(seed, file, encoding):
        delimiter, quote = csv_signs(seed, file, encoding)
        found = _records(_Lines(seed, file, encoding, quote), delimiter)
        names = [name.casefold() for name in next((header_columns(seed, one, line) for line, one in found if one), ())]
        at = names.index(column.casefold()) if column.casefold() in names else len(names)
        cells = ((line, record[at]) for line, record in found if len(record) > at)
        return next(((line, cell) for line, cell in cells if cell != seed.options.null and meant(cell)), (0, ""))


@dataclass
class _Lines:
    """The lines of a file as they are read: how many, which hold no record, and how the first record ended.

    `longest` is the size of the longest record, and `size` that of the one that is being read. A record is `quoted`
    when it holds a quote anywhere, and `quotes` tells whether a value of any does.
    """

    seed: Seed
    file: SeedFile
    encoding: str
    quote: str
    number: int = 0
    ending: str = ""
    last: str = ""
    size: int = 0
    longest: int = 0
    quoted: bool = False
    quotes: bool = False
    blank: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[str]:
        with self.file.text(self.encoding) as given:
            for line in given:
                self.number += 1
                if "\0" in line:
                    raise nul_error(self.seed, self.number)
                self.last = line[len(line.rstrip("\r\n")) :]
                self.size += len(line)
                self.quoted = self.quoted or self.quote in line
                yield line

    def end_record(self, record: list[str]) -> None:
        """Take note of the record which ends on the last line; require that it ends as the first one did."""
        self.longest, self.size = max(self.longest, self.size), 0
        if self.quoted:
            self.quoted, self.quotes = False, self.quotes or any(self.quote in value for value in record)
        self.ending = self.ending or self.last
        if self.last and self.last != self.ending:
            message = "This line ends in another way than the first."
            raise seed_error(self.seed, message, self.number, "Save the file with one kind of line ending.")


def _without_nul(seed: Seed, file: SeedFile, encoding: str) -> Iterator[str]:
    with file.text(encoding) as given:
        for number, line in enumerate(given, 1):
            if "\0" in line:
                raise nul_error(seed, number)
            yield line


def _of_width(seed: Seed, line: int, record: list[str], columns: tuple[str, ...]) -> list[str]:
    if len(record) != len(columns):
        raise wrong_width(seed, line, len(record), columns)
    return record


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_LONGEST_VALUE)
    for line, record in records(lines.seed, lines, delimiter, lines.quote):
        if not record:
            lines.blank.add(line)
        lines.end_record(record)
        yield line, record


def _written(text: CsvText) -> Iterator[bytes]:
    """Give the header and every record, a value in quotes where it holds anything that means something."""
    out = StringIO(newline="")
    writer = csv.writer(out, delimiter=text.delimiter, quotechar=text.quote)
    writer.writerow(text.columns)
    for _, record in csv_records(text):
        writer.writerow(record)
        if out.tell() >= _CHUNK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


@contextmanager
def _decodable(seed: Seed, file: SeedFile, encoding: str) -> Iterator[None]:
    with readable(seed):
        try:
            yield
        except UnicodeError as error:
            raise undecodable(seed, file.chunks(), encoding) from error
