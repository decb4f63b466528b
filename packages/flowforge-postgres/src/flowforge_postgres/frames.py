"""Python models' frames: pandas out, and in whatever is a pandas frame, an Arrow table or gives an Arrow stream.

Both ways go by binary COPY on the session's own connection, so that a frame is part of its model's transaction. Arrow
and pandas are imported when a frame is wanted, never for a project of SQL models.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowforge_domain.dialect import quote_name, quote_relation
from flowforge_domain.frame_rules import data_error
from flowforge_domain.results import Rows
from flowforge_ports.engine import Frame
from flowforge_ports.failpoint import failpoint
from flowforge_postgres.catalog import PostgresCatalog, PostgresReplacer
from flowforge_postgres.copy_out import copied
from flowforge_postgres.dialect import POSTGRES
from flowforge_postgres.errors import translated
from flowforge_postgres.pandas_frames import arrow_table, exact_values, pandas_frame
from flowforge_postgres.session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa


@dataclass(frozen=True)
class PostgresFrames:
    """The frames of one session."""

    session: PostgresSession
    replacer: PostgresReplacer

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
        columns = [exact_values(column) for column in table.columns]
        return Rows(tuple(table.column_names), list(zip(*columns, strict=True)))

    def _arrow(self, relation: str) -> pa.Table:
        from flowforge_postgres.arrow_rows import reader

        columns = PostgresCatalog(self.session).columns(relation)
        asked, read, finish = reader(columns)
        query = f"copy (select {asked} from {quote_relation(relation, POSTGRES)}) to stdout (format binary)"
        try:
            with closing(copied(self.session, query)) as parts:
                batches = [read(*part) for part in parts]
            return finish(batches)
        except ValueError as error:
            message = f"{relation} cannot be read as a frame: {str(error).splitlines()[0]}"
            raise data_error(message, "Cast the column in a model.") from error


def store(
    session: PostgresSession,
    into: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    types: Mapping[str, str] | None = None,
) -> int:
    """Create the table `into` and fill it; `types` say where a column is not of the type that Arrow gives it."""
    from flowforge_postgres.arrow_binary import binary_chunks
    from flowforge_postgres.arrow_csv import CSV, csv_chunks
    from flowforge_postgres.arrow_types import stored_type

    kinds = {field.name: (types or {}).get(field.name) or stored_type(field) for field in schema}
    columns = ", ".join(f"{quote_name(name, POSTGRES)} {kind}" for name, kind in kinds.items())
    target = quote_relation(into, POSTGRES)
    session.execute(f"create table {target} ({columns})")
    failpoint("frame")
    form, chunks = "binary", binary_chunks(batches, list(kinds.values()))
    if types or any(kind.endswith("[]") for kind in kinds.values()):
        # The server makes any type of a text. Binary lists tell a number for theirs.
        form, chunks = CSV, csv_chunks(batches)
    statement = f"copy {target} from stdin (format {form})"
    with session.reading() as cursor:
        with translated(), cursor.copy(statement) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount
