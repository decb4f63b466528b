"""One run's models: what each worker does with its next one, and how they ended so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from threading import Event as Signal
from threading import Lock
from time import perf_counter
from typing import Any
from uuid import uuid4

from flowforge_app.attempts import Attempts, Patience
from flowforge_app.build_model import BuildModel, Built, Ground
from flowforge_app.cancelled import was_cancelled
from flowforge_app.check_run import CheckRun
from flowforge_app.evidence import Evidence
from flowforge_app.parallel import Worker
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.fingerprint import Inputs
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, Status
from flowforge_domain.retries import ONCE, Retries
from flowforge_domain.state import StateRow, has_row, insert_state
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Event, ModelStarted, Progress, StatementStarted

_REPLACED = {"table", "view"}


@dataclass(frozen=True)
class ModelRun:
    """What the workers of a run share; `ground` is what they find, kept true by each of them.

    `nodes` are those to build in the order of the graph, `results` those of the nodes that have ended; `rows` are their
    state rows, which the run itself writes at its end where the dialect gathers them. `agenda` tells what each
    waits for, the `tests` of a build included. With `fail_fast` nothing is begun after a failure.
    """

    run_id: str
    evidence: Evidence
    nodes: Mapping[str, Node]
    agenda: Mapping[str, Set[str]]
    ground: Ground
    progress: Progress
    clock: Callable[[], datetime]
    retries: Retries = field(default_factory=Retries)
    patience: Patience = field(default_factory=Patience)
    tests: CheckRun | None = None
    fail_fast: bool = False
    results: dict[str, ModelResult] = field(default_factory=dict)
    rows: list[StateRow] = field(default_factory=list)
    _failed: list[str] = field(default_factory=list)
    _stopped_by: dict[str, list[str]] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)
    _stopped: Signal = field(default_factory=Signal)
    _numbers: Iterator[int] = field(default_factory=partial(count, 1))

    def worker(self, build: BuildModel, engine: Engine) -> Worker:
        """Return who builds models on one engine."""
        compiler = build.compiler

        def heard(node: Node, sql: str) -> None:
            compiler.heard(node, sql)
            self._tell(StatementStarted(node.name, sql))

        build = replace(build, engine=engine, compiler=replace(compiler, heard=heard))

        def interrupt() -> None:
            self._stopped.set()
            engine.session.interrupt()

        return Worker(lambda name: self._work(name, build), interrupt)

    def _work(self, name: str, build: BuildModel) -> None:
        if name in self.nodes:
            self._work_on(self.nodes[name], build)
        elif self.tests is not None:
            # One of an unknown relation comes last, and depends on nothing.
            causes = self._causes(name) if self.tests.looks_at[name] else []
            result = self.tests.work(name, build.engine, f"{', '.join(causes)} failed" if causes else "")
            with self._turn:
                self.progress(result)

    def _work_on(self, node: Node, build: BuildModel) -> None:
        causes = self._causes(node.name)
        if causes:
            self._stopped_by[node.name] = causes
            result = result_of(node, Status.SKIPPED, reason=f"{', '.join(causes)} failed")
        else:
            with self._turn:
                self.progress(ModelStarted(node.name, next(self._numbers), len(self.nodes)))
            result = self._built(node, build)
            if self.fail_fast and result.status is Status.FAILED:
                self._failed.append(node.name)
        with self._turn:
            self.results[node.name] = result
            self.progress(result)

    def _causes(self, name: str) -> list[str]:
        """Return the models and tests that failed and so stop a piece of work, models in the order of the graph."""
        before = self.agenda[name]
        causes = set(self.tests.stopped_by(before)) if self.tests is not None else set()
        causes.update(self._failed[:1])
        for above in before & self.nodes.keys():
            if self.results[above].status is not Status.BUILT:
                causes.update(self._stopped_by.get(above, (above,)))
        # In the order of the graph, which takes a while to walk: rarely is there anything to put in order.
        return [*(n for n in self.nodes if n in causes), *sorted(causes - self.nodes.keys())] if causes else []

    def _built(self, node: Node, build: BuildModel) -> ModelResult:
        started, engine = perf_counter(), build.engine
        engine.session.label({"project": self.evidence.manifest.name, "run": self.run_id, "model": node.name})
        retries = self.retries if _may_be_repeated(node, engine) else ONCE
        attempts = Attempts(node.name, retries, self._tell, self.patience, self._stopped)
        sent: list[tuple[StateRow, Built]] = []
        try:
            row, built = attempts(lambda: self._build(node, build, sent))
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            spent = perf_counter() - started
            return result_of(node, Status.FAILED, seconds=spent, error=error, retries=attempts.again)
        self.evidence.versions.note(node.name, row.data_version)
        self.rows.append(row)
        self.ground.existing[relation_key(node.relation, engine.dialect)] = node.config.stands_as
        spent = perf_counter() - started
        return result_of(node, Status.BUILT, seconds=spent, rows=built.rows, retries=attempts.again)

    def _build(self, node: Node, build: BuildModel, sent: list[tuple[StateRow, Built]]) -> tuple[StateRow, Built]:
        """Build in one transaction, unless that of an earlier try was committed after all, and its answer was lost.

        `sent` are the tries that came to their commit.
        """
        engine = build.engine
        if sent and _is_committed(sent[-1][0], engine):
            return sent[-1]
        inputs = self.evidence.inputs(node)
        with transaction(engine.session):
            built = build(node, self.ground)
            row = self._state(node, inputs, built.rows)
            if not engine.dialect.gathers_state:
                engine.session.execute(insert_state(row, engine.dialect))
            sent.append((row, built))
        return row, built

    def _tell(self, event: Event) -> None:
        with self._turn:
            self.progress(event)

    def _state(self, node: Node, inputs: Inputs, rows: int | None) -> StateRow:
        known = rows if rows is not None and node.config.materialized == "table" else -1
        return StateRow(
            node.name,
            node.relation,
            self.run_id,
            uuid4().hex,
            inputs.fingerprint,
            known,
            self.clock().isoformat(),
            project=self.evidence.manifest.name,
            inputs=inputs.to_data(),
        )


def result_of(node: Node, status: Status, **more: Any) -> ModelResult:
    """Return the result of a node that ended so; `more` are further fields of it."""
    return ModelResult(node.name, node.relation, node.config.materialized, status, **more)


def _may_be_repeated(node: Node, engine: Engine) -> bool:
    """Tell whether a build that may have been made can be made again: it replaces all, or its state row tells."""
    return node.config.materialized in _REPLACED or Capability.TRANSACTIONAL_STATE in engine.capabilities


def _is_committed(row: StateRow, engine: Engine) -> bool:
    if engine.dialect.gathers_state:
        return False
    return bool(engine.session.query(has_row(row, engine.dialect)).rows)
