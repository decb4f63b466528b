"""One run's models: what each worker does with its next one, and how they ended so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from threading import Lock
from time import perf_counter
from uuid import uuid4

from flowforge_app.build_model import BuildModel, Ground
from flowforge_app.cancelled import was_cancelled
from flowforge_app.parallel import Worker
from flowforge_app.transaction import transaction
from flowforge_domain.dag import upstream
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, Status
from flowforge_domain.state import StateRow, insert_state
from flowforge_ports.engine import Engine
from flowforge_ports.progress import ModelStarted, Progress


@dataclass(frozen=True)
class ModelRun:
    """What the workers of a run share; `ground` is what they find, kept true by each of them.

    `nodes` are the selected ones in the order of the graph, `results` those of the nodes that have ended;
    `gathered` are the state rows that the run itself writes at its end (`Dialect.gathers_state`).
    """

    run_id: str
    project: str
    nodes: Mapping[str, Node]
    ground: Ground
    progress: Progress
    clock: Callable[[], datetime]
    results: dict[str, ModelResult] = field(default_factory=dict)
    gathered: list[StateRow] = field(default_factory=list)
    _turn: Lock = field(default_factory=Lock)
    _numbers: Iterator[int] = field(default_factory=partial(count, 1))

    def worker(self, build: BuildModel, engine: Engine) -> Worker:
        """Return who builds models on one engine."""
        build = replace(build, engine=engine)
        return Worker(lambda name: self._work(self.nodes[name], build), engine.session.interrupt)

    def _work(self, node: Node, build: BuildModel) -> None:
        result = self._skipped(node)
        if result is None:
            with self._turn:
                self.progress(ModelStarted(node.name, next(self._numbers), len(self.nodes)))
            result = self._built(node, build)
        with self._turn:
            self.results[node.name] = result
            self.progress(result)

    def _skipped(self, node: Node) -> ModelResult | None:
        """Return the result of a node that depends on one that failed, or None."""
        causes = [d for d in node.deps if d in self.nodes and self.results[d].status is not Status.BUILT]
        if not causes:
            return None
        above = upstream(self.nodes, causes)
        failed = [name for name in self.nodes if name in above and self.results[name].status is Status.FAILED]
        return _result(node, Status.SKIPPED, reason=f"{', '.join(failed)} failed")

    def _built(self, node: Node, build: BuildModel) -> ModelResult:
        started, engine = perf_counter(), build.engine
        engine.session.label({"project": self.project, "run": self.run_id, "model": node.name})
        try:
            with transaction(engine.session):
                built = build(node, self.ground)
                row = self._state(node, built.fingerprint, built.rows)
                if engine.dialect.gathers_state:
                    self.gathered.append(row)
                else:
                    engine.session.execute(insert_state(row, engine.dialect))
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            return replace(_result(node, Status.FAILED), seconds=perf_counter() - started, error=error)
        self.ground.existing[relation_key(node.relation, engine.dialect)] = node.config.stands_as
        return replace(_result(node, Status.BUILT), seconds=perf_counter() - started, rows=built.rows)

    def _state(self, node: Node, fingerprint: str, rows: int | None) -> StateRow:
        known = -1 if rows is None else rows
        finished = self.clock().isoformat()
        return StateRow(node.name, node.relation, self.run_id, uuid4().hex, fingerprint, known, finished)


def _result(node: Node, status: Status, reason: str = "") -> ModelResult:
    return ModelResult(node.name, node.relation, node.config.materialized, status, reason=reason)
