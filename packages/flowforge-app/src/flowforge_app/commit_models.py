"""The builds of one run, each committed with its state row: a model by itself, or several light ones in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event as Signal
from time import perf_counter
from typing import Any
from uuid import uuid4

from flowforge_app.attempts import Attempts, Patience
from flowforge_app.build_model import BuildModel, Built, Ground
from flowforge_app.cancelled import was_cancelled
from flowforge_app.evidence import Evidence
from flowforge_app.hook_writes import told_of_unknown, written_by_hooks
from flowforge_app.kept_rows import refusal, refused
from flowforge_app.transaction import transaction
from flowforge_domain.capability import Capability
from flowforge_domain.dialect import relation_key
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.fingerprint import Inputs
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, Status
from flowforge_domain.retries import ONCE, Retries
from flowforge_domain.state import StateRow, has_row, insert_states
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress


@dataclass(frozen=True)
class CommitModels:
    """Builds models in transactions; `ground` is what they find, kept true by each of them.

    `rows` are the state rows of what was built, which the run itself writes at its end where the dialect gathers them.
    Once `stopped` is set nothing is tried again, nor committed: Ctrl-C was heard, and a model's code, or a driver that
    was amid a call of Python, may have kept it to itself.
    """

    run_id: str
    evidence: Evidence
    ground: Ground
    clock: Callable[[], datetime]
    retries: Retries = field(default_factory=Retries)
    patience: Patience = field(default_factory=Patience)
    stopped: Signal = field(default_factory=Signal)
    rows: list[StateRow] = field(default_factory=list)

    def alone(self, node: Node, build: BuildModel, tell: Progress) -> ModelResult:
        """Build a model in a transaction of its own, again where it failed in passing; a failure is in the result."""
        started, engine = perf_counter(), build.engine
        self._label(node, engine)
        retries = self.retries if _may_be_repeated(node, engine) else ONCE
        attempts = Attempts(node.name, retries, tell, self.patience, self.stopped)
        sent: list[tuple[list[StateRow], Built]] = []
        try:
            rows, built = attempts(lambda: self._try(node, build, sent))
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            self.go_on()
            spent = perf_counter() - started
            return result_of(node, Status.FAILED, seconds=spent, error=error, retries=attempts.again)
        self._note(node, rows, engine)
        spent = perf_counter() - started
        return result_of(node, Status.BUILT, seconds=spent, rows=built.rows, retries=attempts.again)

    def together(self, nodes: Sequence[Node], build: BuildModel) -> list[ModelResult]:
        """Build all of these or none in one transaction; what it takes beyond the models is shared among their times.

        Raises `FlowForgeError` of the first that fails, with every relation as it was.
        """
        started, engine = perf_counter(), build.engine
        made: list[tuple[Node, list[StateRow], Built, float]] = []
        with transaction(engine.session):
            for node in nodes:
                began = perf_counter()
                self._label(node, engine)
                rows, built = self._build(node, build)
                made.append((node, rows, built, perf_counter() - began))
            self._write_state([row for _, rows, *_ in made for row in rows], engine)
        for node, rows, *_ in made:
            self._note(node, rows, engine)
        shared = (perf_counter() - started - sum(spent for *_, spent in made)) / len(made)
        return [
            result_of(node, Status.BUILT, seconds=spent + shared, rows=built.rows) for node, _, built, spent in made
        ]

    def untold(self) -> tuple[str, ...]:
        """Return what writes the state rows that no build has: those that are gathered, and of hooks of any effect."""
        dialect = self.evidence.definitions.engine.dialect
        gathered = insert_states(self.rows, dialect) if dialect.gathers_state else ()
        return (*gathered, *told_of_unknown(self.evidence))

    def go_on(self) -> None:
        """Raise `KeyboardInterrupt` where the run is to end."""
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def _try(
        self, node: Node, build: BuildModel, sent: list[tuple[list[StateRow], Built]]
    ) -> tuple[list[StateRow], Built]:
        """Build in one transaction, unless that of an earlier try was committed after all, and its answer was lost.

        `sent` are the tries that came to their commit.
        """
        engine = build.engine
        if sent and _is_committed(sent[-1][0][0], engine):
            return sent[-1]
        with transaction(engine.session):
            rows, built = self._build(node, build)
            self._write_state(rows, engine)
            sent.append((rows, built))
        return rows, built

    def _build(self, node: Node, build: BuildModel) -> tuple[list[StateRow], Built]:
        """Return the state row of the model, and those of what its hooks have written to."""
        if found := refused(node, self.evidence, self.ground.anew):
            raise refusal(node, found, self.evidence)
        inputs = self.evidence.inputs(node, built=True)
        built = build(node, self.ground)
        self.go_on()
        now, written = self.clock().isoformat(), written_by_hooks(node, built.hooks, self.evidence)
        told = [replace(row, run_id=self.run_id, finished_at=now) for row in written]
        return [self._state(node, inputs, built.rows), *told], built

    def _write_state(self, rows: Sequence[StateRow], engine: Engine) -> None:
        if not engine.dialect.gathers_state:
            for statement in insert_states(rows, engine.dialect):
                engine.session.execute(statement)

    def _note(self, node: Node, rows: Sequence[StateRow], engine: Engine) -> None:
        for row in rows:
            self.evidence.versions.note(row)
            self.rows.append(row)
        self.ground.existing[relation_key(node.relation, engine.dialect)] = node.config.stands_as

    def _label(self, node: Node, engine: Engine) -> None:
        engine.session.label({"project": self.evidence.manifest.name, "run": self.run_id, "model": node.name})

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
    return node.config.is_replaced or Capability.TRANSACTIONAL_STATE in engine.capabilities


def _is_committed(row: StateRow, engine: Engine) -> bool:
    if engine.dialect.gathers_state:
        return False
    return bool(engine.session.query(has_row(row, engine.dialect)).rows)
