"""Run models: build the selected nodes in the order of the graph.

A model's transaction also holds its state row: readers see the old relation or the new one, and after a crash the
target itself tells what was built. A failed model keeps its old table, and what depends on it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from time import perf_counter

from flowforge_app.abilities import able
from flowforge_app.attempts import Attempts, Patience
from flowforge_app.build_model import BuildModel, Ground
from flowforge_app.check_run import CheckRun
from flowforge_app.commit_models import CommitModels, result_of
from flowforge_app.due_models import Skipping, from_scratch
from flowforge_app.evidence import Evidence
from flowforge_app.forked import forked
from flowforge_app.leftovers import leftover_statements
from flowforge_app.model_run import ModelRun
from flowforge_app.notices import after_building, before_building, guarded
from flowforge_app.other_targets import require_ours
from flowforge_app.parallel import alone, work_through
from flowforge_app.run_hooks import RunHooks
from flowforge_app.target_state import closing, held, preparation, read_target, recognized
from flowforge_app.transaction import run_together
from flowforge_domain.catalog import kinds
from flowforge_domain.dag import waits_for
from flowforge_domain.holder import Claim
from flowforge_domain.manifest import Manifest
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, RunReport, Status
from flowforge_domain.schedule import longest_first
from flowforge_domain.selection import EVERYTHING, Selection, selected_nodes
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Notice, Progress, RunStarted


@dataclass(frozen=True)
class RunModels:
    """Builds models, up to `jobs` at once where the engine has concurrent sessions, each on a session of its own.

    `build` is told the engine it works on; `clock` gives the time in UTC; `claim` is the run's on the target. With
    `full_refresh` incremental models are built from scratch. What fails in passing is tried again, as
    `Manifest.retries` says; what is proved unchanged is left, as `skipping` says. Of what is ready, that comes first on
    which the longest chain waits, by the seconds of the `past`. Nothing is begun after a failure with `fail_fast`, nor
    once `stopped` is set.
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
    skipping: Skipping = field(default_factory=Skipping)
    past: Callable[[], Mapping[str, float]] = dict
    fail_fast: bool = False
    stopped: Event = field(default_factory=Event)

    def __call__(self, wanted: Selection = EVERYTHING) -> RunReport:
        """Build what is selected and return how each model ended, in the order of the graph.

        A model's own error is in its result, that of a hook after the run in the report. Raises `FlowForgeError` for a
        wrong graph or selection, for a hook before the run, when the target cannot be used at all, and when a statement
        was cancelled. Before anything is touched, raises `UnsupportedByEngineError`, and as `require_ours`.
        """
        nodes = able(selected_nodes(self.manifest, wanted), self.manifest, self.engine, self.build.reader.places)
        with held(self.engine, self.claim):
            return self.run(nodes)

    def run(self, nodes: Sequence[Node], tests: CheckRun | None = None) -> RunReport:
        """Build these nodes, given in the order of the graph, while the lock is held; among them run `tests`."""
        run_id, started = self.claim.holder.run, perf_counter()
        names = tuple(node.name for node in nodes)
        self.progress(RunStarted(run_id, names, self.engine.name, self.engine.target))
        hooks = RunHooks(self.build, self.skipping.sql, run_id, names)
        hooks.start(nodes)
        ended = self._results(nodes, run_id, tests) if nodes else {}
        errors = hooks.end(results := [ended[name] for name in names])
        self.progress(report := RunReport(run_id, results, perf_counter() - started, errors))
        return report

    def _results(self, nodes: Sequence[Node], run_id: str, tests: CheckRun | None) -> Mapping[str, ModelResult]:
        state = read_target(self.engine)
        elsewhere = require_ours(self.engine, state, nodes)
        if leftovers := leftover_statements(self.engine, self.manifest, kinds(state.entries)):
            self._write(lambda: leftovers)
            state = read_target(self.engine)
        state, untold = recognized(state, self.manifest, run_id, self.engine.dialect)
        self._write(lambda: untold)
        state = replace(state, elsewhere=elsewhere)
        if self.full_refresh:
            self._tell(guarded(nodes, state, self.engine.dialect))
        evidence = self.skipping.evidence(self.manifest, self.engine, self.build.compiler, self.build.reader, state)
        due = self.skipping.due(nodes, evidence, self.full_refresh)
        self.skipping.texts.keep_stable(evidence.stable.learned)
        unchanged = {node.name: result_of(node, Status.UNCHANGED) for node in nodes if node.name not in due}
        for result in unchanged.values():
            self.progress(result)
        if due:
            self._write(lambda: preparation(self.engine, state, (node.relation for node in due.values())))
            unchanged |= self._built(due, evidence, run_id, tests)
        built = [node for name, node in due.items() if unchanged[name].status is Status.BUILT]
        self._tell(after_building(nodes, built, self.manifest, evidence.versions.target, self.engine))
        return unchanged

    def _built(
        self, due: Mapping[str, Node], evidence: Evidence, run_id: str, tests: CheckRun | None
    ) -> Mapping[str, ModelResult]:
        existing = kinds(evidence.versions.target.entries)
        anew = from_scratch(due, evidence, self.full_refresh)
        self._tell(before_building(due, anew, evidence, self.engine))
        waits = waits_for(self.manifest.nodes, due)
        agenda: Mapping[str, Set[str]] = waits if tests is None else tests.agenda(waits)
        if self.jobs > 1 and len(agenda) > self.jobs:
            agenda = longest_first(agenda, self.past())
        ground = Ground(existing, self.clock().isoformat(), anew, due)
        commits = CommitModels(run_id, evidence, ground, self.clock, self.manifest.retries, self.patience, self.stopped)
        run = ModelRun(commits, due, agenda, self.progress, tests, self.fail_fast)
        together = run.is_light if self.engine.dialect.shares_transactions else alone
        # A user's function runs in this thread, one at a time; Ctrl-C ends it.
        here = {name for name, node in due.items() if node.kind == "python"}
        with forked(self.engine, min(self.jobs, len(agenda))) as engines:
            workers = [run.worker(self.build, engine) for engine in engines]
            try:
                work_through(agenda, workers, here, together)
            finally:
                self._write(commits.untold)
        self._write(lambda: closing(self.engine, run_id, commits.rows, evidence.versions.target))
        built = [node for name, node in due.items() if run.results[name].status is Status.BUILT]
        self.skipping.texts.keep({node.name: evidence.definitions.text(node) for node in built})
        return run.results

    def _tell(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.progress(notice)

    def _write(self, told: Callable[[], Sequence[str]]) -> None:
        """Run statements in a transaction; what they are is asked again where that failed in passing."""
        attempts = Attempts("state", self.manifest.retries, self.progress, self.patience)
        attempts(lambda: run_together(told(), self.engine.session))
