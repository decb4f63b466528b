"""Load seeds: every file of one command in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from flowforge_app.attempts import Attempts, Patience
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability
from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import ConfigError, UnsupportedByEngineError
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest
from flowforge_domain.materialize import prepare_statements, schema_statements
from flowforge_domain.model import Seed
from flowforge_domain.results import SeedReport, SeedResult
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_seeds
from flowforge_domain.text import Location
from flowforge_ports.engine import Engine, SeedLoader
from flowforge_ports.progress import Progress, SeedStarted

_NEEDS = {"csv": Capability.CSV_SEEDS, "parquet": Capability.PARQUET_SEEDS, "sql": Capability.SQL_SEEDS}


@dataclass(frozen=True)
class LoadSeeds:
    """Loads seed files through the engine's own loader; `claim` is this command's on the target.

    What fails in passing is tried again, as `Manifest.retries` says.
    """

    manifest: Manifest
    engine: Engine
    progress: Progress
    claim: Claim
    patience: Patience = field(default_factory=Patience)

    def __call__(self, wanted: Selection = EVERYTHING) -> SeedReport:
        """Replace the tables of the selected seeds, all or none.

        Raises `SeedError` naming file, row and column; then every table is as it was. Raises
        `UnsupportedByEngineError` before anything is touched.
        """
        started = perf_counter()
        seeds = self._selected(wanted)
        loader = self._loader(seeds)
        attempts = Attempts("seeds", self.manifest.retries, self.progress, self.patience)
        with self.engine.lock.hold(self.claim):
            # Safe to repeat even when the answer to a commit was lost: every table is replaced as a whole.
            results = attempts(lambda: self._load_all(loader, seeds))
        for result in results:
            self.progress(result)
        return SeedReport(results, perf_counter() - started, attempts.again)

    def _load_all(self, loader: SeedLoader, seeds: list[Seed]) -> list[SeedResult]:
        results = []
        with transaction(self.engine.session):
            existing = kinds(self.engine.catalog.relations()) if seeds else {}
            for statement in schema_statements((s.relation for s in seeds), existing, self.engine.dialect):
                self.engine.session.execute(statement)
            for index, seed in enumerate(seeds, start=1):
                self.progress(SeedStarted(seed.name, index, len(seeds)))
                results.append(self._load(loader, seed, existing))
        return results

    def _selected(self, wanted: Selection) -> list[Seed]:
        chosen = select(selectable_seeds(self.manifest), wanted, self.manifest, "seed")
        return [seed for name, seed in sorted(self.manifest.seeds.items()) if name in chosen]

    def _loader(self, seeds: list[Seed]) -> SeedLoader:
        for kind in sorted({seed.kind for seed in seeds}):
            if self.engine.seeds is None or _NEEDS[kind] not in self.engine.capabilities:
                raise UnsupportedByEngineError(self.engine.name, _NEEDS[kind].value)
        return self.engine.seeds  # type: ignore[return-value]

    def _load(self, loader: SeedLoader, seed: Seed, existing: Mapping[str, RelationKind]) -> SeedResult:
        started = perf_counter()
        kind = existing.get(relation_key(seed.relation, self.engine.dialect))
        for statement in prepare_statements(seed.relation, "table", kind, self.engine.dialect):
            self.engine.session.execute(statement)
        try:
            rows = loader.load(seed, seed.relation)
        except ConfigError as error:
            # A name of the header that the engine cannot hold.
            error.where = error.where or Location(seed.file)
            raise
        return SeedResult(seed.name, seed.relation, rows, perf_counter() - started)
