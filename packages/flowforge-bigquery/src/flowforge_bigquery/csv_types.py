"""The type of each column of a CSV seed: chosen from every value, and only where the value loses nothing in it.

`00712`, `+49` and integers beyond 64 bits stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowforge_domain.seed_csv import CsvText, utf8_chunks
from flowforge_domain.seed_types import DAY, NUMBER, ROUNDED, STRICT_CLOCK, TRUTH, WHOLE

_BLOCK, _LARGEST_BLOCK = 1 << 20, (1 << 31) - 1
_EXACT_IN_DOUBLE = 2**53
_LONG = r"^-?\d{16,}$"


@dataclass(frozen=True, slots=True)
class Fit:
    """A type, and what a text must look like to lose nothing when it is cast to it."""

    type: pa.DataType
    pattern: str = ""

    def holds(self, values: pa.Array) -> bool:
        """Tell whether every one of these texts fits."""
        if not len(values):
            return True
        if self.pattern and not pc.all(pc.match_substring_regex(values, self.pattern)).as_py():
            return False
        try:
            self.cast(values)
        except pa.ArrowInvalid:
            return False
        return self.type != pa.float64() or _exact(values)

    def cast(self, values: pa.Array) -> pa.Array:
        """Return the texts as values; raise `ArrowInvalid` where one is none."""
        if self.type == pa.string():
            return values
        values = pc.utf8_trim_whitespace(values)
        if pa.types.is_boolean(self.type):
            return pc.utf8_lower(values).cast(self.type)
        if pa.types.is_time(self.type):
            return pc.binary_join_element_wise("1970-01-01", values, " ").cast(pa.timestamp("us")).cast(self.type)
        return values.cast(self.type)


TEXT = Fit(pa.string())
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    Fit(pa.bool_(), f"^(?:{TRUTH})$"),
    Fit(pa.int64(), f"^(?:{WHOLE})$"),
    Fit(pa.float64(), f"^(?:{NUMBER})$"),
    Fit(pa.date32(), f"^{DAY}$"),
    Fit(pa.timestamp("us"), f"^{DAY}(?:[ T]{STRICT_CLOCK})?$"),
    Fit(pa.timestamp("us", "UTC"), rf"^{DAY}[ T]{STRICT_CLOCK}(?:Z|[+-]\d\d(?::?\d\d)?)$"),
    Fit(pa.time64("us"), f"^{STRICT_CLOCK}$"),
)
_DECLARED: Mapping[str, Fit] = {
    name: fit
    for names, fit in (
        ("string text varchar char", TEXT),
        ("int64 int integer bigint smallint tinyint byteint", Fit(pa.int64(), r"^\s*[+-]?\d+\s*$")),
        ("float64 float double real", Fit(pa.float64())),
        ("bool boolean", Fit(pa.bool_(), r"^\s*(?i:true|false|0|1)\s*$")),
        ("date", Fit(pa.date32(), rf"^\s*{DAY}\s*$")),
        ("datetime", Fit(pa.timestamp("us"))),
        ("timestamp", Fit(pa.timestamp("us", "UTC"))),
        ("time", Fit(pa.time64("us"))),
        ("numeric decimal", Fit(pa.decimal128(38, 9))),
        ("bignumeric bigdecimal", Fit(pa.decimal256(76, 38))),
    )
    for name in names.split()
}
_DECIMAL = re.compile(r"(?:big)?(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.IGNORECASE)


def declared_fit(wanted: str) -> Fit | None:
    """Return what a declared type asks for, None when BigQuery has no such type."""
    said = wanted.strip().casefold()
    if sized := _DECIMAL.fullmatch(said):
        with suppress(ValueError):
            return Fit(pa.decimal128(int(sized[1]), int(sized[2] or 0)))
        with suppress(ValueError):
            return Fit(pa.decimal256(int(sized[1]), int(sized[2] or 0)))
    return _DECLARED.get(said.replace("double precision", "double"))


def text_batches(text: CsvText) -> Iterator[pa.RecordBatch]:
    """Give the file's rows as texts, some thousands at a time."""
    names = [f"c{i}" for i in range(len(text.columns))]
    # Arrow reads no record that is longer than a block; a character has up to four bytes.
    block = min(max(_BLOCK, 4 * text.longest), _LARGEST_BLOCK)
    with csv.open_csv(
        pa.PythonFile(_Chunks(utf8_chunks(text)), "r"),
        read_options=csv.ReadOptions(block_size=block, column_names=names, skip_rows_after_names=1, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=text.delimiter, quote_char=text.quote, newlines_in_values=True, ignore_empty_lines=len(names) > 1
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[text.seed.options.null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ) as reader:
        yield from reader


def found_fits(batches: Iterable[pa.RecordBatch], columns: int) -> list[Fit]:
    """Return the type of each column, from all of its values; text where there is none."""
    left: list[list[Fit]] = [list(_LADDER) for _ in range(columns)]
    filled = [False] * columns
    for batch in batches:
        for i, column in enumerate(batch.columns):
            values = column.drop_null()
            filled[i] = filled[i] or len(values) > 0
            left[i] = [fit for fit in left[i] if fit.holds(values)]
    return [fits[0] if fits and some else TEXT for fits, some in zip(left, filled, strict=True)]


def misfit(values: pa.Array, fit: Fit) -> str | None:
    """Return the first text that does not fit, None when all do."""
    texts = values.drop_null()
    if fit.holds(texts):
        return None
    return next((str(each) for each in texts.to_pylist() if not fit.holds(pa.array([each], pa.string()))), None)


def _exact(values: pa.Array) -> bool:
    """Tell whether texts that look like numbers are such as a double does not round."""
    if pc.any(pc.match_substring_regex(pc.utf8_trim_whitespace(values), f"^{ROUNDED}$")).as_py():
        return False
    long = values.filter(pc.match_substring_regex(pc.utf8_trim_whitespace(values), _LONG))
    return all(abs(int(each)) <= _EXACT_IN_DOUBLE for each in long.to_pylist())


class _Chunks:
    """What Arrow reads from: an iterator of bytes as a file."""

    def __init__(self, given: Iterator[bytes]) -> None:
        self.given, self.rest, self.closed = given, b"", False

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, b"" at the end."""
        parts, had = [self.rest], len(self.rest)
        while size < 0 or had < size:
            chunk = next(self.given, None)
            if chunk is None:
                break
            parts.append(chunk)
            had += len(chunk)
        whole = b"".join(parts)
        end = len(whole) if size < 0 else size
        self.rest = whole[end:]
        return whole[:end]

    def close(self) -> None:
        """Stop reading."""
        self.closed = True
