"""The files of CSV seeds: as UTF-8 before DuckDB reads them, and read again to tell where one is broken."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import csv_signs
from flowforge_domain.seed_text import (
    codec,
    header_columns,
    line_of_value,
    mixed_endings,
    readable,
    records,
    require_text,
    undecodable,
    wrong_width,
)
from flowforge_ports.seed_files import chunks, open_text, seed_file

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
        text = CsvText(seed, path, *csv_signs(seed, seed_file(path, "replace"), _UTF8))
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
    with open_text(text.path, _UTF8, errors="replace") as lines:
        return mixed_endings(text.seed, lines)


def line_of(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose `column` holds `value`, 0 when there is none."""
    return line_of_value(_records(text), text.columns.index(column), value)


@contextmanager
def _as_utf8(seed: Seed) -> Iterator[Path]:
    encoding = codec(seed)
    if encoding == _UTF8:
        require_text(seed, chunks(seed.path))
        yield seed.path
        return
    with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
        copy = Path(folder) / "seed.csv"
        try:
            with open_text(seed.path, encoding) as given, copy.open("w", encoding="utf-8", newline="") as made:
                shutil.copyfileobj(given, made, _CHUNK)
        except UnicodeError as error:
            raise undecodable(seed, chunks(seed.path), encoding) from error
        require_text(seed, chunks(copy))
        yield copy


def _records(text: CsvText) -> Iterator[tuple[int, list[str]]]:
    with open_text(text.path, _UTF8) as lines:
        try:
            yield from records(text.seed, lines, text.delimiter, text.quote)
        except UnicodeDecodeError as error:
            raise undecodable(text.seed, chunks(text.path), _UTF8) from error


def _only_trails(record: list[str], text: CsvText) -> bool:
    """Tell whether a record is too long by empty values alone; DuckDB takes them for none."""
    return len(record) > len(text.columns) and not any(record[len(text.columns) :])
