"""The text of a CSV seed: its header before DuckDB reads it, and where it is broken when DuckDB refuses it.

Lines are counted as an editor counts them; DuckDB counts rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

from flowforge_domain.errors import SeedError
from flowforge_domain.model import Seed
from flowforge_domain.text import Location

_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_QUOTING = "Put values that hold the delimiter, a quote or a line break in quotes, and double a quote inside them."


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
    with _readable(seed), _as_utf8(seed) as path:
        quote = seed.options.quote or '"'
        given = seed.options.delimiter.replace("\\t", "\t")
        text = CsvText(seed, path, given or _delimiter(path, quote), quote)
        yield replace(text, columns=_header(text))


def fault(text: CsvText) -> SeedError | None:
    """Return the first thing that is wrong with a file that DuckDB refused, None when nothing is found."""
    try:
        for line, record in _records(text):
            if record and len(record) != len(text.columns) and not _only_trails(record, text):
                message = f"Expected {len(text.columns)} values, as in the header, found {len(record)}."
                return seed_error(text.seed, message, line, _QUOTING)
    except SeedError as found:
        return found
    return _ending_fault(text)


def line_of_value(text: CsvText, column: str, value: str) -> int:
    """Return the line of the first record whose `column` holds `value`, 0 when there is none."""
    at = text.columns.index(column)
    return next((line for line, record in _records(text) if len(record) > at and record[at] == value), 0)


def seed_error(seed: Seed, message: str, line: int = 0, hint: str = "") -> SeedError:
    """Return an error that points into the seed's file."""
    return SeedError(message, where=Location(seed.file or str(seed.path), line), hint=hint)


@contextmanager
def _readable(seed: Seed) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise seed_error(seed, "The compressed file is cut off.", hint="Compress it again.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise seed_error(seed, f"The file cannot be read: {reason}.", hint="Check the path and its rights.") from error


@contextmanager
def _as_utf8(seed: Seed) -> Iterator[Path]:
    encoding = _codec(seed)
    if encoding == "utf-8":
        _require_text(seed, seed.path)
        yield seed.path
        return
    with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
        copy = Path(folder) / "seed.csv"
        try:
            with _open(seed.path, encoding) as given, copy.open("w", encoding="utf-8", newline="") as made:
                shutil.copyfileobj(given, made, _CHUNK)
        except UnicodeError as error:
            raise _undecodable(seed, seed.path, encoding) from error
        _require_text(seed, copy)
        yield copy


def _codec(seed: Seed) -> str:
    encoding = seed.options.encoding
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except LookupError as error:
        hint = "Use one that Python knows, e.g. utf-8, latin-1, cp1252, utf-16."
        raise seed_error(seed, f"{encoding!r} is no text encoding.", hint=hint) from error
    return "utf-8" if name == "utf-8-sig" else name


def _require_text(seed: Seed, path: Path) -> None:
    lines = 1
    with _open_bytes(path) as given:
        chunk = given.read(_CHUNK)
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise seed_error(seed, "The file is UTF-16, not UTF-8.", 1, "Declare `encoding: utf-16` for this seed.")
        if not chunk.removeprefix(codecs.BOM_UTF8).strip():
            raise seed_error(seed, "The file is empty.", hint="Its first line must name the columns.")
        while chunk:
            if (at := chunk.find(b"\0")) >= 0:
                line = lines + chunk.count(b"\n", 0, at)
                raise seed_error(seed, "The line holds a NUL character.", line, "Declare the `encoding`, or remove it.")
            lines += chunk.count(b"\n")
            chunk = given.read(_CHUNK)


def _delimiter(path: Path, quote: str) -> str:
    """Return the delimiter that stands most often in the header, outside quotes."""
    with _open(path, "utf-8-sig", errors="replace") as given:
        outside = "".join(given.readline().split(quote)[::2])
    return max(_DELIMITERS, key=outside.count)


def _header(text: CsvText) -> tuple[str, ...]:
    seed = text.seed
    if len(text.delimiter) != 1 or len(text.quote) != 1:
        raise seed_error(seed, "`delimiter` and `quote` are one character each.", hint="Correct them in this seed.")
    line, names = next(_records(text))
    if not names or not all(name.strip() for name in names):
        at = next((i for i, name in enumerate(names, 1) if not name.strip()), 1)
        raise seed_error(seed, f"Column {at} of the header has no name.", 1, "Name every column in the first line.")
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise seed_error(seed, f"The header names {name!r} twice.", line, "Names must differ by more than case.")
        seen.add(name.casefold())
    return tuple(names)


def _records(text: CsvText) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line on which it begins, up to a value that is too long for Python's own reader."""
    line = 1
    with _open(text.path, "utf-8-sig") as given:
        reader = csv.reader(given, delimiter=text.delimiter, quotechar=text.quote, strict=True)
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            if "field limit" not in str(error):
                ends = "never ends" if "end of data" in str(error) else "is followed by more text"
                message = f"A quoted value that begins on this line {ends}."
                raise seed_error(text.seed, message, line, _QUOTING) from error
        except UnicodeDecodeError as error:
            raise _undecodable(text.seed, text.path, "utf-8") from error


def _only_trails(record: list[str], text: CsvText) -> bool:
    """Tell whether a record is too long by empty values alone; DuckDB takes them for none."""
    return len(record) > len(text.columns) and not any(record[len(text.columns) :])


def _ending_fault(text: CsvText) -> SeedError | None:
    """Look for the line that ends in another way than the first; DuckDB takes one way per file."""
    with _open(text.path, "utf-8-sig", errors="replace") as given:
        endings = (line[len(line.rstrip("\r\n")) :] for line in given)
        for number, (before, after) in enumerate(pairwise(endings), 2):
            if after and before != after:
                names = {"\n": "LF", "\r": "CR", "\r\n": "CRLF"}
                message = (
                    f"This line ends with {names.get(after, after)!r}, the line before with {names.get(before)!r}."
                )
                return seed_error(text.seed, message, number, "Save the file with one kind of line ending.")
    return None


def _undecodable(seed: Seed, path: Path, encoding: str) -> SeedError:
    """Return the error for text that is not in `encoding`, found by decoding up to the first bad byte."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with _open_bytes(path) as given:
        while chunk := given.read(_CHUNK):
            state = decoder.getstate()
            try:
                lines += decoder.decode(chunk).count("\n")
            except UnicodeError:
                decoder.setstate(state)
                lines += _lines_before_fault(decoder, chunk)
                break
    hint = "Declare the file's `encoding` for this seed, e.g. `encoding: latin-1`."
    return seed_error(seed, f"This line is not {encoding.upper()} text.", lines, hint)


def _lines_before_fault(decoder: codecs.IncrementalDecoder, chunk: bytes) -> int:
    lines = 0
    for i in range(len(chunk)):
        try:
            lines += decoder.decode(chunk[i : i + 1]).count("\n")
        except UnicodeError:
            break
    return lines


def _open(path: Path, encoding: str, errors: str = "strict") -> IO[str]:
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding=encoding, errors=errors, newline=""))
    return path.open(encoding=encoding, errors=errors, newline="")


def _open_bytes(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
