"""Seed files, loaded by Spark's own readers: CSV and Parquet.

A CSV file is read as text and cast column by column. Types are chosen from every value, and only where the cast loses
nothing: `00712`, `+49` and integers beyond 64 bits stay text. The files must be where Spark can read them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException
from pyspark.sql.types import DataType

from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.frames import SparkFrames
from flowforge_databricks.session import SparkSqlSession
from flowforge_domain.dialect import quote_name
from flowforge_domain.errors import ErrorKind, ours_if_interrupted
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import CsvText, read_csv, utf8_chunks
from flowforge_domain.seed_survey import Ladders, TextTests, column_types, survey
from flowforge_domain.seed_text import blamed_on_file, seed_error
from flowforge_domain.seed_types import (
    CLOCK,
    DAY,
    NUMBER,
    ROUNDED,
    TRUTH,
    WHOLE,
    ZONED,
    TextFit,
    cast_fit,
    declared_fits,
)
from flowforge_ports.seed_files import seed_file

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Words of other engines, and of none of Spark's own types.
_ALIASES = {"varchar": "string", "text": "string", "char": "string", "double precision": "double"}
_SAMPLE = 1_000
_INTEGERS = {"tinyint", "smallint", "int", "bigint"}
_OF_THE_FILE = (ErrorKind.DATA, ErrorKind.UNKNOWN, ErrorKind.SYNTAX, ErrorKind.MISSING_RELATION)


_EXACT_IN_DOUBLE = (
    r"(not {c} rlike '^-?[0-9]+$' or abs(try_cast({c} as double)) < 9007199254740992)"
    f" and not {{c}} rlike '^{ROUNDED}$'"
)
# From the narrowest on: a column gets the first type that fits all of its values.
_LADDER = (
    TextFit("boolean", TRUTH),
    TextFit("bigint", WHOLE),
    TextFit("double", NUMBER, _EXACT_IN_DOUBLE),
    TextFit("date", DAY),
    TextFit("timestamp_ntz", f"{DAY}([ T]{CLOCK})?"),
    TextFit("timestamp", ZONED),
    TextFit("string"),
)
_TESTS = TextTests(
    SPARK,
    matches="{c} rlike {pattern}",
    casts="try_cast({c} as {type}) is not null",
    misfit="any_value({c}, true) filter (where not ({fits}))",
    whole=r"(?s)\A(?:{})\z",
)


@dataclass(frozen=True)
class SparkSeeds:
    """Loads seeds through one session."""

    session: SparkSqlSession
    frames: SparkFrames

    def load(self, seed: Seed, relation: str) -> int:
        with ours_if_interrupted(self.session):
            return {"csv": self._csv, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        text = read_csv(seed, seed_file(seed.path), _SAMPLE)
        declared = self._declared(seed, text.columns)
        with _as_utf8(text) as path, blamed_on_file(seed, *_OF_THE_FILE):
            with translated():
                read = self._reader(text, path)
            self._write(read, relation, column_types(text, declared, _LADDER, partial(_scan, text, read)))
        return text.rows

    def _parquet(self, seed: Seed, relation: str) -> int:
        with blamed_on_file(seed, *_OF_THE_FILE):
            with translated():
                read = self.session.spark.read.parquet(_path(seed.path))
                types = dict.fromkeys(read.columns, "")
            types |= {column: fit.type for column, fit in self._declared(seed, list(types)).items()}
            self._write(read, relation, types)
            with translated():
                return read.count()

    def _declared(self, seed: Seed, columns: Sequence[str]) -> dict[str, TextFit]:
        known = "bigint, double, decimal(18, 2), string, date or timestamp"
        return declared_fits(seed, columns, _fit, "Spark", known)

    def _reader(self, text: CsvText, path: Path) -> DataFrame:
        schema = ", ".join(f"{quote_name(column, SPARK)} string" for column in text.columns)
        options = {
            "header": "true",
            "multiLine": "true",
            "mode": "FAILFAST",
            "sep": text.delimiter,
            "quote": text.quote,
            "escape": text.quote,
            "nullValue": text.seed.options.null,
            "maxColumns": str(len(text.columns) + 1),
        }
        return self.session.spark.read.schema(schema).options(**options).csv(_path(path))

    def _write(self, read: DataFrame, relation: str, types: Mapping[str, str]) -> None:
        casts = [f"cast({_q(c)} as {kind}) as {_q(c)}" if kind else _q(c) for c, kind in types.items()]
        with translated():
            chosen = read.selectExpr(*casts)
        self.frames.write(relation, chosen)


@contextmanager
def _as_utf8(text: CsvText) -> Iterator[Path]:
    """Give the path of the seed as UTF-8: its own, or that of a copy."""
    if text.encoding == "utf-8-sig":
        yield text.seed.path
        return
    with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
        copy = Path(folder) / "seed.csv"
        with copy.open("wb") as made:
            made.writelines(utf8_chunks(text))
        yield copy


def _scan(text: CsvText, read: DataFrame, ladders: Ladders) -> dict[str, list[Any]]:
    def ask(expressions: Sequence[str]) -> list[Any]:
        with translated():
            ((rows, *found),) = read.selectExpr("count(*)", *expressions).collect()
        if rows != text.rows:
            message = f"Spark reads {rows} rows of it, there are {text.rows}."
            hint = "Name the file so that it begins with a letter; check its quotes."
            raise seed_error(text.seed, message, hint=hint)
        return found

    return survey(ladders, {c: _q(c) for c in text.columns}, _TESTS, ask)


def _fit(wanted: str) -> TextFit | None:
    try:
        # Spark's own spelling of the type: only this is ever written into a statement.
        kind = DataType.fromDDL(_ALIASES.get(wanted.lower(), wanted)).simpleString()
    except PySparkException:
        return None
    return cast_fit(kind, whole=kind in _INTEGERS)


def _q(name: str) -> str:
    return quote_name(name, SPARK)


def _path(path: Path) -> str:
    """Return a path on this machine of which no character makes a pattern."""
    return "file://" + re.sub(r"([*?\[\]{}\\])", r"\\\1", str(path))
