"""Seed files: CSV and Parquet, by a load job.

A CSV file is read here, given types, and sent as Parquet; it replaces its table in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowforge_bigquery.catalog import BigQueryReplacer
from flowforge_bigquery.dialect import BIGQUERY
from flowforge_bigquery.frames import store
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.frame_rules import require_columns
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import CsvText, line_of, read_csv, require_all_rows
from flowforge_domain.seed_text import blamed_on_file, no_parquet, require_ascii, seed_error, wrong_value
from flowforge_domain.seed_types import declared_fits
from flowforge_ports.seed_files import seed_file

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
        return {"csv": self._csv, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        import pyarrow as pa

        from flowforge_bigquery.csv_types import found_fits, text_batches

        text = read_csv(seed, seed_file(seed.path))
        require_ascii(seed, text.delimiter, text.quote)
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
        require_all_rows(text, rows)
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
            raise no_parquet(seed, error) from error

    def _store(self, seed: Seed, relation: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        with blamed_on_file(seed, ErrorKind.DATA), self.replacer.replacing(relation, "table") as into:
            return store(self.session, into, schema, batches)


def _typed(text: CsvText, fits: Sequence[Fit], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Give the rows in the types that were chosen; raise `SeedError` for a value that a declared one does not hold."""
    import pyarrow as pa

    from flowforge_bigquery.csv_types import misfit, text_batches

    declared = text.seed.options.column_types
    for batch in text_batches(text):
        for name, fit, column in zip(text.columns, fits, batch.columns, strict=True):
            if name in declared and (value := misfit(column, fit)) is not None:
                raise wrong_value(text.seed, line_of(text, name, value), name, value, declared[name])
        columns = [fit.cast(column) for fit, column in zip(fits, batch.columns, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _declared(seed: Seed, columns: Sequence[str]) -> Mapping[str, Fit]:
    from flowforge_bigquery.csv_types import declared_fit

    known = "int64, float64, numeric(18, 2), string, date, datetime or timestamp"
    return declared_fits(seed, columns, declared_fit, "BigQuery that a seed can have", known)


def _require_names(seed: Seed, columns: Sequence[str]) -> None:
    try:
        require_columns(columns, BIGQUERY)
    except (ConfigError, EngineError) as error:
        raise seed_error(seed, error.message, 1 if seed.kind == "csv" else 0, error.hint) from error
