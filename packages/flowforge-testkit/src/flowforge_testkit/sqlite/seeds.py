"""Seeds: CSV by the rules every engine follows."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge_domain.capability import Capability
from flowforge_domain.errors import UnsupportedByEngineError
from flowforge_domain.model import Seed
from flowforge_domain.seed_csv import read_csv
from flowforge_domain.seed_values import typed_rows
from flowforge_ports.engine import Catalog
from flowforge_ports.seed_files import seed_file
from flowforge_testkit.sqlite.dialect import DIALECT
from flowforge_testkit.sqlite.frames import Connected, replace_table, stored


@dataclass(frozen=True)
class SqliteSeeds:
    """Loads CSV as typed rows."""

    session: Connected
    catalog: Catalog

    def load(self, seed: Seed, relation: str) -> int:
        """Replace the table with what the file holds."""
        if seed.kind != "csv":
            raise UnsupportedByEngineError(DIALECT.name, Capability.PARQUET_SEEDS.value)
        found = typed_rows(read_csv(seed, seed_file(seed.path)), {"date", *DIALECT.types}, DIALECT.name)
        rows = ([stored(value) for value in row] for row in found.rows)
        return replace_table(self.session, self.catalog, relation, found.kinds, rows)
