"""Run checks: each a query of one value and a verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from flowforge_domain.checks import Check, check_failure, check_query
from flowforge_domain.errors import ConfigError, EngineError, ErrorKind, FlowForgeError
from flowforge_domain.manifest import Manifest, table_relation
from flowforge_domain.results import CheckReport, CheckResult
from flowforge_domain.selection import EVERYTHING, Selectable, Selection, select, selectable_nodes
from flowforge_domain.text import caret
from flowforge_ports.engine import Engine
from flowforge_ports.progress import Progress


@dataclass(frozen=True)
class RunChecks:
    """Runs the project's data-quality tests."""

    manifest: Manifest
    engine: Engine
    progress: Progress

    def __call__(self, wanted: Selection = EVERYTHING) -> CheckReport:
        """Run what is selected, by the tags of a test or by the node it looks at, in the project's order.

        Raises `SelectionError` for an empty selection. What does not hold is in the report.
        """
        results = []
        for check in self._selected(wanted):
            results.append(self._result(check))
            self.progress(results[-1])
        return CheckReport(results)

    def _selected(self, wanted: Selection) -> list[Check]:
        nodes, checks = self.manifest.nodes, self.manifest.checks
        by_relation = {node.relation: name for name, node in nodes.items()}
        # A check is selected through its node, or, under a name no node can have, through its own tags.
        items = selectable_nodes(nodes) | {_key(i): Selectable(_key(i), check.tags) for i, check in enumerate(checks)}
        chosen = select(items, wanted, nodes, "test")
        excluded = select(items, Selection(wanted.exclude), nodes, "test") if wanted.exclude else set()
        found = [
            check
            for i, check in enumerate(checks)
            if (of := by_relation.get(table_relation(self.manifest, check.table))) in chosen or _key(i) in chosen
            if not {of, _key(i)} & excluded
        ]
        if not found and checks:
            raise ConfigError(
                "The selection leaves no test.", hint="Select a model that has tests, or a tag of a test."
            )
        return found

    def _result(self, check: Check) -> CheckResult:
        started, query = perf_counter(), ""
        try:
            query = check_query(check, table_relation(self.manifest, check.table), self.engine.dialect)
            value = self.engine.session.query(query).rows[0][0]
            failure = check_failure(check, value) or ""
        except FlowForgeError as error:
            return CheckResult(check, query, perf_counter() - started, error=_placed(error, check, query))
        return CheckResult(check, query, perf_counter() - started, failure)


def _key(index: int) -> str:
    return f"\0{index}"


def _placed(error: FlowForgeError, check: Check, query: str) -> FlowForgeError:
    """Return the error with the place of the test in the project."""
    line = error.line if isinstance(error, EngineError) else 0
    missing = isinstance(error, EngineError) and error.kind is ErrorKind.MISSING_RELATION
    hint = "Build it first: flowforge run" if missing else error.hint
    placed = ConfigError(
        f"Test {check.type} of {check.subject} cannot run: {error.message}",
        where=check.where,
        snippet=caret(query, line, error.column) if isinstance(error, EngineError) and not missing else "",
        hint=hint,
    )
    placed.__cause__ = error
    return placed
