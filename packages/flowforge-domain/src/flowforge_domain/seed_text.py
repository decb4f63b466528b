"""The text of a CSV seed: its header, its records, and the line of the first thing that is wrong with it.

Nothing here opens a file: an adapter hands over chunks of bytes, or lines with their ends as they are. Lines are
counted as an editor counts them. Every error is a `SeedError` that points into the seed's file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import IncrementalNewlineDecoder
from itertools import chain, pairwise

from flowforge_domain.errors import EngineError, ErrorKind, SeedError
from flowforge_domain.frame_rules import FrameError
from flowforge_domain.model import Seed
from flowforge_domain.text import did_you_mean, shortened

_DELIMITERS = (",", ";", "\t", "|")
_QUOTING = "Put values that hold the delimiter, a quote or a line break in quotes, and double a quote inside them."
_QUOTE = '"'
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ENCODINGS = "Use one that Python knows, e.g. utf-8, latin-1, cp1252, utf-16."


def seed_error(seed: Seed, message: str, line: int = 0, hint: str = "") -> SeedError:
    """Return an error that points into the seed's file; an engine that names it in `message` knows its whole path."""
    where = replace(seed.where(), line=line)
    return SeedError(message.replace(str(seed.path), where.path), where=where, hint=hint)


def setting_error(seed: Seed, setting: Sequence[str], message: str, hint: str = "") -> SeedError:
    """Return an error that points at a setting of the seed, such as `("column_types", "id")`."""
    return SeedError(message, where=seed.where(*setting), hint=hint)


def missing_file(seed: Seed) -> SeedError:
    """Return the error for a seed whose file is not there."""
    return seed_error(seed, "The seed's file does not exist.", hint=f"Put it at {seed.where().path}.")


