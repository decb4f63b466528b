"""Proof that a table of Iceberg is what it was: each commit of one, whoever makes it, writes its metadata anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flowforge_databricks.dialect import SPARK, last_metadata
from flowforge_databricks.session import SparkSqlSession
from flowforge_domain.dialect import quote_relation
from flowforge_domain.errors import EngineError
from flowforge_domain.relation import relation_name, relation_parts


@dataclass(frozen=True)
class IcebergVersions:
    """Names the metadata file that stands for each table, with its time: a table made anew begins to count again."""

    session: SparkSqlSession
    database: str

    def versions(self, relations: Collection[str]) -> Mapping[str, str]:
        found = {relation: self._version(relation) for relation in relations}
        return {relation: version for relation, version in found.items() if version}

    def wrote(self, relations: Collection[str] | None, hook: str) -> None:
        """Note nothing: a version is the table's own."""

    def vouch(self) -> None:
        """Note nothing: a version is the table's own."""

    def _version(self, relation: str) -> str:
        """Return a table's version, "" for one of another format: what cannot be proved is built."""
        parts = relation_parts(relation)
        # What a table tells of itself is looked up below its whole name.
        table = relation_name(self.database, *parts) if len(parts) == 1 else relation
        try:
            # A catalog that caches may know the table as it was some seconds ago.
            self.session.execute(f"refresh table {quote_relation(table, SPARK)}")
            ((entries, version),) = self.session.query(last_metadata(table)).rows
        except EngineError:
            return ""
        return f"{entries} {version}" if entries else ""
