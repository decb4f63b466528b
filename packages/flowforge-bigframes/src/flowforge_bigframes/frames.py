"""Python models' frames: BigQuery DataFrames, which compute in BigQuery and bring no rows here.

A model's frame is written as the query that it stands for, `create or replace table … as`: in one step, with the job's
labels, and nothing in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowforge_bigframes.clients import open_session
from flowforge_bigquery.arrow_types import require_no_null_list
from flowforge_bigquery.catalog import BigQueryCatalog, BigQueryReplacer
from flowforge_bigquery.dialect import BIGQUERY
from flowforge_bigquery.errors import translated
from flowforge_bigquery.pandas_frames import arrow_table, pandas_frame
from flowforge_bigquery.session import BigQuerySession
from flowforge_domain.frame_rules import no_frame, require_columns
from flowforge_domain.materialize import create_head
from flowforge_domain.results import Rows
from flowforge_ports.engine import Frame

if TYPE_CHECKING:
    from bigframes.session import Session


@dataclass
class BigFrames:
    """The frames of one session."""

    session: BigQuerySession
    replacer: BigQueryReplacer
    _opened: Any = field(default=None, repr=False)

    @property
    def frames(self) -> Session:
        """The session of BigQuery DataFrames, opened when it is first needed."""
        if self._opened is None:
            with translated():
                self._opened = open_session(self.session)
        opened: Session = self._opened
        return opened

    def read(self, relation: str) -> Frame:
        BigQueryCatalog(self.session).table(relation)
        with translated():
            # Without the cache: a table that was read before may have been replaced since.
            return self.frames.read_gbq(str(self.session.source.table(relation)), use_cache=False)

    def write(self, relation: str, frame: Frame) -> int | None:
        query = self._query(frame)
        with self.replacer.replacing(relation, "table") as into:
            return self.session.execute(f"{create_head('table', into, self.session.dialect)} as {query}")

    def columns(self, frame: Frame) -> Sequence[str]:
        return [str(name) for name in frame.columns]

    def from_rows(self, rows: Rows) -> Frame:
        import pandas as pd

        table = arrow_table(pd.DataFrame(rows.rows, columns=list(rows.columns), dtype=object))
        require_no_null_list(table)
        with translated():
            return self.frames.read_pandas(pandas_frame(table))

    def to_rows(self, frame: Frame) -> Rows:
        with translated():
            table = arrow_table(frame.to_pandas())
        columns = [column.to_pylist() for column in table.columns]
        return Rows(tuple(table.column_names), list(zip(*columns, strict=True)))

    def _query(self, frame: Frame) -> str:
        import bigframes.dataframe

        if not isinstance(frame, bigframes.dataframe.DataFrame):
            hint = "Return a frame made from the model's inputs, or set `use_bigframes: false` to work in pandas."
            raise no_frame(frame, "a BigQuery DataFrame", hint)
        require_columns(self.columns(frame), BIGQUERY)
        with translated():
            return str(frame.sql)