@contextmanager
def readable(seed: Seed) -> Iterator[None]:
    """Raise what stands in the way of reading the file, in the block, as the seed's error."""
    try:
        yield
    except EOFError as error:
        raise seed_error(seed, "The compressed file is cut off.", hint="Compress it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise seed_error(seed, "The compressed file is damaged.", hint="Compress it again.") from error
    except FileNotFoundError as error:
        raise missing_file(seed) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise seed_error(seed, f"The file cannot be read: {reason}.", hint="Check the path and its rights.") from error


@contextmanager
def blamed_on_file(seed: Seed, *kinds: ErrorKind) -> Iterator[None]:
    """Raise as the seed's what an engine says of the content, in the block: its errors of these kinds."""
    try:
        yield
    except EngineError as error:
        if error.kind not in kinds:
            raise
        fix = "" if isinstance(error, FrameError) else error.hint
        raise seed_error(seed, error.message[:300], hint=fix or "Correct the file, or load it as SQL.") from error


def no_parquet(seed: Seed, error: Exception) -> SeedError:
    """Return the error for a Parquet file that its reader refuses."""
    reason = str(error).splitlines()[0][:300]
    return seed_error(seed, f"The file is no Parquet: {reason}", hint="Write it again, or save it as CSV.")


def codec(seed: Seed) -> str:
    """Return Python's name of the seed's encoding, `utf-8-sig` for UTF-8; raise for one that there is not."""
    encoding = seed.options.encoding
    try:
        return codec_name(encoding)
    except LookupError as error:
        raise setting_error(seed, ["encoding"], f"{encoding!r} is no text encoding.", ENCODINGS) from error


def codec_name(encoding: str) -> str:
    """Return Python's name of an encoding of text, `utf-8-sig` for UTF-8; raise `LookupError` where there is none."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except ValueError as error:
        raise LookupError(encoding) from error
    return "utf-8-sig" if name == "utf-8" else name


def undecodable(seed: Seed, chunks: Iterable[bytes], encoding: str) -> SeedError:
    """Return the error for text that is not in `encoding`, found by decoding up to the first bad byte."""
    name = codecs.lookup(encoding).name.removesuffix("-sig").upper()
    declared = seed.places.get(("encoding",))
    given = iter(chunks)
    first = next(given, b"")
    if first.startswith(_UTF16) and not name.startswith("UTF-16"):
        return _utf16_error(seed, name)
    hint = f"Correct {declared}: `encoding: latin-1`." if declared else "Declare `encoding: latin-1` for this seed."
    line = 1 + _lines_before_fault(chain([first], given), encoding)
    return seed_error(seed, f"This line is not {name} text.", line, hint)


def require_text(seed: Seed, chunks: Iterable[bytes]) -> None:
    """Require UTF-8 that can be a table, for an engine that reads the file itself: not UTF-16, not empty, no NUL."""
    lines, first = 1, True
    for chunk in chunks:
        if first and chunk.startswith(_UTF16):
            raise _utf16_error(seed, "UTF-8")
        if first and not chunk.removeprefix(codecs.BOM_UTF8).strip():
            break
        if (at := chunk.find(b"\0")) >= 0:
            raise nul_error(seed, lines + chunk.count(b"\n", 0, at))
        lines, first = lines + chunk.count(b"\n"), False
    if first:
        raise empty_file(seed)


def empty_file(seed: Seed) -> SeedError:
    """Return the error for a file without a header."""
    return seed_error(seed, "The file is empty.", hint="Its first line must name the columns.")


def nul_error(seed: Seed, line: int) -> SeedError:
    """Return the error for a NUL character, which no engine's text holds."""
    return seed_error(seed, "The line holds a NUL character.", line, "Declare the `encoding`, or remove it.")


def delimiter_in(header: str, quote: str) -> str:
    """Return the delimiter that stands most often in the header line, outside quotes."""
    outside = "".join(header.split(quote)[::2])
    return max(_DELIMITERS, key=outside.count)


def require_one_character(seed: Seed, delimiter: str, quote: str) -> None:
    """Require that the delimiter and the quote are one character each."""
    for setting, sign in (("delimiter", delimiter), ("quote", quote)):
        if len(sign) != 1:
            raise setting_error(seed, [setting], f"`{setting}` is one character, not {sign!r}.", "Correct it.")


def require_ascii(seed: Seed, delimiter: str, quote: str) -> None:
    """Require that the delimiter and the quote are ASCII, for an engine that takes no other."""
    for setting, sign in (("delimiter", delimiter), ("quote", quote)):
        if not sign.isascii():
            message = f"`{setting}` is one ASCII character on this engine, not {sign!r}."
            raise setting_error(seed, [setting], message, "Write the file with another.")


def header_columns(seed: Seed, names: Sequence[str], line: int = 1) -> tuple[str, ...]:
    """Return the columns that a header names; raise for one without a name, or two of one name."""
    if not names or not all(name.strip() for name in names):
        at = next((i for i, name in enumerate(names, 1) if not name.strip()), 1)
        raise seed_error(seed, f"Column {at} of the header has no name.", line, "Name every column in the first line.")
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise seed_error(seed, f"The header names {name!r} twice.", line, "Names must differ by more than case.")
        seen.add(name.casefold())
    return tuple(names)


def records(seed: Seed, lines: Iterable[str], delimiter: str, quote: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line on which it begins, up to a value that is too long for Python's own reader.

    Raises for quotes that are not closed as they should be. An empty record is a line that holds nothing.
    """
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" not in str(error):
            ends = "never ends" if "end of data" in str(error) else "is followed by more text"
            raise seed_error(seed, f"A quoted value that begins on this line {ends}.", line, _QUOTING) from error


def wrong_width(seed: Seed, line: int, found: int, columns: Sequence[str]) -> SeedError:
    """Return the error for a record with too many or too few values."""
    if wrong := _wrong_delimiter(seed, columns):
        return wrong
    return seed_error(seed, f"Expected {len(columns)} values, as in the header, found {found}.", line, _QUOTING)


def mixed_endings(seed: Seed, lines: Iterable[str]) -> SeedError | None:
    """Return the error for the first line that ends in another way than the one before; None where all end alike."""
    names = {"\n": "LF", "\r": "CR", "\r\n": "CRLF"}
    endings = (line[len(line.rstrip("\r\n")) :] for line in lines)
    for number, (before, after) in enumerate(pairwise(endings), 2):
        if after and before != after:
            message = f"This line ends with {names.get(after, after)!r}, the line before with {names.get(before)!r}."
            return seed_error(seed, message, number, "Save the file with one kind of line ending.")
    return None


def line_of_value(found: Iterable[tuple[int, list[str]]], at: int, value: str) -> int:
    """Return the line of the first record whose value number `at` is `value`, 0 when there is none."""
    return next((line for line, record in found if len(record) > at and record[at] == value), 0)


def wrong_value(seed: Seed, line: int, column: str, value: str, kind: str) -> SeedError:
    """Return the error for a value that is not of its column's declared type."""
    declared = seed.places.get(("column_types", column))
    hint = f"Correct the value, or declare another type ({declared or 'under `column_types`'})."
    return seed_error(seed, f"Column {column!r} holds {shortened(value)!r}, which is no {kind}.", line, hint)


def declared_types(seed: Seed, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each column with the type that the project declares for it; raise for a column that the file lacks."""
    for column, wanted in seed.options.column_types.items():
        if column not in columns:
            if wrong := _wrong_delimiter(seed, columns):
                raise wrong
            message = f"`column_types` names the column {column!r}, which {seed.where()} lacks."
            raise setting_error(seed, ["column_types", column], message, did_you_mean(column, columns))
        yield column, wanted


def no_type(seed: Seed, column: str, wanted: str, engine: str, examples: str) -> SeedError:
    """Return the error for a declared type that the engine does not know."""
    message = f"{wanted!r}, declared for column {column!r}, is no type of {engine}."
    return setting_error(seed, ["column_types", column], message, f"Use one like {examples}.")


def _utf16_error(seed: Seed, name: str) -> SeedError:
    declared = seed.places.get(("encoding",))
    hint = f"Correct {declared}: `encoding: utf-16`." if declared else "Declare `encoding: utf-16` for this seed."
    return seed_error(seed, f"The file is UTF-16, not {name}.", 1, hint)


def _wrong_delimiter(seed: Seed, columns: Sequence[str]) -> SeedError | None:
    """Return the error for a declared delimiter that the header does not hold, though it holds another."""
    if len(columns) != 1 or not seed.options.delimiter or not any(sign in columns[0] for sign in _DELIMITERS):
        return None
    message = f"`delimiter` is {seed.options.delimiter!r}: the only column of {seed.where()} is {columns[0]!r}."
    return setting_error(seed, ["delimiter"], message, f"Did you mean {delimiter_in(columns[0], _QUOTE)!r}?")


def _lines_before_fault(chunks: Iterable[bytes], encoding: str) -> int:
    decoder = IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    lines = 0
    for chunk in chunks:
        before = decoder.getstate()
        try:
            lines += decoder.decode(chunk).count("\n")
        except UnicodeError:
            decoder.setstate(before)
            return lines + _lines_in_bytes(decoder, chunk)
    return lines


def _lines_in_bytes(decoder: IncrementalNewlineDecoder, chunk: bytes) -> int:
    lines = 0
    for i in range(len(chunk)):
        try:
            lines += decoder.decode(chunk[i : i + 1]).count("\n")
        except UnicodeError:
            # The lowest bit says that a CR was read and is kept back, for an LF might follow.
            return lines + (decoder.getstate()[1] & 1)
    return lines
