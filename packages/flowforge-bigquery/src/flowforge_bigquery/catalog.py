"""What the project holds, and how one relation takes the place of another of a different kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.api_core.exceptions import NotFound

from flowforge_bigquery.errors import translated
from flowforge_bigquery.session import BigQuerySession, put
from flowforge_domain.catalog import CatalogEntry, listed_by_case
from flowforge_domain.dialect import RelationKind, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.swap import aside
from flowforge_ports.lease import LEASE_TABLE

if TYPE_CHECKING:
    from google.cloud import bigquery

_AT_ONCE = 8
# What `drop` calls a type of tables, where the API has another word.
_DROPPED = {"MATERIALIZED_VIEW": "materialized view", "EXTERNAL": "external table", "SNAPSHOT": "snapshot table"}
# The API's names of types are those of its first SQL.
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}


@dataclass(frozen=True)
class BigQueryCatalog:
    """The tables and views of the project's datasets, as the API lists them: no query, nothing to pay."""

    session: BigQuerySession

    def relations(self) -> Mapping[str, CatalogEntry]:
        client = self.session.client
        with translated(), ThreadPoolExecutor(_AT_ONCE) as pool:
            datasets = [item.dataset_id for item in client.list_datasets(**self.session.source.request)]
            return listed_by_case(row for rows in pool.map(self._tables, datasets) for row in rows)

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        return [(field.name, type_of(field)) for field in self.table(relation).schema]

    def table(self, relation: str) -> bigquery.Table:
        """Return a relation as the API describes it; raise `EngineError` of kind MISSING_RELATION."""
        with translated():
            client = self.session.client
            return client.get_table(self.session.source.table(relation), **self.session.source.request)

    def _tables(self, dataset: str) -> list[tuple[str, str, RelationKind, bool]]:
        here = dataset == self.session.source.settings.dataset
        try:
            with translated():
                found = list(self.session.client.list_tables(dataset, **self.session.source.request))
        except EngineError as error:
            # Dropped since it was listed, or kept from us by others, and so no part of the target.
            if error.kind is ErrorKind.MISSING_RELATION or (not here and error.kind is ErrorKind.PERMISSION):
                return []
            raise
        tables = ((item.table_id, _kind(item.table_type)) for item in found)
        return [(dataset, name, kind, here) for name, kind in tables if name != LEASE_TABLE]


@dataclass(frozen=True)
class BigQueryReplacer:
    """Lets `create or replace` replace where it can: a table by a table, a view by a view.

    Between kinds, what is new is built beside the old and copied to its name after that was dropped: a failed build
    leaves the old one, but for the moment of the copy there is neither.
    """

    session: BigQuerySession

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        self.session.source.require_schema(relation)
        standing = self._standing(relation)
        if standing is None or _kind(standing) == kind:
            yield relation
            return
        into = aside(relation)
        # What a crash left; BigQuery replaces no table by a view.
        if left := self._standing(into):
            self._drop(into, left)
        try:
            yield into
            self._move(into, relation, standing)
        finally:
            self._drop(into, kind.upper())

    def _standing(self, relation: str) -> str | None:
        """Return which type of table, in the API's words, a relation is now, None where there is none."""
        source = self.session.source
        with translated():
            try:
                return str(self.session.client.get_table(source.table(relation), **source.request).table_type)
            except NotFound:
                return None

    def _move(self, into: str, relation: str, standing: str) -> None:
        client, source = self.session.client, self.session.source
        with translated():
            new = client.get_table(source.table(into), **source.request)
            self._drop(relation, standing)
            if _kind(new.table_type) == "view":
                self.session.execute(f"create view {self._named(relation)} as {new.view_query}")
            else:
                put(self.session, into, relation)

    def _drop(self, relation: str, table_type: str) -> None:
        self.session.execute(f"drop {_DROPPED.get(table_type, table_type)} if exists {self._named(relation)}")

    def _named(self, relation: str) -> str:
        return quote_relation(relation, self.session.dialect)


def type_of(field: bigquery.SchemaField) -> str:
    """Return a column's type as SQL writes it."""
    kind = _TYPES.get(field.field_type, field.field_type)
    if kind == "STRUCT":
        kind = f"STRUCT<{', '.join(f'{inner.name} {type_of(inner)}' for inner in field.fields)}>"
    elif field.precision:
        kind = f"{kind}({field.precision}, {field.scale or 0})"
    elif field.max_length:
        kind = f"{kind}({field.max_length})"
    return f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind


def _kind(table_type: str) -> RelationKind:
    return "view" if table_type in {"VIEW", "MATERIALIZED_VIEW"} else "table"
