"""What the databases hold, and how a relation takes another's place where no statement replaces it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from flowforge_databricks.dialect import SPARK
from flowforge_databricks.errors import translated
from flowforge_databricks.session import SparkSqlSession
from flowforge_domain.catalog import CatalogEntry, kinds, listed
from flowforge_domain.dialect import Dialect, RelationKind, quote_name, quote_relation
from flowforge_domain.errors import EngineError, ErrorKind
from flowforge_domain.relation import relation_name, relation_parts, same_relation
from flowforge_domain.swap import aside, built_beside


@dataclass(frozen=True)
class SparkCatalog:
    """The tables and views of every database, asked database by database: Spark has no list of all.

    `mixed` is whether a list of tables holds the views too, as that of Spark's own catalog does, and not Iceberg's;
    `known` is what the last list said, and what was built since.
    """

    session: SparkSqlSession
    database: str
    mixed: bool = False
    known: dict[str, RelationKind] = field(default_factory=dict)

    def relations(self) -> Mapping[str, CatalogEntry]:
        databases = [row[0] for row in self.session.query("show databases").rows]
        found = listed(row for database in databases for row in self._of(database))
        self.known.clear()
        self.known.update(kinds(found))
        return found

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

    def last_listed(self, relation: str) -> RelationKind | None:
        """Return what a relation was when it was last listed: other catalogs than Spark's own tell no kind of one."""
        return self.known.get(same_relation(relation))

    def _of(self, database: str) -> Iterator[tuple[str, str, RelationKind, bool]]:
        place = quote_name(database, SPARK)
        here = database.casefold() == self.database.casefold()
        try:
            tables = self.session.query(f"show tables in {place}").rows
            views = self.session.query(f"show views in {place}").rows if tables or not self.mixed else []
        except EngineError as error:
            # Somebody has dropped the database since it was listed.
            if error.kind is not ErrorKind.MISSING_RELATION:
                raise
            return
        lasting: dict[str, RelationKind] = {row[1]: "table" for row in tables if not row[2]}
        lasting |= {row[1]: "view" for row in views if not row[2]}
        for name, kind in lasting.items():
            yield database, name, kind, here


@dataclass(frozen=True)
class SparkReplacer:
    """Lets `create or replace` replace where it can; else builds beside what stands, drops that and renames.

    Between drop and rename there is neither: for tables of parquet always, else where a view takes a table's place or a
    table a view's. `standing` tells what a relation is now.
    """

    catalog: SparkCatalog
    dialect: Dialect
    standing: Callable[[str], RelationKind | None]

    @contextmanager
    def replacing(self, relation: str, kind: RelationKind) -> Iterator[str]:
        standing = self.standing(relation)
        if standing is None:
            self._require_schema(relation)
        if standing is None or (standing == kind and kind in self.dialect.replaces):
            yield relation
        else:
            # By its kind: Spark refuses to drop a view as a table.
            left = self.standing(aside(relation))
            with built_beside(relation, (standing, kind), left, self.catalog.session.execute, self.dialect) as into:
                yield into
        self.catalog.known[same_relation(relation)] = kind

    def _require_schema(self, relation: str) -> None:
        if schema := relation_parts(relation)[:-1]:
            name = quote_relation(relation_name(*schema), self.dialect)
            self.catalog.session.execute(f"create database if not exists {name}")
