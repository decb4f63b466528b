"""Seeds: CSV by the rules every engine follows, and SQL."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.errors import EngineError, UnsupportedByEngineError
from flowforge_domain.materialize import prepare_statements
from flowforge_domain.model import Seed
from flowforge_domain.relation import same_relation
from flowforge_domain.seed_csv import read_csv
from flowforge_domain.seed_sql import create_seed, seed_query, seed_query_error
from flowforge_domain.seed_text import readable
from flowforge_domain.seed_values import typed_rows
from flowforge_ports.engine import Catalog
from flowforge_ports.seed_files import seed_file
from flowforge_testkit.sqlite.dialect import DIALECT
from flowforge_testkit.sqlite.frames import Connected, replace_table, stored


@dataclass(frozen=True)
class SqliteSeeds:
    """Loads CSV as typed rows and SQL through the session."""

    session: Connected
    catalog: Catalog

    def load(self, seed: Seed, relation: str) -> int:
        """Replace the table with what the file holds."""
        return {"csv": self._csv, "sql": self._sql, "parquet": self._parquet}[seed.kind](seed, relation)

    def _csv(self, seed: Seed, relation: str) -> int:
        found = typed_rows(read_csv(seed, seed_file(seed.path)), {"date", *DIALECT.types}, DIALECT.name)
        rows = ([stored(value) for value in row] for row in found.rows)
        return replace_table(self.session, self.catalog, relation, found.kinds, rows)

    def _sql(self, seed: Seed, relation: str) -> int:
        with readable(seed):
            query = seed_query(seed, seed.path.read_bytes(), relation, DIALECT)
        existing = kinds(self.catalog.relations()).get(same_relation(relation))
        for statement in prepare_statements(relation, "table", existing, DIALECT):
            self.session.execute(statement)
        try:
            return self.session.execute(create_seed(query, relation, DIALECT)) or 0
        except EngineError as error:
            raise seed_query_error(query, error) from error

    def _parquet(self, seed: Seed, relation: str) -> int:
        raise UnsupportedByEngineError(DIALECT.name, Capability.PARQUET_SEEDS.value)
