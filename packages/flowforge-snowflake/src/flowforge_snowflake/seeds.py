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

from flowforge_domain.ddl import Target, find_target, is_blank, one_statement
from flowforge_domain.dialect import Dialect, quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind, SeedError, TemplateError
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location, caret, did_you_mean, line_of
from flowforge_snowflake.catalog import SnowflakeReplacer
from flowforge_snowflake.csv_text import Column, header, readable, rewritten, seed_error
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
        if not seed.path.is_file():
            raise seed_error(seed, "The seed's file does not exist.", hint=f"Put it at {seed.path}.")
        loaders = {"csv": self._csv, "parquet": self._parquet, "sql": self._sql}
        with readable(seed):
            return loaders[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        names = header(seed)
        declared = _declared(seed, names)
        columns = [Column(name, declared.get(name)) for name in names]
        with tempfile.TemporaryDirectory(prefix="flowforge-") as folder:
            file = Path(folder) / "seed.csv.gz"
            rows = rewritten(seed, columns, file)
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

    def _sql(self, seed: Seed, relation: str) -> int:
        sql, target = _query(seed, relation, self.dialect)
        try:
            with self.replacer.replacing(relation, "table") as into:
                head = self._head(into)
                statement = f"{sql[: target.start]}{head}{sql[target.end :]}" if target else f"{head} as\n{sql}"
                self.session.execute(statement)
        except EngineError as error:
            raise _sql_error(seed, sql, target, error) from error
        counted = self.session.query(f"select count(*) from {quote_relation(relation, self.dialect)}")
        return int(counted.rows[0][0])

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
            self.session.execute(f"{self._head(into)} as select {columns} from {source}")

    def _head(self, relation: str) -> str:
        return f"create or replace table {quote_relation(relation, self.dialect)}{self.dialect.after_name}"

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
    declared: dict[str, Fit] = {}
    for column, wanted in seed.options.column_types.items():
        if column not in columns:
            message = f"`column_types` names the column {column!r}, which the file lacks."
            raise seed_error(seed, message, hint=did_you_mean(column, columns))
        fit = declared_fit(wanted)
        if fit is None:
            message = f"{wanted!r}, declared for column {column!r}, is no type of Snowflake."
            raise seed_error(seed, message, hint="Use one like bigint, double, number(18, 2), varchar or date.")
        declared[column] = fit
    return declared


def _query(seed: Seed, relation: str, dialect: Dialect) -> tuple[str, Target | None]:
    """Return the statement of a SQL seed and, where it is a `create`, its head."""
    try:
        sql = one_statement(seed.path.read_text("utf-8-sig"), seed.file, dialect)
        target = find_target(sql, seed.file, dialect)
    except TemplateError as error:
        raise SeedError(error.message, where=error.where, hint=error.hint, snippet=error.snippet) from error
    except UnicodeDecodeError as error:
        raise seed_error(seed, "The file is not UTF-8 text.", hint="Save it as UTF-8.") from error
    if is_blank(sql):
        raise seed_error(seed, "The file holds no SQL.", hint="Write one select.")
    if target and (target.kind != "table" or not _same_table(target.relation, relation)):
        message = f"The seed creates the {target.kind} {target.relation}, but it is loaded as table {relation}."
        raise seed_error(seed, message, line_of(sql, target.start), "Name it after its file, or write only the select.")
    return sql, target


def _same_table(written: str, relation: str) -> bool:
    return same_relation(relation_parts(written)[-1]) == same_relation(relation_parts(relation)[-1])


def _sql_error(seed: Seed, sql: str, target: Target | None, error: EngineError) -> SeedError:
    """Point into the file: the head that was put before or into its text moved lines or columns."""
    line, column = error.line, error.column
    if target is None:
        line = max(line - 1, 0)
    elif line == line_of(sql, target.end):
        column = 0
    where = Location(seed.file or str(seed.path), line)
    return SeedError(error.message, where=where, hint=error.hint, snippet=caret(sql, line, column))


def _as_written(name: str) -> str:
    """Return a key of a Parquet record: it has the case that the file gives it."""
    return '"' + name.replace('"', '""') + '"'


def _q(name: str) -> str:
    return quote_name(name, SNOWFLAKE)
