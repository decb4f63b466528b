"""Run models: build the selected nodes in the order of the graph.

One model is one transaction that also holds its state row: readers see the old relation or the new one, and after a
crash the target itself tells what was built. A failed model keeps its old table, and what depends on it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from uuid import uuid4

from flowforge_app.build_model import BuildModel
from flowforge_app.cancelled import was_cancelled
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability
from flowforge_domain.dag import upstream
from flowforge_domain.dialect import RelationKind, relation_key
from flowforge_domain.errors import EngineError, FlowForgeError, UnsupportedByEngineError
from flowforge_domain.manifest import Manifest, require_distinct, run_order
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, RunReport, Status
from flowforge_domain.selection import EVERYTHING, Selection, select, selectable_nodes
from flowforge_domain.state import COLUMNS, STATE_TABLE, StateRow, compact_state, create_state, insert_state
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
        cannot be used at all, and when a statement was cancelled. Raises `UnsupportedByEngineError` before anything is
        touched.
        """
        nodes = self.manifest.nodes
        order = run_order(self.manifest)
        require_distinct(
            nodes.values(), self.manifest.seeds.values(), partial(relation_key, dialect=self.engine.dialect)
        )
        chosen = select(selectable_nodes(nodes), wanted, nodes)
        wanted_nodes = [nodes[name] for name in order if name in chosen]
        for node in wanted_nodes:
            _require_ability(node, self.engine)
        with self.engine.lock.hold(self.lock_timeout):
            return self._run(wanted_nodes)

    def _run(self, nodes: Sequence[Node]) -> RunReport:
        run_id, started = uuid4().hex, perf_counter()
        self.progress(RunStarted(run_id, tuple(node.name for node in nodes), self.engine.name, self.engine.target))
        existing = dict(self.engine.catalog.relations()) if nodes else {}
        if nodes:
            self._prepare_state(existing)
        results: dict[str, ModelResult] = {}
        for index, node in enumerate(nodes, start=1):
            result = self._skipped(node, results)
            if result is None:
                self.progress(ModelStarted(node.name, index, len(nodes)))
                result = self._built(node, existing, run_id)
            results[node.name] = result
            self.progress(result)
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
        existing[relation_key(node.relation, self.engine.dialect)] = node.config.materialized
        return replace(_result(node, Status.BUILT), seconds=perf_counter() - started, rows=built.rows)

    def _prepare_state(self, existing: Mapping[str, RelationKind]) -> None:
        if STATE_TABLE in existing:
            found = tuple(name for name, _ in self.engine.catalog.columns(STATE_TABLE))
            if found != COLUMNS:
                raise _foreign_state(found, self.engine.target)
            return
        with transaction(self.engine.session):
            self.engine.session.execute(create_state(self.engine.dialect))

    def _compact_state(self) -> None:
        with transaction(self.engine.session):
            self.engine.session.execute(compact_state(self.engine.dialect))


def _require_ability(node: Node, engine: Engine) -> None:
    """Raise `UnsupportedByEngineError` with the model's place when the engine cannot build models of its kind."""
    if node.kind == "python":
        needed, there = Capability.PYTHON_MODELS, engine.frames is not None
    elif node.config.materialized == "view":
        needed, there = Capability.VIEWS, True
    else:
        return
    if needed not in engine.capabilities or not there:
        error = UnsupportedByEngineError(engine.name, needed.value)
        error.where = node.where()
        raise error


def _foreign_state(columns: Sequence[str], target: str) -> FlowForgeError:
    return EngineError(
        f"The table {STATE_TABLE!r} in {target} was not written by this version of FlowForge.\n"
        f"  It has the columns {', '.join(columns)}\n  instead of {', '.join(COLUMNS)}.",
        hint="Use the version that wrote it, or drop the table: it only tells what was built last.",
    )


def _result(node: Node, status: Status, reason: str = "") -> ModelResult:
    return ModelResult(node.name, node.relation, node.config.materialized, status, reason=reason)


def _known(rows: int | None) -> int:
    return -1 if rows is None else rows
