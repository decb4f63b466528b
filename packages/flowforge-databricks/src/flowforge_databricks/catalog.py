"""What the databases hold, and how a relation takes another's place where no statement replaces it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.session import SparkSqlSession
from flowforge_domain.catalog import CatalogEntry
from flowforge_domain.dialect import RelationKind, quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, relation_parts, same_relation
from flowforge_domain.swap import aside


@dataclass(frozen=True)
class SparkCatalog:
    """The tables and views of every database, asked database by database: Spark has no list of all."""

    session: SparkSqlSession
    database: str

    def relations(self) -> Mapping[str, CatalogEntry]:
        databases = [row[0] for row in self.session.query("show databases").rows]
        return {name: CatalogEntry(kind) for database in databases for name, kind in self._of(database)}

    def columns(self, relation: str) -> Sequence[tuple[str, str]]:
        with translated():
            return self.session.spark.table(quote_relation(relation, SPARK)).dtypes

    def kind(self, relation: str) -> RelationKind | None:
        """Return what a relation is now, None where there is none."""
        name = quote_relation(relation, SPARK)
        with translated():
            # Asked first: an error of Spark costs more than an answer.
            if not self.session.spark.catalog.tableExists(name):
                return None
            found = self.session.spark.catalog.getTable(name)
        return "view" if found.tableType == "VIEW" else "table"

    def _of(self, database: str) -> Iterator[tuple[str, RelationKind]]:
        place = quote_name(database, SPARK)
        here = database.casefold() == self.database.casefold()
        try:
            # Views are among them.
            found = self.session.query(f"show tables in {place}").rows
            views = {row[1] for row in self.session.query(f"show views in {place}").rows} if found else set()
        except EngineError as error:
            # Somebody has dropped the database since it was listed.
            if error.kind is not ErrorKind.MISSING_RELATION:
                raise
            return
        for _, name, temporary, *_ in found:
            if not temporary:
                relation = relation_name(name) if here else relation_name(database, name)
                yield same_relation(relation), "view" if name in views else "table"


@dataclass(frozen=True)
class SparkReplacer:
    """Builds a table beside the one that stands, then drops that and renames: between the two there is none."""

    session: SparkSqlSession
    catalog: SparkCatalog

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        standing = self.catalog.kind(relation)
        if standing is None:
            self._require_schema(relation)
        if standing is None or standing == kind == "view":
            yield relation
            return
        into = aside(relation)
        self._forget(into)
        try:
            yield into
        except BaseException:
            with suppress(EngineError):
                self._forget(into)
            raise
        old, new = (quote_relation(name, SPARK) for name in (relation, into))
        self.session.execute(f"drop {standing} {old}")
        self.session.execute(f"alter {kind} {new} rename to {old}")

    def _forget(self, relation: str) -> None:
        """Drop what a crash left; Spark refuses to drop a view as a table."""
        if kind := self.catalog.kind(relation):
            self.session.execute(f"drop {kind} {quote_relation(relation, SPARK)}")

    def _require_schema(self, relation: str) -> None:
        if schema := relation_parts(relation)[:-1]:
            self.session.execute(f"create database if not exists {quote_relation(relation_name(*schema), SPARK)}")
