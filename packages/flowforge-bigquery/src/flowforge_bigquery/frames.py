"""Python models' frames: pandas out, and in whatever is a pandas frame, an Arrow table or gives an Arrow stream.

Read by the Storage Read API, written as Parquet by a load job that replaces the table in one step. pandas is imported
when a frame is wanted, never for a project of SQL models.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.cloud import bigquery

from flowforge_bigquery.catalog import BigQueryCatalog, BigQueryReplacer
from flowforge_bigquery.errors import translated
from flowforge_bigquery.pandas_frames import arrow_table, pandas_frame
from flowforge_bigquery.session import BigQuerySession, of_any_job
from flowforge_domain.dialect import quote_relation
from flowforge_domain.results import Rows
from flowforge_ports.engine import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


@dataclass(frozen=True)
class BigQueryFrames:
    """The frames of one session."""

    session: BigQuerySession
    replacer: BigQueryReplacer

    def read(self, relation: str) -> Frame:
        return pandas_frame(self._arrow(relation))

    def write(self, relation: str, frame: Frame) -> int | None:
        table = arrow_table(frame)
        with self.replacer.replacing(relation, "table") as into:
            return store(self.session, into, table.schema, table.to_batches())

    def columns(self, frame: Frame) -> Sequence[str]:
        return [str(name) for name in getattr(frame, "column_names", frame.columns)]

    def from_rows(self, rows: Rows) -> Frame:
        import pandas as pd

        return pandas_frame(arrow_table(pd.DataFrame(rows.rows, columns=list(rows.columns), dtype=object)))

    def to_rows(self, frame: Frame) -> Rows:
        table = arrow_table(frame)
        columns = [column.to_pylist() for column in table.columns]
        return Rows(tuple(table.column_names), list(zip(*columns, strict=True)))

    def _arrow(self, relation: str) -> pa.Table:
        source = self.session.source
        table = BigQueryCatalog(self.session).table(relation)
        if table.table_type != "TABLE":
            with self.session.job(f"select * from {quote_relation(relation, self.session.dialect)}") as (_, found):
                return found.to_arrow(bqstorage_client=source.storage, create_bqstorage_client=False)
        with translated():
            found = self.session.client.list_rows(table, **source.request)
            return found.to_arrow(bqstorage_client=source.storage, create_bqstorage_client=False)


def store(session: BigQuerySession, into: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Give the table `into` these rows and no others, by one load job."""
    import pyarrow as pa
    from pyarrow import parquet

    from flowforge_bigquery.arrow_types import storable, stored

    columns = [stored(field) for field in schema]
    brought = pa.schema([field for _, field in columns])
    with tempfile.TemporaryFile() as file:
        with parquet.ParquetWriter(file, brought, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(storable(batch, brought))
        file.seek(0)
        with translated():
            config = of_any_job(_load_config([column for column, _ in columns]), session)
            job = session.client.load_table_from_file(
                file, session.source.table(into), job_config=config, timeout=session.source.settings.request_timeout
            )
            session.finished(job)
            return int(job.output_rows or 0)


def _load_config(schema: list[bigquery.SchemaField]) -> bigquery.LoadJobConfig:
    options = bigquery.format_options.ParquetOptions()
    options.enable_list_inference = True
    config = bigquery.LoadJobConfig(
        schema=schema,
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        # Names beyond letters, digits and underscores.
        column_name_character_map="V2",
    )
    config.parquet_options = options
    return config
