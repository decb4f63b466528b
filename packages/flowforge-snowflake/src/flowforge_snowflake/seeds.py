"""Seed files: put into a stage of their own, copied from there by Snowflake, and then made the table in one statement.

Readers see the old table until the new one is whole. A CSV file is rewritten on the way: plain UTF-8, compressed, with
`=` before every value, so that nobody guesses at leading zeros or blanks, and empty text is told from NULL.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import checked_records
from flowforge_domain.seed_text import blamed_on_file, readable, seed_error, wrong_value
from flowforge_domain.seed_types import declared_fits
from flowforge_ports.seed_files import seed_file
from flowforge_snowflake.arrow_types import parquet_columns
from flowforge_snowflake.catalog import SnowflakeReplacer
from flowforge_snowflake.csv_types import Column, Fit, declared_fit
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.session import SnowflakeSession

_CSV = "(type = csv field_optionally_enclosed_by = '\"' escape_unenclosed_field = none compression = gzip)"
# Otherwise moments are numbers, whose size tells their unit, and bytes are texts.
_PARQUET = "(type = parquet use_logical_type = true binary_as_text = false)"
_LONGEST_VALUE = 16 * 1024 * 1024
_OF_THE_FILE = (ErrorKind.DATA, ErrorKind.UNKNOWN, ErrorKind.SYNTAX)


@dataclass(frozen=True)
class SnowflakeSeeds:
    """Loads seeds through one session."""

    session: SnowflakeSession
    dialect: Dialect
    replacer: SnowflakeReplacer

    def load(self, seed: Seed, relation: str) -> int:
        with readable(seed):
            return {"csv": self._csv, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        found = checked_records(seed, seed_file(seed.path))
        _, names = next(found)
        declared = _declared(seed, names)
        columns = [Column(name, declared.get(name)) for name in names]
        with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
            file = Path(folder) / "seed.csv.gz"
            rows = _rewritten(seed, columns, found, file)
            casts = {c.name: f"cast(substr({_q(c.name)}, 2) as {c.type})" for c in columns}
            with self._aside(dict.fromkeys(names, "varchar")) as name, blamed_on_file(seed, *_OF_THE_FILE):
                if rows:
                    self._put(file, name)
                    self._run(f"copy into {name} from @{name} file_format = {_CSV}")
                self._replace(relation, name, casts)
        return rows

    def _parquet(self, seed: Seed, relation: str) -> int:
        columns, rows = parquet_columns(seed)
        casts = {c: _q(c) for c in columns}
        casts |= {c: f"cast({_q(c)} as {fit.type})" for c, fit in _declared(seed, tuple(columns)).items()}
        read = ", ".join(f"$1:{_as_written(c)}::{kind}" for c, kind in columns.items())
        with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
            # A copy, since no quoting is told for a path that holds quotes itself.
            file = Path(shutil.copyfile(seed.path, Path(folder) / "seed.parquet"))
            with self._aside(columns) as name, blamed_on_file(seed, *_OF_THE_FILE):
                self._put(file, name)
                self._run(f"copy into {name} from (select {read} from @{name}) file_format = {_PARQUET}")
                self._replace(relation, name, casts)
        return rows

    @contextmanager
    def _aside(self, columns: Mapping[str, str]) -> Iterator[str]:
        """Give the name of a new stage and a new table; both go with the session at the latest."""
        name = f"_FLOWFORGE_{uuid.uuid4().hex.upper()}"
        typed = ", ".join(f"{_q(column)} {kind}" for column, kind in columns.items())
        self.session.execute(f"create temporary stage {name}")
        try:
            self.session.execute(f"create temporary table {name} ({typed})")
            yield name
        finally:
            for kind in ("table", "stage"):
                with suppress(EngineError):
                    self.session.execute(f"drop {kind} if exists {name}")

    def _put(self, file: Path, stage: str) -> None:
        self._run(f"put 'file://{file.as_posix()}' @{stage} auto_compress = false overwrite = true")

    def _replace(self, relation: str, source: str, casts: Mapping[str, str]) -> None:
        columns = ", ".join(f"{cast} as {_q(column)}" for column, cast in casts.items())
        with self.replacer.replacing(relation, "table") as into:
            self.session.execute(f"{create_head('table', into, self.dialect)} as select {columns} from {source}")

    def _run(self, sql: str) -> None:
        with self.session.ran(sql):
            pass


def _rewritten(seed: Seed, columns: Sequence[Column], found: Iterable[tuple[int, list[str]]], into: Path) -> int:
    """Write the records for Snowflake, let each column see its values, and return how many records there are."""
    rows = 0
    with gzip.open(into, "wt", encoding="utf-8", newline="", compresslevel=1) as out:
        for line, record in found:
            values = zip(columns, record, strict=True)
            out.write(",".join([_written(seed, line, column, value) for column, value in values]) + "\n")
            rows += 1
    return rows


def _written(seed: Seed, line: int, column: Column, value: str) -> str:
    if value == seed.options.null:
        return ""
    if len(value) > _LONGEST_VALUE:
        message = "A value that begins about here is longer than the 16 MB that Snowflake's text holds."
        raise seed_error(seed, message, line, "Shorten it, or close its quote.")
    if not column.take(value):
        raise wrong_value(seed, line, column.name, value, column.type)
    return '"=' + (value.replace('"', '""') if '"' in value else value) + '"'


def _declared(seed: Seed, columns: Sequence[str]) -> dict[str, Fit]:
    known = "bigint, double, number(18, 2), varchar or date"
    return declared_fits(seed, columns, declared_fit, "Snowflake", known)


def _as_written(name: str) -> str:
    """Return a key of a Parquet record: it has the case that the file gives it."""
    return '"' + name.replace('"', '""') + '"'


def _q(name: str) -> str:
    return quote_name(name, SNOWFLAKE)
