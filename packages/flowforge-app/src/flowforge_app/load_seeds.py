"""Load seeds: every file of one command in one transaction, with the state rows that tell which content was loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter

from flowforge_app.abilities import require_abilities, require_free_schema, with_ports
from flowforge_app.attempts import Attempts, Patience
from flowforge_app.data_versions import data_version
from flowforge_app.load_sql import load_sql
from flowforge_app.notices import before_loading
from flowforge_app.other_targets import require_ours
from flowforge_app.replace import keeping
from flowforge_app.retyped_seeds import retyped
from flowforge_app.target_state import TargetState, held, preparation, read_target
from flowforge_app.transaction import transaction
from flowforge_domain.catalog import kinds
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind
from flowforge_domain.fingerprint import fingerprint
from flowforge_domain.holder import Claim
from flowforge_domain.late_views import Renewals
from flowforge_domain.manifest import Manifest
from flowforge_domain.materialize import prepare_statements
from flowforge_domain.model import Node, Seed
from flowforge_domain.plan import Columns
from flowforge_domain.results import SeedReport, SeedResult
from flowforge_domain.seed_text import seed_error
from flowforge_domain.selection import EVERYTHING, Selection, selected_seeds
from flowforge_domain.state import STATE_TABLE, StateRow, compact_state, insert_states
from flowforge_domain.text import Location
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Notice, Progress, SeedStarted


@dataclass(frozen=True)
class LoadSeeds:
    """Loads files through the engine's own loader, and SQL itself; `claim` is this command's on the target.

    What fails in passing is tried again, as `Manifest.retries` says; `clock` gives the time in UTC.
    """

    manifest: Manifest
    engine: Engine
    progress: Progress
    claim: Claim
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self, wanted: Selection = EVERYTHING) -> SeedReport:
        """Replace the tables of the selected seeds, all or none.

        Raises `SeedError` naming file, row and column; then every table is as it was. Raises what
        `require_able` does before anything is touched.
        """
        seeds = selected_seeds(self.manifest, wanted)
        self.require_able(seeds)
        with held(self.engine, self.claim):
            return self.load(seeds)

    def load(self, seeds: Sequence[Seed], models: Sequence[Node] = ()) -> SeedReport:
        """Replace the tables of these seeds, all or none, while the lock is held; raise as a call does.

        The `models` are built after them: none is loaded where these may not be.
        """
        started = perf_counter()
        self.require_able(seeds)
        attempts = Attempts("seeds", self.manifest.retries, self.progress, self.patience)
        # Safe to repeat even when the answer to a commit was lost: every table is replaced as a whole.
        results, notices = attempts(lambda: self._load_all(seeds, models)) if seeds else ([], [])
        if self.engine.sources:
            self.engine.sources.vouch()
        for notice in notices:
            self.progress(notice)
        for result in results:
            self.progress(result)
        report = SeedReport(results, perf_counter() - started, attempts.again)
        self.progress(report)
        return report

    def require_able(self, seeds: Sequence[Seed]) -> None:
        """Raise `UnsupportedByEngineError` that names those of these seeds which the engine cannot load.

        Raises `ConfigError` for a schema that cannot be.
        """
        require_abilities(seeds, with_ports(self.engine))
        for seed in seeds:
            require_free_schema(seed, self.engine)

    def _load_all(self, seeds: Sequence[Seed], models: Sequence[Node]) -> tuple[list[SeedResult], list[Notice]]:
        """Return the results with what there is to say of them, which holds only once they are committed."""
        results = []
        state = read_target(self.engine)
        require_ours(self.engine, state, [*seeds, *models])
        with transaction(self.engine.session):
            notices = list(before_loading(seeds, self.manifest, state, self.engine.dialect))
            existing = kinds(state.entries)
            for statement in preparation(self.engine, state, (seed.relation for seed in seeds)):
                self.engine.session.execute(statement)
            versions = [data_version(seed, self.engine.dialect) for seed in seeds]
            for index, seed in enumerate(seeds, start=1):
                self.progress(SeedStarted(seed.name, index, len(seeds)))
                before = self._types_before(seed, versions[index - 1], state)
                results.append(self._load(seed, existing))
                if before:
                    now = tuple(self.engine.catalog.columns(seed.relation))
                    notices += map(Notice, retyped(seed, before, now, self.engine.dialect))
            for statement in self._told(self._rows(results, versions), state):
                self.engine.session.execute(statement)
        return results, notices

    def _told(self, rows: Sequence[StateRow], state: TargetState) -> tuple[str, ...]:
        """Return the statements that write state rows, and remove those that they make void."""
        told, run_id = insert_states(rows, self.engine.dialect), self.claim.holder.run
        return told + (compact_state(run_id, self.engine.dialect) if STATE_TABLE in state.entries else ())

    def _rows(self, results: Sequence[SeedResult], versions: Sequence[str]) -> list[StateRow]:
        run_id, finished, entries = self.claim.holder.run, self.clock().isoformat(), self.engine.catalog.relations()
        proved, formats = self._proved(), self.engine.formats()
        return [
            StateRow(
                result.name,
                result.relation,
                run_id,
                _data_version(version, proved.get(result.relation, ""), formats),
                version,
                result.rows,
                finished,
                project=self.manifest.name,
                identity=entries[relation_key(result.relation, self.engine.dialect)].identity,
            )
            for result, version in zip(results, versions, strict=True)
        ]

    def _proved(self) -> Mapping[str, str]:
        """Return the engine's versions of seeds that are sources too, by relation.

        Others may write to such a one: then what is loaded again is other data than what models have read since.
        """
        keys = {relation_key(source.relation, self.engine.dialect) for source in self.manifest.sources.values()}
        named = {
            seed.relation: relation_key(seed.relation, self.engine.dialect) for seed in self.manifest.seeds.values()
        }
        named = {relation: key for relation, key in named.items() if key in keys}
        if not named or self.engine.sources is None:
            return {}
        found = self.engine.sources.versions(set(named.values()))
        return {relation: found[key] for relation, key in named.items() if key in found}

    def _types_before(self, seed: Seed, version: str, state: TargetState) -> Columns:
        """Return the columns that the last content of a CSV file gave, where it is another than now."""
        key = relation_key(seed.relation, self.engine.dialect)
        row, entry = state.rows.get(key), state.entries.get(key)
        if seed.kind != "csv" or row is None or entry is None or entry.kind != "table":
            return ()
        # Of what a model made, `before_loading` tells.
        is_ours = (row.model, row.project) == (seed.name, self.manifest.name) and not row.inputs
        if not is_ours or row.fingerprint == version:
            return ()
        return tuple(self.engine.catalog.columns(seed.relation))

    def _load(self, seed: Seed, existing: Mapping[str, RelationKind]) -> SeedResult:
        started = perf_counter()
        kind = existing.get(relation_key(seed.relation, self.engine.dialect))
        try:
            with keeping(self.engine, seed.relation, existing, Renewals(later=self._is_built)):
                rows = load_sql(seed, kind, self.engine) if seed.kind == "sql" else self._load_file(seed, kind)
        except ConfigError as error:
            # A name of the header that the engine cannot hold.
            error.where = error.where or Location(seed.file)
            raise
        except EngineError as error:
            if error.kind is not ErrorKind.DEPENDENTS:
                raise
            raise seed_error(seed, error.message, hint=error.hint) from error
        return SeedResult(seed.name, seed.relation, rows, perf_counter() - started)

    def _is_built(self, relation: str) -> bool:
        """Tell of what a model builds: the next run does so."""
        key = relation_key(relation, self.engine.dialect)
        return any(relation_key(node.relation, self.engine.dialect) == key for node in self.manifest.nodes.values())

    def _load_file(self, seed: Seed, existing: RelationKind | None) -> int:
        for statement in prepare_statements(seed.relation, "table", existing, self.engine.dialect):
            self.engine.session.execute(statement)
        return self.engine.seeds.load(seed, seed.relation)  # type: ignore[union-attr]


def _data_version(content: str, proved: str, formats: Mapping[str, str]) -> str:
    """Return what changes whenever the rows may: values are cast by the formats of the session."""
    more = [*formats.items(), *([("version", proved)] if proved else ())]
    return fingerprint(content, *(f"{name} {value}" for name, value in more)) if more else content
