"""The text of a CSV seed, read strictly once before Arrow gets it, which would take broken quotes.

Lines are counted as an editor counts them.
"""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, cast

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.text import Location

_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 18
_LONGEST_VALUE = (1 << 30) - 1
_QUOTING = "Put values that hold the delimiter, a quote or a line break in quotes, and double a quote inside them."


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
                    hint = "Declare the `encoding`, or remove it."
                    raise seed_error(self.seed, "The line holds a NUL character.", self.number, hint)
                self.last = line[len(line.rstrip("\r\n")) :]
                yield line

    def require_ending(self) -> None:
        """Require that the record which ends on the last line ends as the first one did."""
        self.ending = self.ending or self.last
        if self.last and self.last != self.ending:
            message, hint = (
                "This line ends in another way than the first.",
                "Save the file with one kind of line ending.",
            )
            raise seed_error(self.seed, message, self.number, hint)


def read_csv(seed: Seed) -> CsvText:
    """Read the whole seed; raise `SeedError` with the line of the first thing that is wrong with it."""
    encoding = _codec(seed)
    with _readable(seed, encoding):
        quote = seed.options.quote or '"'
        delimiter = seed.options.delimiter.replace("\\t", "\t") or _delimiter(seed, encoding, quote)
        if any(len(sign) != 1 or not sign.isascii() for sign in (delimiter, quote)):
            raise seed_error(seed, "`delimiter` and `quote` are one ASCII character each.", hint="Correct them.")
        lines = _Lines(seed, encoding)
        records = _records(lines, delimiter, quote)
        columns = next((_header(seed, record, line) for line, record in records if record), ())
        if not columns:
            raise seed_error(seed, "The file is empty.", hint="Its first line must name the columns.")
        rows = sum(_require_width(seed, line, record, columns) for line, record in records)
    return CsvText(seed, encoding, delimiter, quote, columns, rows, frozenset(lines.blank))


def chunks(text: CsvText) -> Iterator[bytes]:
    """Give the file as UTF-8, without the lines that hold nothing."""
    with _readable(text.seed, text.encoding), _open(text.seed, text.encoding) as given:
        if text.blank:
            for number, line in enumerate(given, 1):
                if number not in text.blank:
                    yield line.encode()
            return
        while chunk := given.read(_CHUNK):
            yield chunk.encode()


def line_of_value(text: CsvText, column: int, value: str) -> int:
    """Return the line of the first record whose column holds `value`, 0 when there is none."""
    records = _records(_Lines(text.seed, text.encoding), text.delimiter, text.quote)
    return next((line for line, record in records if len(record) > column and record[column] == value), 0)


def seed_error(seed: Seed, message: str, line: int = 0, hint: str = "") -> SeedError:
    """Return an error that points into the seed's file."""
    return SeedError(message, where=Location(seed.file or str(seed.path), line), hint=hint)


def _require_width(seed: Seed, line: int, record: list[str], columns: tuple[str, ...]) -> bool:
    """Require a value for each column; tell whether this is a row at all, and no line that holds nothing."""
    if record and len(record) != len(columns):
        message = f"Expected {len(columns)} values, as in the header, found {len(record)}."
        raise seed_error(seed, message, line, _QUOTING)
    return bool(record)


def _header(seed: Seed, names: list[str], line: int) -> tuple[str, ...]:
    seen: set[str] = set()
    for at, name in enumerate(names, 1):
        if not name.strip():
            message = f"Column {at} of the header has no name."
            raise seed_error(seed, message, line, "Name every column in the first line.")
        if name.casefold() in seen:
            raise seed_error(seed, f"The header names {name!r} twice.", line, "Names must differ by more than case.")
        seen.add(name.casefold())
    return tuple(names)


def _records(lines: _Lines, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line on which it begins; raise `SeedError` for one that never ends."""
    csv.field_size_limit(_LONGEST_VALUE)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    line = 1
    try:
        for record in reader:
            if not record:
                lines.blank.add(line)
            lines.require_ending()
            yield line, record
            line = lines.number + 1
    except csv.Error as error:
        ends = "never ends" if "end of data" in str(error) else "is followed by more text"
        raise seed_error(lines.seed, f"A quoted value that begins on this line {ends}.", line, _QUOTING) from error


@contextmanager
def _readable(seed: Seed, encoding: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        hint = "Declare the file's `encoding` for this seed, e.g. `encoding: latin-1`."
        raise seed_error(
            seed, f"This line is not {encoding.upper()} text.", _undecodable(seed, encoding), hint
        ) from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise seed_error(seed, "The compressed file is damaged.", hint="Compress it again.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise seed_error(seed, f"The file cannot be read: {reason}.", hint="Check the path and its rights.") from error


def _undecodable(seed: Seed, encoding: str) -> int:
    """Return the first line that holds what its encoding does not know."""
    with _open(seed, encoding, "replace") as given:
        return next((number for number, line in enumerate(given, 1) if "\ufffd" in line), 0)


def _codec(seed: Seed) -> str:
    encoding = seed.options.encoding
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except LookupError as error:
        hint = "Use one that Python knows, e.g. utf-8, latin-1, cp1252, utf-16."
        raise seed_error(seed, f"{encoding!r} is no text encoding.", hint=hint) from error
    return "utf-8-sig" if name == "utf-8" else name


def _delimiter(seed: Seed, encoding: str, quote: str) -> str:
    """Return the delimiter that stands most often in the header, outside quotes."""
    with _open(seed, encoding) as given:
        outside = "".join(given.readline().split(quote)[::2])
    return max(_DELIMITERS, key=outside.count)


def _open(seed: Seed, encoding: str, errors: str = "strict") -> IO[str]:
    if seed.path.suffix == ".gz":
        return cast("IO[str]", gzip.open(seed.path, "rt", encoding=encoding, errors=errors, newline=""))
    return seed.path.open(encoding=encoding, errors=errors, newline="")
