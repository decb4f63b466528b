"""Run models: build the selected nodes in the order of the graph.

One model is one transaction that also holds its state row: readers see the old relation or the new one, and after a
crash the target itself tells what was built. A failed model keeps its old table, and what depends on it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from uuid import uuid4

from flowforge_app.build_model import BuildModel
from flowforge_app.cancelled import was_cancelled
from flowforge_app.transaction import transaction
from flowforge_domain.dag import upstream
from flowforge_domain.dialect import RelationKind
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.manifest import Manifest, run_order
from flowforge_domain.model import Node
from flowforge_domain.relation import same_relation
from flowforge_domain.results import ModelResult, RunReport, Status
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_nodes
from flowforge_domain.state import StateRow, compact_state, create_state, insert_state
from flowforge_ports.engine import Engine
from flowforge_ports.progress import ModelStarted, Progress, RunStarted


@dataclass(frozen=True)
class RunModels:
    """Builds models one after the other on one session.

    `clock` gives the time in UTC; `lock_timeout` is in seconds.
    """

    manifest: Manifest
    engine: Engine
    build: BuildModel
    progress: Progress
    clock: Callable[[], datetime]
    lock_timeout: float = 10.0

    def __call__(self, wanted: Selection = EVERYTHING) -> RunReport:
        """Build what is selected and return how each model ended, in the order they ran.

        A model's own error is in its result. Raises `FlowForgeError` for a wrong graph or selection, when the target
        cannot be used at all, and when a statement was cancelled.
        """
        nodes = self.manifest.nodes
        order = run_order(self.manifest)
        chosen = select(selectable_nodes(nodes), wanted, nodes)
        with self.engine.lock.hold(self.lock_timeout):
            return self._run([nodes[name] for name in order if name in chosen])

    def _run(self, nodes: Sequence[Node]) -> RunReport:
        run_id, started = uuid4().hex, perf_counter()
        self.progress(RunStarted(run_id, tuple(node.name for node in nodes), self.engine.name, self.engine.target))
        if nodes:
            self._prepare_state()
        existing = dict(self.engine.catalog.relations()) if nodes else {}
        results: dict[str, ModelResult] = {}
        for index, node in enumerate(nodes, start=1):
            self.progress(ModelStarted(node.name, index, len(nodes)))
            results[node.name] = self._skipped(node, results) or self._built(node, existing, run_id)
            self.progress(results[node.name])
        if nodes:
            self._compact_state()
        report = RunReport(run_id, list(results.values()), perf_counter() - started)
        self.progress(report)
        return report

    def _skipped(self, node: Node, results: dict[str, ModelResult]) -> ModelResult | None:
        """Return the result of a node that depends on one that failed, or None."""
        causes = [d for d in node.deps if d in results and results[d].status is not Status.BUILT]
        if not causes:
            return None
        above = upstream(self.manifest.nodes, causes)
        failed = [name for name, result in results.items() if name in above and result.status is Status.FAILED]
        return _result(node, Status.SKIPPED, reason=f"{', '.join(failed)} failed")

    def _built(self, node: Node, existing: dict[str, RelationKind], run_id: str) -> ModelResult:
        started = perf_counter()
        try:
            with transaction(self.engine.session):
                built = self.build(node, existing)
                finished = self.clock().isoformat()
                row = StateRow(
                    node.name, node.relation, run_id, uuid4().hex, built.fingerprint, _known(built.rows), finished
                )
                self.engine.session.execute(insert_state(row, self.engine.dialect))
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            return replace(_result(node, Status.FAILED), seconds=perf_counter() - started, error=error)
        existing[same_relation(node.relation)] = node.config.materialized
        return replace(_result(node, Status.BUILT), seconds=perf_counter() - started, rows=built.rows)

    def _prepare_state(self) -> None:
        with transaction(self.engine.session):
            self.engine.session.execute(create_state(self.engine.dialect))

    def _compact_state(self) -> None:
        with transaction(self.engine.session):
            self.engine.session.execute(compact_state(self.engine.dialect))


def _result(node: Node, status: Status, reason: str = "") -> ModelResult:
    return ModelResult(node.name, node.relation, node.config.materialized, status, reason=reason)


def _known(rows: int | None) -> int:
    return -1 if rows is None else rows
