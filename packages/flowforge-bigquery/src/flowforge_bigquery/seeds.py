"""Seed files: CSV and Parquet by a load job, SQL as it is.

A CSV file is read here, given types, and sent as Parquet; it replaces its table in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowforge_bigquery.catalog import BigQueryReplacer
from flowforge_bigquery.csv_text import CsvText, line_of_value, read_csv, seed_error
from flowforge_bigquery.dialect import BIGQUERY
from flowforge_bigquery.frames import store
from flowforge_bigquery.pandas_frames import require_columns
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.ddl import Target, find_target, is_blank, one_statement
from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind, SeedError, TemplateError
from flowforge_domain.materialize import built_as
from flowforge_domain.model import Seed
from flowforge_domain.relation import relation_parts, same_relation
from flowforge_domain.text import Location, caret, did_you_mean, line_of

if TYPE_CHECKING:
    import pyarrow as pa

    from flowforge_bigquery.csv_types import Fit

_BATCH = 1 << 14


@dataclass(frozen=True)
class BigQuerySeeds:
    """Loads seeds through one session."""

    session: BigQuerySession
    replacer: BigQueryReplacer

    def load(self, seed: Seed, relation: str) -> int:
        if not seed.path.is_file():
            raise seed_error(seed, "The seed's file does not exist.", hint=f"Put it at {seed.path}.")
        loaders = {"csv": self._csv, "parquet": self._parquet, "sql": self._sql}
        return loaders[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        import pyarrow as pa

        from flowforge_bigquery.csv_types import found_fits, text_batches

        text = read_csv(seed)
        _require_names(seed, text.columns)
        declared = _declared(seed, text.columns)
        try:
            found = found_fits(text_batches(text), len(text.columns))
            fits = [declared.get(name, fit) for name, fit in zip(text.columns, found, strict=True)]
            schema = pa.schema([pa.field(name, fit.type) for name, fit in zip(text.columns, fits, strict=True)])
            rows = self._store(seed, relation, schema, _typed(text, fits, schema))
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0]
            raise seed_error(seed, f"The file cannot be read: {reason}", hint="Quote its values.") from error
        if rows != text.rows:
            raise seed_error(seed, f"{text.rows} rows were sent, {rows} arrived.", hint="Quote its values.")
        return rows

    def _parquet(self, seed: Seed, relation: str) -> int:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(seed.path) as file:
                names = file.schema_arrow.names
                _require_names(seed, names)
                declared = _declared(seed, names)
                schema = pa.schema(
                    [f.with_type(declared[f.name].type) if f.name in declared else f for f in file.schema_arrow]
                )
                return self._store(seed, relation, schema, file.iter_batches(_BATCH))
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise seed_error(seed, f"The file is no Parquet: {reason}", hint="Write it again.") from error

    def _store(self, seed: Seed, relation: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        try:
            with self.replacer.replacing(relation, "table") as into:
                return store(self.session, into, schema, batches)
        except EngineError as error:
            if error.kind is not ErrorKind.DATA:
                raise
            hint = error.hint or "Correct the file, or load it as SQL."
            raise seed_error(seed, error.message[:300], hint=hint) from error

    def _sql(self, seed: Seed, relation: str) -> int:
        sql, target = _query(seed, relation)
        head = f"create or replace table {quote_relation(relation, BIGQUERY)}"
        statement = f"{sql[: target.start]}{head}{sql[target.end :]}" if target else f"{head} as\n{sql}"
        try:
            with self.replacer.replacing(relation, "table") as into:
                return int(self.session.execute(built_as(statement, into, BIGQUERY)) or 0)
        except EngineError as error:
            raise _sql_error(seed, sql, target, error) from error


def _typed(text: CsvText, fits: Sequence[Fit], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Give the rows in the types that were chosen; raise `SeedError` for a value that a declared one does not hold."""
    import pyarrow as pa

    from flowforge_bigquery.csv_types import misfit, text_batches

    declared = text.seed.options.column_types
    for batch in text_batches(text):
        for name, fit, column in zip(text.columns, fits, batch.columns, strict=True):
            if name in declared and (value := misfit(column, fit)) is not None:
                raise _wrong_cell(text, name, value, declared[name])
        columns = [fit.cast(column) for fit, column in zip(fits, batch.columns, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _declared(seed: Seed, columns: Sequence[str]) -> Mapping[str, Fit]:
    from flowforge_bigquery.csv_types import declared_fit

    declared: dict[str, Fit] = {}
    for column, wanted in seed.options.column_types.items():
        if column not in columns:
            message = f"`column_types` names the column {column!r}, which the file lacks."
            raise seed_error(seed, message, hint=did_you_mean(column, columns))
        fit = declared_fit(wanted)
        if fit is None:
            message = f"{wanted!r}, declared for column {column!r}, is no type of BigQuery that a seed can have."
            hint = "Use one like int64, float64, numeric(18, 2), string, date, datetime or timestamp."
            raise seed_error(seed, message, hint=hint)
        declared[column] = fit
    return declared


def _require_names(seed: Seed, columns: Sequence[str]) -> None:
    try:
        require_columns(columns)
    except (ConfigError, EngineError) as error:
        raise seed_error(seed, error.message, 1 if seed.kind == "csv" else 0, error.hint) from error


def _query(seed: Seed, relation: str) -> tuple[str, Target | None]:
    """Return the statement of a SQL seed and, where it is a `create`, its head."""
    try:
        sql = one_statement(seed.path.read_text("utf-8-sig"), seed.file, BIGQUERY)
        target = find_target(sql, seed.file, BIGQUERY)
    except TemplateError as error:
        raise SeedError(error.message, where=error.where, hint=error.hint, snippet=error.snippet) from error
    except UnicodeDecodeError as error:
        raise seed_error(seed, "The file is not UTF-8 text.", hint="Save it as UTF-8.") from error
    if is_blank(sql):
        raise seed_error(seed, "The file holds no SQL.", hint="Write one select.")
    if target and (target.kind != "table" or not _same_table(target.relation, relation)):
        line = line_of(sql, target.start)
        message = f"The seed creates the {target.kind} {target.relation}, but it is loaded as table {relation}."
        raise seed_error(seed, message, line, "Name it after its file, or write only the select.")
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


def _wrong_cell(text: CsvText, column: str, value: str, kind: str) -> SeedError:
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    line = line_of_value(text, text.columns.index(column), value)
    hint = "Correct the value, or declare another type under `column_types`."
    return seed_error(text.seed, f"Column {column!r} holds {shown!r}, which is no {kind}.", line, hint)
