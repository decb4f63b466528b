"""Seed files: put into a stage of their own, copied from there by Snowflake, and then made the table in one statement.

Readers see the old table until the new one is whole.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flowforge_domain.dialect import Dialect, quote_name
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.materialize import create_head
from flowforge_domain.model import Seed
from flowforge_domain.seed_text import readable, seed_error
from flowforge_domain.seed_types import declared_fits
from flowforge_snowflake.catalog import SnowflakeReplacer
from flowforge_snowflake.csv_text import Column, CsvText
from flowforge_snowflake.dialect import SNOWFLAKE
from flowforge_snowflake.parquet import parquet_columns
from flowforge_snowflake.session import SnowflakeSession
from flowforge_snowflake.types import Fit, declared_fit

_CSV = "(type = csv field_optionally_enclosed_by = '\"' escape_unenclosed_field = none compression = gzip)"
_PARQUET = "(type = parquet)"


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
        text = CsvText(seed)
        names = text.header()
        declared = _declared(seed, names)
        columns = [Column(name, declared.get(name)) for name in names]
        with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
            file = Path(folder) / "seed.csv.gz"
            rows = text.rewritten(columns, file)
            # Each value stands behind a sign, see there.
            casts = {c.name: f"cast(substr({_q(c.name)}, 2) as {c.type})" for c in columns}
            with self._aside(dict.fromkeys(names, "varchar")) as name, _refused_as(seed):
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
            with self._aside(columns) as name, _refused_as(seed):
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


@contextmanager
def _refused_as(seed: Seed) -> Iterator[None]:
    """Say of what Snowflake makes of the file's content which file it is; let pass what is wrong otherwise."""
    try:
        yield
    except EngineError as error:
        if error.kind not in {ErrorKind.DATA, ErrorKind.UNKNOWN, ErrorKind.SYNTAX}:
            raise
        raise seed_error(seed, error.message[:300], hint="Correct the file, or load it as SQL.") from error


def _declared(seed: Seed, columns: Sequence[str]) -> dict[str, Fit]:
    known = "bigint, double, number(18, 2), varchar or date"
    return declared_fits(seed, columns, declared_fit, "Snowflake", known)


def _as_written(name: str) -> str:
    """Return a key of a Parquet record: it has the case that the file gives it."""
    return '"' + name.replace('"', '""') + '"'


def _q(name: str) -> str:
    return quote_name(name, SNOWFLAKE)
