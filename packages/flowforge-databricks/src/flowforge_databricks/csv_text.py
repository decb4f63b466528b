"""The text of a CSV seed, read strictly once before Spark gets it: Spark itself would fill up or cut off records."""

from __future__ import annotations

import csv
import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
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

_CHUNK = 1 << 20
_SAMPLE = 1_000
_LONGEST_VALUE = (1 << 30) - 1


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV seed whose every record has a value for each column; `sample` are its first records."""

    seed: Seed
    encoding: str
    delimiter: str
    quote: str
    columns: tuple[str, ...]
    sample: tuple[list[str], ...]
    rows: int


def read_csv(seed: Seed) -> CsvText:
    """Read the whole seed; raise `SeedError` with the line of the first thing that is wrong with it."""
    encoding = codec(seed)
    with _readable(seed, encoding):
        quote = seed.options.quote or '"'
        delimiter = seed.options.delimiter.replace("\\t", "\t") or delimiter_in(_first_line(seed, encoding), quote)
        if len(delimiter) != 1 or len(quote) != 1:
            raise seed_error(seed, "`delimiter` and `quote` are one character each.", hint="Correct them.")
        found = ((line, each) for line, each in _records(seed, encoding, delimiter, quote) if each)
        columns = next((header_columns(seed, record, line) for line, record in found), ())
        if not columns:
            raise empty_file(seed)
        sample = tuple(_of_width(seed, line, record, columns) for line, record in islice(found, _SAMPLE))
        rows = len(sample) + sum(1 for line, record in found if _of_width(seed, line, record, columns))
    return CsvText(seed, encoding, delimiter, quote, columns, sample, rows)


@contextmanager
def as_utf8(text: CsvText) -> Iterator[Path]:
    """Give the path of the seed as UTF-8: its own, or that of a copy."""
    if text.encoding == "utf-8-sig":
        yield text.seed.path
        return
    with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
        copy = Path(folder) / "seed.csv"
        with _open(text.seed, text.encoding) as given, copy.open("w", encoding="utf-8", newline="") as made:
            shutil.copyfileobj(given, made, _CHUNK)
        yield copy


def line_of(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose column holds `value`, 0 when there is none."""
    found = _records(text.seed, text.encoding, text.delimiter, text.quote)
    return line_of_value(found, text.columns.index(column), value)


def _of_width(seed: Seed, line: int, record: list[str], columns: tuple[str, ...]) -> list[str]:
    if len(record) != len(columns):
        raise wrong_width(seed, line, len(record), columns)
    return record


def _records(seed: Seed, encoding: str, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_LONGEST_VALUE)
    with _open(seed, encoding) as lines:
        yield from records(seed, _sound(seed, lines), delimiter, quote)


def _sound(seed: Seed, lines: IO[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise nul_error(seed, number)
        yield line


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
