"""Run models: build the selected nodes in the order of the graph.

One model is one transaction that also holds its state row: readers see the old relation or the new one, and after a
crash the target itself tells what was built. A failed model keeps its old table, and what depends on it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import perf_counter

from flowforge_app.attempts import Attempts, Patience
from flowforge_app.build_model import BuildModel, Ground
from flowforge_app.model_run import ModelRun
from flowforge_app.parallel import work_through
from flowforge_app.run_hooks import RunHooks
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability, needed_abilities
from flowforge_domain.catalog import kinds
from flowforge_domain.dag import waits_for
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import EngineError, FlowForgeError, UnsupportedByEngineError
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest, require_distinct
from flowforge_domain.materialize import schema_statements
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, RunReport
from flowforge_domain.selection import EVERYTHING, Selection, selected_nodes
from flowforge_domain.state import COLUMNS, STATE_TABLE, compact_state, create_state, insert_states
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress, RunStarted


@dataclass(frozen=True)
class RunModels:
    """Builds models, up to `jobs` at once where the engine has concurrent sessions, each on a session of its own.

    `build` is told the engine it works on; `clock` gives the time in UTC; `claim` is the run's on the target. With
    `full_refresh` incremental models are built from scratch. What fails in passing is tried again, as
    `Manifest.retries` says.
    """

    manifest: Manifest
    engine: Engine
    build: BuildModel
    progress: Progress
    clock: Callable[[], datetime]
    claim: Claim
    jobs: int = 1
    full_refresh: bool = False
    patience: Patience = field(default_factory=Patience)

    def __call__(self, wanted: Selection = EVERYTHING) -> RunReport:
        """Build what is selected and return how each model ended, in the order of the graph.

        A model's own error is in its result, that of a hook after the run in the report. Raises `FlowForgeError` for a
        wrong graph or selection, for a hook before the run, when the target cannot be used at all, and when a statement
        was cancelled. Raises `UnsupportedByEngineError` before anything is touched.
        """
        nodes = [n for n in selected_nodes(self.manifest, wanted) if n.config.materialized != "ephemeral"]
        one_name = partial(relation_key, dialect=self.engine.dialect)
        require_distinct(self.manifest.nodes.values(), self.manifest.seeds.values(), one_name)
        for node in nodes:
            _require_ability(node, self.engine)
        with self.engine.lock.hold(self.claim):
            return self._run(nodes)

    def _run(self, nodes: Sequence[Node]) -> RunReport:
        run_id, started = self.claim.holder.run, perf_counter()
        names = tuple(node.name for node in nodes)
        self.progress(RunStarted(run_id, names, self.engine.name, self.engine.target))
        hooks = RunHooks(self.manifest, self.engine, self.build.compiler, self.build.functions, run_id, names)
        hooks.start()
        built = self._built(nodes, run_id) if nodes else {}
        results = [built[name] for name in names]
        errors = hooks.end(results)
        report = RunReport(run_id, results, perf_counter() - started, errors)
        self.progress(report)
        return report

    def _built(self, nodes: Sequence[Node], run_id: str) -> Mapping[str, ModelResult]:
        existing = kinds(self.engine.catalog.relations())
        self._prepare(nodes, existing)
        chosen = {node.name: node for node in nodes}
        ground = Ground(existing, self.clock().isoformat(), self.full_refresh)
        given = (self.progress, self.clock, self.manifest.retries, self.patience)
        run = ModelRun(run_id, self.manifest.name, chosen, ground, *given)
        # A user's function runs in this thread: one at a time, and Ctrl-C ends it.
        here = {node.name for node in nodes if node.kind == "python"}
        with self._engines(len(nodes)) as engines:
            workers = [run.worker(self.build, engine) for engine in engines]
            try:
                work_through(waits_for(self.manifest.nodes, chosen), workers, here)
            finally:
                self._write(insert_states(run.gathered, self.engine.dialect))
        self._write(compact_state(self.engine.dialect))
        return run.results

    def _write(self, statements: Sequence[str]) -> None:
        def write() -> None:
            with transaction(self.engine.session):
                for statement in statements:
                    self.engine.session.execute(statement)

        if statements:
            Attempts("state", self.manifest.retries, self.progress, self.patience)(write)

    @contextmanager
    def _engines(self, most: int) -> Iterator[list[Engine]]:
        """Give the engine and its forks, as many as may work at once, and close the forks."""
        most = min(self.jobs, most) if Capability.CONCURRENT_SESSIONS in self.engine.capabilities else 1
        with ExitStack() as forks:
            engines = [self.engine]
            for _ in range(most - 1):
                engines.append(self.engine.fork())
                forks.callback(engines[-1].session.close)
            yield engines

    def _prepare(self, nodes: Sequence[Node], existing: Mapping[str, RelationKind]) -> None:
        """Make schemas and the state table before models build side by side, who would get in each other's way."""
        self._require_own_state(existing)
        statements = schema_statements((node.relation for node in nodes), existing, self.engine.dialect)
        if STATE_TABLE not in existing:
            statements += (create_state(self.engine.dialect),)
        self._write(statements)

    def _require_own_state(self, existing: Mapping[str, RelationKind]) -> None:
        if STATE_TABLE in existing:
            found = tuple(name for name, _ in self.engine.catalog.columns(STATE_TABLE))
            if found != COLUMNS:
                raise _foreign_state(found, self.engine.target)


def _require_ability(node: Node, engine: Engine) -> None:
    """Raise `UnsupportedByEngineError` with the model's place when the engine cannot build models of its kind."""
    needed = needed_abilities(node)
    if engine.frames is None and Capability.PYTHON_MODELS in needed:
        missing = [Capability.PYTHON_MODELS]
    else:
        missing = [ability for ability in needed if ability not in engine.capabilities]
    if missing:
        error = UnsupportedByEngineError(engine.name, missing[0].value)
        error.where = node.where()
        raise error


def _foreign_state(columns: Sequence[str], target: str) -> FlowForgeError:
    return EngineError(
        f"The table {STATE_TABLE!r} in {target} was not written by this version of FlowForge.\n"
        f"  It has the columns {', '.join(columns)}\n  instead of {', '.join(COLUMNS)}.",
        hint="Use the version that wrote it, or drop the table: it only tells what was built last.",
    )
