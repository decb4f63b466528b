"""The files of CSV seeds: as UTF-8 before DuckDB reads them, and read again to tell where one is broken."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, cast

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.seed_text import (
    codec,
    delimiter_in,
    header_columns,
    line_of_value,
    mixed_endings,
    readable,
    records,
    require_one_character,
    require_text,
    undecodable,
    wrong_width,
)

_CHUNK = 1 << 20
_UTF8 = "utf-8-sig"


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV seed that can be read as UTF-8 at `path`, which is the seed's own file or a copy of it."""

    seed: Seed
    path: Path
    delimiter: str
    quote: str
    columns: tuple[str, ...] = ()


@contextmanager
def open_csv(seed: Seed) -> Iterator[CsvText]:
    """Give the seed as UTF-8, its header read.

    Raises `SeedError` when there is no header, or the file is no text in its encoding.
    """
    with readable(seed), _as_utf8(seed) as path:
        quote = seed.options.quote or '"'
        delimiter = seed.options.delimiter.replace("\\t", "\t") or delimiter_in(_first_line(path), quote)
        require_one_character(seed, delimiter, quote)
        text = CsvText(seed, path, delimiter, quote)
        line, names = next(_records(text))
        yield replace(text, columns=header_columns(seed, names, line))


def fault(text: CsvText) -> SeedError | None:
    """Return the first thing that is wrong with a file that DuckDB refused, None when nothing is found."""
    try:
        for line, record in _records(text):
            if record and len(record) != len(text.columns) and not _only_trails(record, text):
                return wrong_width(text.seed, line, len(record), text.columns)
    except SeedError as found:
        return found
    with _open(text.path, _UTF8, errors="replace") as lines:
        return mixed_endings(text.seed, lines)


def line_of(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose `column` holds `value`, 0 when there is none."""
    return line_of_value(_records(text), text.columns.index(column), value)


@contextmanager
def _as_utf8(seed: Seed) -> Iterator[Path]:
    encoding = codec(seed)
    if encoding == _UTF8:
        require_text(seed, _chunks(seed.path))
        yield seed.path
        return
    with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
        copy = Path(folder) / "seed.csv"
        try:
            with _open(seed.path, encoding) as given, copy.open("w", encoding="utf-8", newline="") as made:
                shutil.copyfileobj(given, made, _CHUNK)
        except UnicodeError as error:
            raise undecodable(seed, _chunks(seed.path), encoding) from error
        require_text(seed, _chunks(copy))
        yield copy


def _records(text: CsvText) -> Iterator[tuple[int, list[str]]]:
    with _open(text.path, _UTF8) as lines:
        try:
            yield from records(text.seed, lines, text.delimiter, text.quote)
        except UnicodeDecodeError as error:
            raise undecodable(text.seed, _chunks(text.path), _UTF8) from error


def _only_trails(record: list[str], text: CsvText) -> bool:
    """Tell whether a record is too long by empty values alone; DuckDB takes them for none."""
    return len(record) > len(text.columns) and not any(record[len(text.columns) :])


def _first_line(path: Path) -> str:
    with _open(path, _UTF8, errors="replace") as lines:
        return lines.readline()


def _chunks(path: Path) -> Iterator[bytes]:
    with cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as given:
        yield from iter(partial(given.read, _CHUNK), b"")


def _open(path: Path, encoding: str, errors: str = "strict") -> IO[str]:
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding=encoding, errors=errors, newline=""))
    return path.open(encoding=encoding, errors=errors, newline="")
