"""One run's models: what each worker does with its next one, and how they ended so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from threading import Lock

from flowforge_app.build_model import BuildModel
from flowforge_app.cancelled import was_cancelled
from flowforge_app.check_run import CheckRun
from flowforge_app.commit_models import CommitModels, result_of
from flowforge_app.forked import forked
from flowforge_app.parallel import Worker
from flowforge_domain.errors import FlowForgeError
from flowforge_domain.model import Node
from flowforge_domain.results import ModelResult, Status
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Event, ModelStarted, Progress, StatementStarted

_FEW_ROWS = 10_000


@dataclass(frozen=True)
class ModelRun:
    """What the workers of a run share.

    `nodes` are those to build in the order of the graph, `results` those of the nodes that have ended. `agenda` tells
    what each waits for, the `tests` of a build included. With `fail_fast` nothing is begun after a failure.
    """

    commits: CommitModels
    nodes: Mapping[str, Node]
    agenda: Mapping[str, Set[str]]
    progress: Progress
    tests: CheckRun | None = None
    fail_fast: bool = False
    results: dict[str, ModelResult] = field(default_factory=dict)
    _failed: list[str] = field(default_factory=list)
    _stopped_by: dict[str, list[str]] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)
    _numbers: Iterator[int] = field(default_factory=partial(count, 1))

    def worker(self, build: BuildModel, engine: Engine) -> Worker:
        """Return who builds models on one engine."""

        def told(node: Node, sql: str) -> None:
            self._tell(StatementStarted(node.name, sql))

        build, at_work = replace(build, told=told), [engine]

        def work(names: Sequence[str]) -> None:
            node = self.nodes.get(names[0])
            # What hooks set in their session, or leave there, is for no other model.
            with forked(engine, 2 if node is not None and node.hooks else 1) as sessions:
                at_work[:] = sessions
                try:
                    self._work(names, replace(build, engine=sessions[-1]))
                finally:
                    at_work[:] = [engine]

        def interrupt() -> None:
            self.commits.stopped.set()
            for one in tuple(at_work):
                one.session.interrupt()

        return Worker(work, interrupt)

    def is_light(self, name: str) -> bool:
        """Tell of a model whose inputs are there whether it takes so little that it may share a transaction.

        It replaces what stands, calls nothing else of a user's, and is a view or reads few rows, which this run built.
        """
        node = self.nodes.get(name)
        if node is None or node.kind != "sql" or node.hooks or not node.config.is_replaced:
            return False
        if node.config.materialized == "view":
            return True
        read = [self.results.get(above) for above in node.deps]
        return bool(read) and not node.sources and all(map(_is_small, read))

    def _work(self, names: Sequence[str], build: BuildModel) -> None:
        self.commits.go_on()
        first, *others = names
        if others:
            self._work_together([self.nodes[name] for name in names], build)
        elif first in self.nodes:
            self._work_on(self.nodes[first], build)
        elif self.tests is not None:
            # One of an unknown relation comes last, and depends on nothing.
            causes = self._causes(first) if self.tests.looks_at[first] else []
            result = self.tests.work(first, build.engine, f"{', '.join(causes)} failed" if causes else "")
            if self.fail_fast:
                self._failed.extend(self.tests.stopped_by([first]))
            self._tell(result)

    def _work_on(self, node: Node, build: BuildModel) -> None:
        if not self._is_stopped(node):
            self._begin(node)
            self._end(self.commits.alone(node, build, self._tell))

    def _work_together(self, nodes: Sequence[Node], build: BuildModel) -> None:
        """Build models in one transaction; if one fails, each in its own, so that it alone keeps its old relation."""
        nodes = [node for node in nodes if not self._is_stopped(node)]
        for node in nodes:
            self._begin(node)
        for result in self._built_together(nodes, build) or self._built_alone(nodes, build):
            self._end(result)

    def _built_together(self, nodes: Sequence[Node], build: BuildModel) -> list[ModelResult]:
        try:
            return self.commits.together(nodes, build) if nodes else []
        except FlowForgeError as error:
            if was_cancelled(error):
                raise
            return []

    def _built_alone(self, nodes: Sequence[Node], build: BuildModel) -> Iterator[ModelResult]:
        for node in nodes:
            if not self._is_stopped(node):
                yield self.commits.alone(node, build, self._tell)

    def _begin(self, node: Node) -> None:
        with self._turn:
            self.progress(ModelStarted(node.name, next(self._numbers), len(self.nodes)))

    def _end(self, result: ModelResult) -> None:
        if self.fail_fast and result.status is Status.FAILED:
            self._failed.append(result.name)
        with self._turn:
            self.results[result.name] = result
            self.progress(result)

    def _is_stopped(self, node: Node) -> bool:
        if causes := self._causes(node.name):
            self._stopped_by[node.name] = causes
            self._end(result_of(node, Status.SKIPPED, reason=f"{', '.join(causes)} failed"))
        return bool(causes)

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

    def _tell(self, event: Event) -> None:
        with self._turn:
            self.progress(event)


def _is_small(result: ModelResult | None) -> bool:
    return result is not None and result.rows is not None and result.rows <= _FEW_ROWS
